"""The folder of runs, one folder each: EXPLORER_RUNS, then ./runs."""

import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from explorer import locks
from explorer.errors import ExplorerError, OutputError, RunError
from explorer.registry import look_up
from explorer.storage import runs_folder, write_atomically

from . import events, processes, slurm_queue
from .backends import start as start_anywhere
from .endings import settle
from .holding import guarded
from .placement import FILE as PLACEMENT
from .placement import Placement, tried
from .specification import FILE, Specification
from .state import ACTIVE, FINAL, NOTES, Snapshot, snapshot

NAME = re.compile(r"(\d{4,})-([a-z_]+)-([0-9a-f]{8})")
LOCK_SECONDS, KEPT = 10.0, 4096


@dataclass(frozen=True)
class Run:
    """A run of a store, by its folder."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def number(self) -> int:
        return int(NAME.fullmatch(self.name)[1])

    @property
    def results(self) -> Path:
        return self.folder / "results"

    @property
    def output(self) -> Path:
        """What a training writes: checkpoints and its history."""
        return self.folder / "output"

    def snapshot(self) -> Snapshot:
        """How the run stands. A worker found dead is written down as such, and its processes are ended."""
        version = _version(self.folder)
        known = _ended.get(self.folder)
        if known and known[0] == version:
            return known[1]
        seen = snapshot(self.folder)
        if seen.state in ("failed", "cancelling") and not _told(self.folder) and not locks.is_held(self.folder / events.LOCK):
            settle(self.folder)
            version, seen = _version(self.folder), snapshot(self.folder)
        if seen.state in events.ENDS and _told(self.folder) and (not seen.placement.in_slurm or seen.state in FINAL):
            if len(_ended) >= KEPT:
                _ended.clear()
            _ended[self.folder] = (version, seen)
        return seen


_ended: dict[Path, tuple[tuple, Snapshot]] = {}  # of runs that have ended, until a file of theirs changes


def _told(folder: Path) -> bool:
    """Whether the run's events say how it ended."""
    return events.last(folder).get("event") in events.ENDS


def _version(folder: Path) -> tuple:
    """What changes when a run is started again, or anything that a snapshot is read from."""
    found = []
    for name in (FILE, PLACEMENT, events.EVENTS, events.HEARTBEAT, NOTES, events.CANCEL):
        try:
            state = os.stat(f"{folder}/{name}")
            found.append((state.st_mtime_ns, state.st_size, state.st_ino))
        except OSError:
            found.append(None)
    return tuple(found)


class Store:
    """All runs of a folder. Several programs may use one store at once."""

    def __init__(self, folder: Path | None = None):
        self.folder = (folder or runs_folder()).resolve()

    def runs(self) -> list[Run]:
        """Newest first. Folders that are no runs are left alone."""
        try:
            names = [name for name in os.listdir(self.folder) if NAME.fullmatch(name)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise OutputError(f"{self.folder} cannot be read: {error.strerror}. Choose another folder with EXPLORER_RUNS.") from error
        return sorted((Run(self.folder / name) for name in names), key=lambda run: (-run.number, run.name))

    def find(self, name: str) -> Run:
        """By its name or its number. Raises UnknownName with the nearest one."""
        runs = {run.name: run for run in self.runs()}
        numbers = {str(run.number): run for run in runs.values()}
        return numbers[name.lstrip("0")] if name.isdecimal() and name.lstrip("0") in numbers else look_up(runs, name, "run")

    def same(self, specification: Specification) -> Run | None:
        """The newest run of the same specification."""
        mark = specification.fingerprint[:8]
        for run in self.runs():
            if run.name.endswith(mark) and (seen := snapshot(run.folder)).specification == specification and seen.state != "unreadable":
                return run
        return None

    def submit(self, specification: Specification, start: Callable[[Path], object] | None = None, placement: Placement | None = None) -> Run:
        """The run of this specification: a finished or a living one as it is, one that was stopped goes on, else a new one, at the placement.
        `start` launches it. Raises OutputError, RunError, or ConfigurationError for a placement that cannot be."""
        with self._alone():
            known = self.same(specification)
            if known is not None and known.snapshot().state in (*ACTIVE, "finished"):
                return known
            run = known or self._create(specification)
            try:
                with tried(run.folder, placement):
                    (start or start_anywhere)(run.folder)
            except ExplorerError:
                if known is None:
                    shutil.rmtree(run.folder, ignore_errors=True)
                raise
        return run

    def retry(self, run: Run, start: Callable[[Path], object] | None = None, placement: Placement | None = None) -> None:
        """Go on with a run that was stopped, from what it has done so far, at the same placement or at another. Raises RunError for one that lives or
        has finished."""
        with self._alone():
            state = run.snapshot().state
            if state in (*ACTIVE, "finished", "unreadable"):
                raise RunError(f"{run.name} is {state}: only a run that failed, was interrupted or cancelled can go on.")
            with tried(run.folder, placement):
                (start or start_anywhere)(run.folder)

    def delete(self, run: Run) -> None:
        """Remove a run with all its results, and what its worker may have left behind. Raises RunError for one that lives, or OutputError."""
        if not run.folder.is_dir():
            raise RunError(f"{run.name} is gone already.")
        with guarded(run.folder):
            if locks.is_held(run.folder / events.LOCK) or slurm_queue.has_live_jobs(run.folder) or not processes.kill(run.folder):
                raise RunError(f"{run.name} is being carried out. Cancel it first.")
            hidden = self.folder / f".deleted-{run.name}-{secrets.token_hex(4)}"
            try:
                os.rename(run.folder, hidden)
            except OSError as error:
                raise OutputError(f"{run.folder} could not be deleted: {error.strerror}.") from error
        shutil.rmtree(hidden, ignore_errors=True)

    def annotate(self, run: Run, label: str, remark: str) -> None:
        """Give a run a label and a remark. Raises OutputError."""
        write_atomically(run.folder / NOTES, json.dumps({"label": label[:200], "remark": remark[:10_000]}).encode())

    def _create(self, specification: Specification) -> Run:
        number = 1 + max((run.number for run in self.runs()), default=0)
        name = f"{number:04d}-{specification.kind}-{specification.fingerprint[:8]}"
        for left in (*self.folder.glob(".new-*"), *self.folder.glob(".deleted-*")):  # by programs that were killed at it
            shutil.rmtree(left, ignore_errors=True)
        hidden = self.folder / f".new-{name}-{secrets.token_hex(4)}"
        try:
            write_atomically(hidden / FILE, specification.text().encode())
            os.rename(hidden, self.folder / name)
        except OSError as error:
            shutil.rmtree(hidden, ignore_errors=True)
            if isinstance(error, OutputError):
                raise
            raise OutputError(f"{self.folder / name} could not be made: {error.strerror}.") from error
        return Run(self.folder / name)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While one program adds a run, no other does."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.folder} could not be made: {error.strerror}. Choose another folder with EXPLORER_RUNS.") from error
        lock = locks.take(self.folder / ".lock", LOCK_SECONDS)
        if lock is None:
            raise RunError(f"{self.folder} has been locked by another program for {LOCK_SECONDS:g} s. Try again, or end that program.")
        with lock:
            yield
