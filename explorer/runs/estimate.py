"""How long a run would take, before it is started."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.hardware import pick_device
from explorer.types import Inner, Progress

from .kinds import opened
from .specification import Specification
from .store import Store
from .task import Task

START_SECONDS = 4.0  # an interpreter that imports torch


@dataclass(frozen=True)
class Estimate:
    """Seconds, and what they follow from."""

    seconds: float
    basis: str


def from_earlier_runs(specification: Specification, store: Store) -> Estimate | None:
    """From the newest finished run of the same kind, inputs and device whose parameters differ in `limit` alone."""
    for run in store.runs():
        seen = run.snapshot()
        if seen.state == "finished" and seen.total and seen.seconds and _alike(seen.specification, specification):
            total = specification.parameters.get("limit") or (seen.total if not seen.specification.parameters.get("limit") else None)
            if total:
                return Estimate(START_SECONDS + seen.seconds * total / seen.total, f"run {run.number}")
    return None


def by_trying(specification: Specification, progress: Progress) -> Iterator[Estimate]:
    """A small part of the work, done twice in a folder of its own: the second time counts. Yields one estimate. Raises Cancelled."""
    kind, inputs, parameters = opened(specification)
    small, factor = kind.sample(inputs, parameters)
    device, epochs = pick_device(specification.device), getattr(parameters, "epochs", 1)
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            clock = _Clock(progress)
            kind.work(Task(Path(folder), inputs, small, device, specification.seed, clock))
            clock.end()
    yield Estimate(START_SECONDS + clock.loading + factor * clock.working + epochs * clock.finishing, "a trial of its first steps")


class _Clock(Inner):
    """Times the loading, until the work first tells how far it is; the work proper, until it tells of the last progress; and what
    follows: measuring and saving, which a training does after each epoch."""

    def __init__(self, outer: Progress):
        super().__init__(outer)
        self._made, self._first, self._last, self._end = time.monotonic(), None, None, None
        self._done = 0

    def advance(self, done: int, total: int, note: str = "") -> None:
        if self._first is None:
            self._first = self._last = time.monotonic()
        elif done > self._done:
            self._last = time.monotonic()
        self._done = max(self._done, done)

    def end(self) -> None:
        if self._first is None:
            raise ExplorerError("the trial told of no progress, so its time cannot be estimated.")
        self._end = time.monotonic()

    @property
    def loading(self) -> float:
        return self._first - self._made

    @property
    def working(self) -> float:
        return self._last - self._first

    @property
    def finishing(self) -> float:
        return self._end - self._last


def _alike(one: Specification | None, other: Specification) -> bool:
    if one is None or (one.kind, one.device, one.inputs) != (other.kind, other.device, other.inputs):
        return False
    return _unlimited(one) == _unlimited(other) and one.kind != "training"


def _unlimited(specification: Specification) -> dict:
    return {name: value for name, value in specification.parameters.items() if name != "limit"}
