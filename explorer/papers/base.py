"""What an experiment is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import torch

from explorer.training.arithmetic import PLAIN, Arithmetic
from explorer.types import Progress

from .results import Results

NO_RESULT = "no results file of it is here yet"
Status = Literal["done", "short run", "not run"]


@dataclass(frozen=True)
class Place:
    """Where an experiment runs: its output folder, its device, the data's root, whether it goes on from a stop, and how it computes."""

    output: Path
    device: torch.device
    root: Path | None = None
    resume: bool = False
    arithmetic: Arithmetic = PLAIN


@runtime_checkable
class Train(Protocol):
    def __call__(self, name: str, config: Any, place: Place, progress: Progress) -> Path:
        """Train, measure, and return the path of the checkpoint."""
        ...


@dataclass(frozen=True)
class Experiment:
    """A frozen configuration, the function that trains it, all that is wrong with a configuration before it starts, and how many
    training steps a configuration takes with the data of a folder. `published` is the paper's configuration, where this one differs."""

    config: Any
    train: Train
    problems: Callable[[Any], list[str]]
    steps: Callable[[Any, Path | None], int]
    paper: str
    description: str
    published: Any = None


@dataclass(frozen=True)
class Row:
    """A line of a table: the paper's numbers beside ours, each in the order of the table's columns, None where there is none.

    `measured` is None where nothing was measured: `missing` says why, and `command` how it would be. `differences` keep it from being
    a reproduction; `variant` names what was measured in its place; `source` says how it was measured and where it was read. `own`
    marks a line that the paper does not have: it does not count."""

    label: str
    paper: tuple[float | None, ...]
    measured: tuple[float | None, ...] | None = None
    standard_errors: tuple[float | None, ...] = ()
    differences: tuple[str, ...] = ()
    variant: str = ""
    source: str = ""
    command: str = ""
    missing: str = NO_RESULT
    own: bool = False


@dataclass(frozen=True)
class Filled:
    """A table or a figure's data with what is measured of it."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""


@dataclass(frozen=True)
class Item:
    """A table or figure of a paper. `fill` reads what `evaluate` has written; without it `missing` says why it is not run."""

    kind: Literal["table", "figure", "definition"]
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
    everything = item.fill(results).rows
    rows = [row for row in everything if not row.own]
    measured, missing = [row for row in rows if row.measured is not None], [row for row in rows if row.measured is None]
    if not measured:
        reasons = "; ".join(dict.fromkeys(row.missing for row in missing))
        own = "; ".join(dict.fromkeys(row.label for row in everything if row.own and row.measured is not None))
        return "not run", f"{reasons[:1].upper()}{reasons[1:]}." + (f" Measured, but not in the paper: {own}." if own else "")
    parts = [f"{row.variant or row.label}: {', '.join(row.differences)}" for row in measured if row.differences]
    if not missing and not parts:
        return "done", "Measured at the paper's settings." if any(row.source for row in rows) else "Computed from its formula."
    parts += [f"{', '.join(labels)}: {reason}" for reason, labels in missing_rows(rows).items()]
    return "short run", f"{len(measured)} of {len(rows)} rows; " + "; ".join(parts) + "."


def missing_rows(rows: Sequence[Row]) -> dict[str, list[str]]:
    """The labels of the rows without numbers of ours, by the reason."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.measured is None:
            found.setdefault(row.missing, []).append(row.label)
    return found
