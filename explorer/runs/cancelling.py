"""Ending a run because somebody wishes it."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

from explorer import locks
from explorer.errors import ExplorerError, OutputError

from . import events, processes, slurm_queue
from .endings import settle
from .holding import guarded, worker_process
from .placement import read_placement

POLITE_SECONDS, FIRM_SECONDS, SLURM_POLL_SECONDS = 10.0, 5.0, 0.3


def cancel(folder: Path, polite: float = POLITE_SECONDS, firm: float = FIRM_SECONDS, wait: bool = False) -> None:
    """End a run: ask its worker, after `polite` seconds interrupt it, after `firm` more kill all its processes. Returns at once, or when
    they are gone. Where somebody has asked before, the worker is not asked again. Raises OutputError where the wish cannot be written."""
    try:
        os.close(os.open(folder / events.CANCEL, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        first = True
    except FileExistsError:
        first = False
    except OSError as error:
        raise OutputError(f"{folder / events.CANCEL} could not be written: {error.strerror}.") from error
    escalation = Thread(target=_end, args=(folder, polite, firm, first), name=f"cancel {folder.name}", daemon=True)
    escalation.start()
    if wait:
        escalation.join()


def _end(folder: Path, polite: float, firm: float, first: bool) -> None:
    """Of the worker that lived when the wish was written, and of no later one: a new start takes the wish away."""
    wish = _wish(folder)

    def lives() -> bool:
        return locks.is_held(folder / events.LOCK) and _wish(folder) == wish

    if read_placement(folder).in_slurm:
        _end_in_slurm(folder, polite + firm, lambda: _wish(folder) == wish)
        return

    for ask, seconds in ((first, polite), (True, firm)):
        if ask and lives() and (worker := worker_process(folder)):
            processes.send(worker, signal.SIGTERM)
        until = time.monotonic() + seconds
        while time.monotonic() < until and lives():
            time.sleep(0.05)
    with contextlib.suppress(ExplorerError):
        if lives():
            with guarded(folder):
                if lives():
                    if worker := worker_process(folder):
                        processes.kill_group(worker)
                    processes.kill(folder)
        until = time.monotonic() + firm
        while time.monotonic() < until and lives():
            time.sleep(0.02)
        settle(folder)


def _end_in_slurm(folder: Path, patience: float, wished: Callable[[], bool]) -> None:
    """Jobs that wait leave the queue; workers see the wish themselves, or are ended by Slurm. It has ended when Slurm counts no process of theirs."""
    with contextlib.suppress(ExplorerError):
        slurm_queue.cancel_jobs(folder, waiting_only=True)
        started, told = time.monotonic(), False
        while wished() and slurm_queue.has_live_jobs(folder):
            if not told and time.monotonic() - started > patience:
                slurm_queue.cancel_jobs(folder)
                told = True
            time.sleep(SLURM_POLL_SECONDS)
        if wished():
            settle(folder)


def _wish(folder: Path) -> tuple[int, int] | None:
    """Which wish to end the run there is."""
    try:
        state = os.stat(folder / events.CANCEL)
        return state.st_ino, state.st_mtime_ns
    except OSError:
        return None
