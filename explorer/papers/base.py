"""What an experiment is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import torch

from explorer.types import Progress

from .results import Results

Status = Literal["done", "short run", "not run"]

@dataclass(frozen=True)
class Place:
    """Where an experiment runs: its output folder, its device, the data's root, and whether it goes on from a stop."""

    output: Path
    device: torch.device
    root: Path | None = None
    resume: bool = False


@runtime_checkable
class Train(Protocol):
    def __call__(self, name: str, config: Any, place: Place, progress: Progress) -> Path:
        """Train, measure, and return the path of the checkpoint."""
        ...


@dataclass(frozen=True)
class Experiment:
    """A frozen configuration, the function that trains it, and all that is wrong with a configuration before it starts."""

    config: Any
    train: Train
    problems: Callable[[Any], list[str]]
    paper: str
    description: str


@dataclass(frozen=True)
class Row:
    """A line of a table: the paper's numbers beside ours, each in the order of the table's columns, None where there is none.

    `measured` is None where nothing was measured, and `command` says how it would be; `differences` keep it from being a
    reproduction; `variant` names what was measured in its place; `source` says where it was read."""

    label: str
    paper: tuple[float | None, ...]
    measured: tuple[float, ...] | None = None
    standard_errors: tuple[float | None, ...] = ()
    differences: tuple[str, ...] = ()
    variant: str = ""
    source: str = ""
    command: str = ""


@dataclass(frozen=True)
class Filled:
    """A table or a figure's data with what is measured of it."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""


@dataclass(frozen=True)
class Item:
    """A table or figure of a paper. `fill` reads what `evaluate` has written; without it `missing` says why it is not run."""

    kind: Literal["table", "figure"]
    number: int
    caption: str
    missing: str = ""
    fill: Callable[[Results], Filled] | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}-{self.number}"


@dataclass(frozen=True)
class Paper:
    """A paper with all its tables and figures."""

    short_name: str
    citation: str
    items: tuple[Item, ...]


def status(item: Item, results: Results) -> tuple[Status, str]:
    """Whether an item is done, a short run, or not run, and in words how short or why."""
    if item.fill is None:
        return "not run", item.missing
    rows = item.fill(results).rows
    measured = [row for row in rows if row.measured is not None]
    if not measured:
        return "not run", "No results file of it is here yet."
    if len(measured) == len(rows) and not any(row.differences for row in rows):
        return "done", "Measured at the paper's settings." if any(row.paper for row in rows) else "Computed from its formula."
    parts = [] if len(measured) == len(rows) else [f"{len(measured)} of {len(rows)} rows"]
    parts += [f"{row.variant or row.label}: {', '.join(row.differences)}" for row in measured if row.differences]
    return "short run", "; ".join(parts) + "."
