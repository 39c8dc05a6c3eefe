"""Making what a training needs next in other processes, while it is busy."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

EACH = 4  # results that a process has ready


class _Made(Dataset):
    """Item `task` is `make(task)`."""

    def __init__(self, make: Callable[[Any], Any]):
        self.make = make

    def __getitem__(self, task: Any) -> Any:
        return self.make(task)


def made_ahead(make: Callable[[Any], Any], tasks: Iterable[Any], workers: int) -> Iterator[Any]:
    """`make(task)` for each task in order, from so many processes; 0 makes them here, when they are asked for. The results do not depend on
    their number."""
    if not workers:
        yield from map(make, tasks)
        return
    options = {"prefetch_factor": EACH, "generator": torch.Generator()}  # the loader's own randomness, which nothing here uses
    yield from DataLoader(_Made(make), batch_size=None, sampler=tasks, num_workers=workers, collate_fn=_as_it_is, **options)


def _as_it_is(made: Any) -> Any:
    return made
