"""Work over many examples, batch by batch: what is done is kept, and nothing is done twice."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.locks import take
from explorer.storage import write_atomically
from explorer.types import Progress, stop_if_cancelled

Columns = dict[str, Tensor]
USUAL = 64 * 64  # pixels


def as_many(most: int, shape: Sequence[int]) -> int:
    """How many images of that shape (…, height, width) go through a network together: `most` up to 64×64 pixels, of larger ones as many as have no
    more pixels than these."""
    return max(1, min(most, most * USUAL // math.prod(shape[-2:])))


def over_batches(
    folder: Path, count: int, size: int, compute: Callable[[int, int], Columns], progress: Progress
) -> Iterator[Columns]:
    """The columns of all examples so far, after each batch of `size` of them.

    `compute(first, last)` gives named tensors with a row for each of the examples from `first` to before `last`. Each batch becomes one
    file of `folder`, whole or not there, so that the same call after a stop goes on without redoing or losing an example. A file that
    was damaged since is computed again. Raises Cancelled, OutputError, or ExplorerError where another version has measured other columns."""
    ranges = [(first, min(first + size, count)) for first in range(0, count, size)]
    paths = {first: folder / f"{first:09d}.safetensors" for first, _ in ranges}
    kept = {first: columns for first, last in ranges if (columns := _read(paths[first], last - first)) is not None}
    done: list[Columns] = []
    progress.advance(_rows(kept), count)
    for first, _ in ranges:
        while first not in kept:
            stop_if_cancelled(progress)
            if _shared.get():
                _do_one(ranges, paths, kept, compute)
            else:
                kept[first] = _computed(first, ranges, paths, compute)
            progress.advance(_rows(kept), count)
        stop_if_cancelled(progress)
        done.append(_like(done, kept[first], folder))
        yield {name: torch.cat([each[name] for each in done]) for name in kept[first]}


@contextmanager
def shared_with_others() -> Iterator[None]:
    """Several processes that do the same work on one folder at once do each batch once, and all of them yield all of it. One that is killed
    leaves its batch to the others."""
    token = _shared.set(True)
    try:
        yield
    finally:
        _shared.reset(token)


_shared: ContextVar[bool] = ContextVar("shared", default=False)
POLL_SECONDS = 0.1


def _do_one(ranges: list[tuple[int, int]], paths: dict[int, Path], kept: dict[int, Columns], compute: Callable[[int, int], Columns]) -> None:
    """One batch that nobody else is at, and whatever others have finished meanwhile; where all are taken, a moment's wait."""
    for first, last in ranges:
        if first in kept:
            continue
        if (columns := _read(paths[first], last - first)) is not None:
            kept[first] = columns
            continue
        paths[first].parent.mkdir(parents=True, exist_ok=True)
        if (claim := take(paths[first].with_suffix(".claim"))) is None:
            continue
        with claim:
            columns = _read(paths[first], last - first)  # its finisher may just have let it go
            kept[first] = _computed(first, ranges, paths, compute) if columns is None else columns
        paths[first].with_suffix(".claim").unlink(missing_ok=True)
        return
    if len(kept) < len(ranges):
        time.sleep(POLL_SECONDS)


def _computed(first: int, ranges: list[tuple[int, int]], paths: dict[int, Path], compute: Callable[[int, int], Columns]) -> Columns:
    last = dict(ranges)[first]
    columns = _checked(compute(first, last), last - first)
    _write(paths[first], columns)
    return columns


def _like(done: list[Columns], columns: Columns, folder: Path) -> Columns:
    """Raises ExplorerError where batches hold other columns than each other: an earlier version of the code has measured some of them."""
    if done and columns.keys() != done[0].keys():
        raise ExplorerError(f"the batches in {folder} hold {', '.join(done[0])} and {', '.join(columns)}: another version has measured some of them. Remove that folder and measure again.")
    return columns


def _rows(kept: dict[int, Columns]) -> int:
    return sum(len(next(iter(columns.values()))) for columns in kept.values())


def _checked(columns: Columns, rows: int) -> Columns:
    if wrong := [f"{name} has {len(column)}" for name, column in columns.items() if len(column) != rows]:
        raise ExplorerError(f"a batch of {rows} examples gave another number of rows: {', '.join(wrong)}.")
    return {name: column.detach().cpu().contiguous() for name, column in columns.items()}


def _write(path: Path, columns: Columns) -> None:
    from safetensors.torch import save

    write_atomically(path, save(columns))


def _read(path: Path, rows: int) -> Columns | None:
    """A finished batch; None where there is none, or none that can be used."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        columns = load_file(path)
    except (OSError, SafetensorError, ValueError):
        return None
    return columns if columns and all(len(column) == rows for column in columns.values()) else None
