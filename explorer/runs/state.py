"""How a run stands, as told by its folder and its lock."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from explorer import locks
from explorer.errors import RunUnreadable

from . import events
from .placement import Placement, read_placement
from .slurm_queue import Queue, queue_of
from .specification import FILE, Specification, read_specification

State = Literal["queued", "running", "cancelling", "finished", "failed", "cancelled", "interrupted", "unreadable"]
ACTIVE: tuple[State, ...] = ("queued", "running", "cancelling")
SILENT_SECONDS = 15
FINAL = ("finished", "failed")  # the queue has no more to say: one that was interrupted it may start again, one that was cancelled it may still be ending
NOTES = "notes.json"


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment. Times are seconds since 1970, `seconds` is how long it has computed over all attempts, `left` an estimate.

    `silent` says for how long a living worker has shown no sign; `problem` why it failed or cannot be read; `waiting` what it waits for in a cluster's
    queue, in the queue's words."""

    folder: Path
    state: State
    specification: Specification | None = None
    done: int = 0
    total: int = 0
    note: str = ""
    device: str = ""
    attempt: int = 0
    submitted: float | None = None
    started: float | None = None
    seconds: float = 0.0
    rate: float | None = None
    left: float | None = None
    silent: float | None = None
    problem: str = ""
    label: str = ""
    remark: str = ""
    placement: Placement = Placement()
    waiting: str = ""

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def share(self) -> float:
        return min(1.0, self.done / self.total) if self.total else 0.0


def snapshot(folder: Path) -> Snapshot:
    """Read a run's folder. Never raises: what cannot be read is a state."""
    label, remark = read_notes(folder)
    try:
        specification = read_specification(folder / FILE)
    except RunUnreadable as error:
        return Snapshot(folder, "unreadable", problem=str(error), label=label, remark=remark)
    alive = locks.is_held(folder / events.LOCK)  # before the events: a worker appends its last one while it still holds the lock
    beat, written = events.heartbeat(folder)
    end = events.last(folder)
    placement = read_placement(folder)
    queue = queue_of(folder) if placement.in_slurm and not alive and end.get("event") not in FINAL else None
    state, problem = _state(folder, alive, beat, end, queue)
    waiting = end.get("event") == events.LAUNCHED  # what the heartbeat tells is of an earlier attempt
    silent = max(0.0, time.time() - written) if alive and written and not waiting else None
    return Snapshot(
        folder, state, specification, label=label, remark=remark, problem=problem,
        done=whole(beat.get("done")), total=whole(beat.get("total")), note=events.shown(beat.get("note", "")), device=events.shown(beat.get("device", "")),
        attempt=whole(beat.get("attempt")), submitted=_modified(folder / FILE), started=number(beat.get("started")),
        seconds=number(beat.get("seconds")) or 0.0, rate=None if waiting else number(beat.get("rate")), left=number(beat.get("left")) if alive and not waiting else None,
        silent=silent if silent and silent > SILENT_SECONDS else None, placement=placement,
        waiting=queue.told if queue and state in ACTIVE else "",
    )  # fmt: skip


def read_notes(folder: Path) -> tuple[str, str]:
    """The label and the remark that a user gave a run."""
    try:
        content = json.loads((folder / NOTES).read_bytes())
        return events.shown(content.get("label", ""), 200), events.shown(content.get("remark", ""), 10_000)
    except (OSError, ValueError, AttributeError, RecursionError):
        return "", ""


def _state(folder: Path, alive: bool, beat: dict[str, Any], end: dict[str, Any], queue: Queue | None) -> tuple[State, str]:
    cancelled = (folder / events.CANCEL).exists()
    if alive:
        if cancelled:
            return "cancelling", ""
        return ("running" if beat.get("state") == "running" and end.get("event") != events.LAUNCHED else "queued"), ""
    if queue is not None and (queue.live or queue.problem) and not (queue.problem and end.get("event") in events.ENDS):
        return ("cancelling" if cancelled else "queued" if end.get("event") in (events.LAUNCHED, *events.ENDS) else "running"), ""
    if end.get("event") in events.ENDS:
        return end["event"], events.shown(end.get("problem", ""))
    if cancelled:
        return "cancelling", ""  # until it is certain that its processes are gone
    return "failed", f"{WITHOUT_A_WORD}."


WITHOUT_A_WORD = "the worker ended without a word"


def number(value: Any) -> float | None:
    """A finite number from a file, or None."""
    return float(value) if type(value) in (int, float) and abs(value) < 1e15 else None


def whole(value: Any) -> int:
    """A count from a file, 0 where there is none."""
    return max(0, int(number(value) or 0))


def _modified(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None
