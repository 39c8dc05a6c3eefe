"""Writing down how a worker has ended that did not say so itself."""

import contextlib
import time
from pathlib import Path

from explorer import locks
from explorer.errors import OutputError, RunError

from . import events, processes, slurm_queue
from .holding import last_holder
from .placement import read_placement
from .state import WITHOUT_A_WORD

SETTLE_SECONDS = 1.0


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


def _ending(folder: Path) -> tuple[str, str]:
    if (folder / events.CANCEL).exists():
        return "cancelled", ""
    if read_placement(folder).in_slurm:
        return _ending_in_slurm(folder)
    launches = events.launches(folder)
    if launches and launches[-1].get("boot") not in (None, "", processes.boot()):
        return "interrupted", "the machine was started anew while it ran."
    if not launches or not last_holder(folder):
        return "interrupted", "it was never started: the program that submitted it ended before."
    return "failed", f"{WITHOUT_A_WORD}{processes.how_ended(folder)}. The end of its log may say why; the system may have been out of memory."


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
        "TIMEOUT": ("interrupted", f"the time limit of {where} ({minutes} min) was reached. It can go on from there; ask for more time."),
        "DEADLINE": ("interrupted", f"the deadline of {where} has passed. It can go on from there."),
        "NODE_FAIL": ("interrupted", f"{node} has failed under {where}. It can go on from there."),
        "BOOT_FAIL": ("interrupted", f"{node} could not be started for {where}. Retry."),
        "PREEMPTED": ("interrupted", f"{where} had to make room for another. It can go on from there."),
        "CANCELLED": ("cancelled", f"{where} was cancelled in Slurm."),
    }
    if unseen:
        return "failed", f"{where} could not write to {folder.parent} on {node}: the store must lie in a folder that all nodes share. Set EXPLORER_RUNS to one."
    return told.get(job.state, ("failed", f"{WITHOUT_A_WORD} on {node} ({where}: {job.state.lower()}{', exit code ' + code if code else ''}). The end of its log may say why; the system may have been out of memory."))
