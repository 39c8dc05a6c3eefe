"""Starting a worker, ending one, and writing down how one has ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

from explorer.errors import ExplorerError, OutputError, RunError

from . import events, locks, processes
from .devices import places
from .specification import FILE, read_specification
from .state import WITHOUT_A_WORD

PACKAGE = Path(__file__).parents[2]
WORKER = (sys.executable, "-m", "explorer.runs")
WAITING = {"OMP_WAIT_POLICY": "passive"}  # threads that spin while they wait slow each other down sixfold where cores are shared
POLITE_SECONDS, FIRM_SECONDS, GUARD_SECONDS, SETTLE_SECONDS = 10.0, 5.0, 10.0, 1.0

_started: dict[Path, subprocess.Popen] = {}  # by this process, until they are reaped


def launch(folder: Path, worker: Sequence[str] = WORKER) -> None:
    """Start a worker on a run, in a session of its own, and return. The worker is given the run's lock, so that there is no moment
    at which nobody holds it. Raises RunError where one is at work already, or OutputError."""
    with guarded(folder), _worker_lock(folder) as lock:
        specification = read_specification(folder / FILE)
        (folder / events.CANCEL).unlink(missing_ok=True)
        attempt = 1 + sum(event["event"] == "launched" for event in events.all_events(folder))
        events.append(folder, "launched", attempt=attempt, time=time.time(), boot=processes.boot())
        environment = {**WAITING, **os.environ, processes.MARK: str(folder.resolve()), "PYTHONUNBUFFERED": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(PACKAGE), os.environ.get("PYTHONPATH", "")]))
        command = [*worker, str(folder), "--lock", str(lock.descriptor), "--places", ",".join(places(specification.device))]
        try:
            with open(folder / events.LOG, "ab") as log:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                    pass_fds=(lock.descriptor,), start_new_session=True,
                )  # fmt: skip
        except OSError as error:
            raise OutputError(f"no worker could be started for {folder.name}: {error.strerror or error}.") from error
        lock.write(f"{process.pid}\n")
        _started[folder] = process
    Thread(target=_wait, args=(process, folder), name=f"run {folder.name}", daemon=True).start()


def cancel(folder: Path, polite: float = POLITE_SECONDS, firm: float = FIRM_SECONDS, wait: bool = False) -> None:
    """End a run: ask its worker, after `polite` seconds interrupt it, after `firm` more kill all its processes. Returns at once, or when
    they are gone. Raises OutputError where the wish cannot be written down."""
    try:
        (folder / events.CANCEL).touch()
    except OSError as error:
        raise OutputError(f"{folder / events.CANCEL} could not be written: {error.strerror}.") from error
    escalation = Thread(target=_end, args=(folder, polite, firm), name=f"cancel {folder.name}", daemon=True)
    escalation.start()
    if wait:
        escalation.join()


def settle(folder: Path) -> None:
    """Where a worker is gone, end what it has started; where it went without a word, write that down. Leaves a living one alone."""
    try:
        guard = locks.take(folder / events.GUARD, SETTLE_SECONDS)
    except OutputError:
        return
    if guard is None:
        return
    with guard:
        if locks.is_held(folder / events.LOCK):
            return
        processes.kill(folder)
        last = events.last(folder)
        if last.get("event") in events.ENDS:
            return
        event, problem = _ending(folder)
        try:
            events.append(folder, event, problem=problem, time=time.time())
        except OutputError:
            pass  # shown as failed all the same


def guarded(folder: Path) -> locks.Lock:
    """While this is held, nobody starts a worker, and nobody writes down that one is gone. Raises RunError, or OutputError."""
    guard = locks.take(folder / events.GUARD, GUARD_SECONDS)
    if guard is None:
        raise RunError(f"{folder.name} is being started or ended by another program. Try again.")
    return guard


def worker_process(folder: Path) -> int | None:
    """The worker's number, while it lives."""
    try:
        number = int((folder / events.LOCK).read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return number if locks.is_held(folder / events.LOCK) else None


def _worker_lock(folder: Path) -> locks.Lock:
    lock = locks.take(folder / events.LOCK, 0.2)
    if lock is None:
        raise RunError(f"{folder.name} is being carried out already.")
    return lock


def _ending(folder: Path) -> tuple[str, str]:
    if (folder / events.CANCEL).exists():
        return "cancelled", ""
    launched = [event for event in events.all_events(folder) if event["event"] == "launched"]
    if launched and launched[-1].get("boot") not in (None, "", processes.boot()):
        return "interrupted", "the machine was started anew while it ran."
    if not launched:
        return "interrupted", "it was never started: the program that submitted it ended before."
    return "failed", f"{WITHOUT_A_WORD}{_status(folder)}. The end of its log may say why; the system may have been out of memory."


def _status(folder: Path) -> str:
    """How the worker ended, where this process has started it."""
    process = _started.get(folder)
    try:
        status = process.wait(SETTLE_SECONDS) if process else 0
    except subprocess.TimeoutExpired:
        return ""
    return f", killed by {signal.Signals(-status).name}" if status < 0 else f", with exit status {status}" if status else ""


def _wait(process: subprocess.Popen, folder: Path) -> None:
    """Reap the worker, so that no zombie stays, and write down how it ended."""
    process.wait()
    if folder.exists():
        settle(folder)
    if _started.get(folder) is process:
        del _started[folder]


def _end(folder: Path, polite: float, firm: float) -> None:
    for number, seconds in ((signal.SIGTERM, polite), (signal.SIGTERM, firm)):
        worker = worker_process(folder)
        if worker is None:
            break
        processes.send(worker, number)
        until = time.monotonic() + seconds
        while time.monotonic() < until and locks.is_held(folder / events.LOCK):
            time.sleep(0.05)
    worker = worker_process(folder)
    if worker is not None:
        processes.send(worker, signal.SIGKILL)
    processes.kill(folder)
    until = time.monotonic() + firm
    while time.monotonic() < until and locks.is_held(folder / events.LOCK):
        time.sleep(0.02)
    try:
        settle(folder)
    except ExplorerError:
        pass
