"""Work over many examples, batch by batch: what is done is kept, and nothing is done twice."""

from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.storage import write_atomically
from explorer.types import Progress, stop_if_cancelled

Columns = dict[str, Tensor]


def over_batches(
    folder: Path, count: int, size: int, compute: Callable[[int, int], Columns], progress: Progress
) -> Iterator[Columns]:
    """The columns of all examples so far, after each batch of `size` of them.

    `compute(first, last)` gives named tensors with a row for each of the examples from `first` to before `last`. Each batch becomes one
    file of `folder`, whole or not there, so that the same call after a stop goes on without redoing or losing an example. A file that
    was damaged since is computed again. Raises Cancelled, or OutputError."""
    ranges = [(first, min(first + size, count)) for first in range(0, count, size)]
    paths = {first: folder / f"{first:09d}.safetensors" for first, _ in ranges}
    kept = {first: columns for first, last in ranges if (columns := _read(paths[first], last - first)) is not None}
    ready, done = sum(last - first for first, last in ranges if first in kept), []
    progress.advance(ready, count)
    for first, last in ranges:
        stop_if_cancelled(progress)
        if first in kept:
            columns = kept[first]
        else:
            columns = _checked(compute(first, last), last - first)
            _write(paths[first], columns)
            ready += last - first
            progress.advance(ready, count)
        done.append(columns)
        yield {name: torch.cat([each[name] for each in done]) for name in columns}


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
