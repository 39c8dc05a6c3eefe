"""Starting a worker, ending one, and writing down how one has ended."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread

from explorer import locks
from explorer.errors import ExplorerError, OutputError, RunError

from . import events, processes, slurm_queue
from .devices import places
from .placement import read_placement
from .specification import FILE, read_specification
from .state import WITHOUT_A_WORD

PACKAGE = Path(__file__).parents[2]
WORKER = (sys.executable, "-m", "explorer.runs")
WAITING = {"OMP_WAIT_POLICY": "passive"}  # threads that spin while they wait slow each other down sixfold where cores are shared
POLITE_SECONDS, FIRM_SECONDS, GUARD_SECONDS, SETTLE_SECONDS = 10.0, 5.0, 10.0, 1.0
SLURM_POLL_SECONDS = 0.3

_started: dict[Path, subprocess.Popen] = {}  # by this process, until they are reaped


def launch(folder: Path, worker: Sequence[str] = WORKER) -> None:
    """Start a worker on a run, in a session of its own, and return. The worker is given the run's lock, so that there is no moment
    at which nobody holds it. Raises RunError where one is at work already or the run has finished, ConfigurationError, or OutputError."""
    if not folder.is_dir():
        raise RunError(f"{folder.name} is gone: it was deleted.")
    with guarded(folder), worker_lock(folder) as lock:
        if events.last(folder).get("event") == "finished":
            raise RunError(f"{folder.name} has finished already.")
        names = places(read_specification(folder / FILE).device)
        lock.write("")  # whoever held it before is gone
        (folder / events.CANCEL).unlink(missing_ok=True)
        attempt = 1 + len(events.launches(folder))
        events.append(folder, events.LAUNCHED, attempt=attempt, time=time.time(), arrived=time.monotonic_ns(), boot=processes.boot())
        environment = {**WAITING, **os.environ, processes.MARK: str(folder.resolve()), "PYTHONUNBUFFERED": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(PACKAGE), os.environ.get("PYTHONPATH", "")]))
        command = [*worker, str(folder), "--lock", str(lock.descriptor), "--places", ",".join(names)]
        if (many := read_placement(folder).processes) > 1:
            command += ["--processes", str(many)]
        try:
            with open(folder / events.LOG, "ab") as log:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                    pass_fds=(lock.descriptor,), start_new_session=True,
                )  # fmt: skip
        except OSError as error:
            raise OutputError(f"no worker could be started for {folder.name}: {error.strerror or error}.") from error
        _started[folder] = process
        Thread(target=_wait, args=(process, folder), name=f"run {folder.name}", daemon=True).start()
        with contextlib.suppress(OSError):  # the worker writes its number too
            lock.write(f"{process.pid}\n")


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
        if slurm_queue.has_live_jobs(folder):
            if (folder / events.CANCEL).exists():
                with contextlib.suppress(RunError):
                    slurm_queue.cancel_jobs(folder, waiting_only=True)
            return
        if not processes.kill(folder):
            return
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
    number = _holder(folder)
    return number if number and locks.is_held(folder / events.LOCK) else None


def _holder(folder: Path) -> int | None:
    """Who has written its number into the lock, living or not."""
    try:
        return int((folder / events.LOCK).read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def worker_lock(folder: Path) -> locks.Lock:
    lock = locks.take(folder / events.LOCK, 0.2)
    if lock is None:
        raise RunError(f"{folder.name} is being carried out already.")
    return lock


def _ending(folder: Path) -> tuple[str, str]:
    if (folder / events.CANCEL).exists():
        return "cancelled", ""
    if read_placement(folder).in_slurm:
        return _ending_in_slurm(folder)
    launches = events.launches(folder)
    if launches and launches[-1].get("boot") not in (None, "", processes.boot()):
        return "interrupted", "the machine was started anew while it ran."
    if not launches or not _holder(folder):
        return "interrupted", "it was never started: the program that submitted it ended before."
    return "failed", f"{WITHOUT_A_WORD}{_status(folder)}. The end of its log may say why; the system may have been out of memory."


def _ending_in_slurm(folder: Path) -> tuple[str, str]:
    """What became of a run whose worker has said nothing, from what Slurm still knows of its newest job that did not end well."""
    jobs = slurm_queue.queue_of(folder).jobs
    newest = [job for job in jobs if job.number == jobs[0].number]
    job = next((job for job in newest if job.state != "COMPLETED"), newest[0] if newest else None)
    if job is None:
        return "failed", f"{WITHOUT_A_WORD}, and Slurm does not know its job any more. The end of its log may say why."
    where, code = f"Slurm job {job.number}", slurm_queue.exit_code(job)
    minutes, node = read_placement(folder).minutes, job.node or "its node"
    unseen = job.state in ("FAILED", "NODE_FAIL") and not any((folder / "slurm").glob(f"{job.number}*.err"))
    told = {
        "OUT_OF_MEMORY": ("failed", f"out of memory on {node} ({where}). Ask for more memory, or use a smaller batch_size."),
        "TIMEOUT": ("interrupted", f"the {minutes} minutes of {where} were over. Retry goes on from there; ask for more time."),
        "DEADLINE": ("interrupted", f"the deadline of {where} has passed. Retry goes on from there."),
        "NODE_FAIL": ("interrupted", f"{node} has failed under {where}. Retry goes on from there."),
        "BOOT_FAIL": ("interrupted", f"{node} could not be started for {where}. Retry."),
        "PREEMPTED": ("interrupted", f"{where} had to make room for another. Retry goes on from there."),
        "CANCELLED": ("cancelled", f"{where} was cancelled in Slurm."),
    }
    if unseen:
        return "failed", f"{where} could not write to {folder.parent} on {node}: the store must lie in a folder that all nodes share. Set EXPLORER_RUNS to one."
    return told.get(job.state, ("failed", f"{WITHOUT_A_WORD} on {node} ({where}: {job.state.lower()}{', exit code ' + code if code else ''}). The end of its log may say why; the system may have been out of memory."))


def _status(folder: Path) -> str:
    """How the worker ended, where this process has started it."""
    process = _started.get(folder)
    try:
        status = process.wait(SETTLE_SECONDS) if process else 0
    except subprocess.TimeoutExpired:
        return ""
    return f", killed by {_signal_name(-status)}" if status < 0 else f", with exit status {status}" if status else ""


def _wait(process: subprocess.Popen, folder: Path) -> None:
    """Reap the worker, so that no zombie stays, and write down how it ended."""
    process.wait()
    if folder.exists():
        settle(folder)
    if _started.get(folder) is process:
        del _started[folder]


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


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
