"""What Slurm's queue says of a run's jobs, and ending them there. Taken from squeue and scontrol, which need no accounting."""

import hashlib
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from explorer.errors import RunError

from .placement import read_placement

ASK_SECONDS, FRESH_SECONDS, SILENT_SECONDS = 20, 1.0, 30.0  # who does not answer is not asked at every look at a page
FIELDS = "%j|%A|%T|%r|%N"
ENDED = ("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "TIMEOUT", "REVOKED")
WAITING = ("PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD")
REASONS = {
    "None": "Slurm has not looked at it yet", "Resources": "all that it could take is busy", "Priority": "others come first", "BeginTime": "requeued: Slurm lets some time pass",
    "Dependency": "it waits for another job", "JobHeldUser": "it is held: scontrol release lets it go", "JobHeldAdmin": "an administrator holds it",
    "PartitionDown": "the partition is down", "PartitionInactive": "the partition is inactive", "PartitionTimeLimit": "it asks for more time than the partition gives",
    "PartitionNodeLimit": "it asks for more than the partition's nodes have", "ReqNodeNotAvail": "its node is not available", "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions": "the nodes it needs are down, drained or reserved",
    "QOSMaxJobsPerUserLimit": "as many jobs of this user run as are allowed", "AssocGrpCpuLimit": "the group's share of cores is used up", "Licenses": "it waits for a licence",
}  # fmt: skip


@dataclass(frozen=True)
class Job:
    """A job, or one of an array, as Slurm tells of it."""

    number: str
    state: str
    reason: str = ""
    node: str = ""

    @property
    def live(self) -> bool:
        """Its processes may still be there, or are to come."""
        return self.state not in ENDED

    @property
    def waiting(self) -> bool:
        return self.state in WAITING


@dataclass(frozen=True)
class Queue:
    """The jobs of one run, the newest first; `problem` says why they are not known."""

    jobs: tuple[Job, ...] = ()
    problem: str = ""

    @property
    def live(self) -> bool:
        return any(job.live for job in self.jobs)

    @property
    def told(self) -> str:
        """What a waiting run waits for, in words; empty where nothing does."""
        if self.problem:
            return self.problem
        live = [job for job in self.jobs if job.live]
        if not live:
            return ""
        waiting, starting = [job for job in live if job.waiting], [job for job in live if not job.waiting]
        if starting:
            one = starting[0]
            return f"Slurm job {one.number} is {one.state.lower()} on {one.node or 'a node'}"
        reason = waiting[0].reason.split(",")[0].strip("()") if waiting[0].reason not in REASONS else waiting[0].reason
        return f"Slurm job {waiting[0].number} waits: {reason}" + (f" ({REASONS[reason]})" if reason in REASONS else "")


def job_name(folder: Path) -> str:
    """Of all jobs of a run, so that they are found again by whoever looks."""
    return f"{folder.name}-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]}"


def queue_of(folder: Path, fresh: bool = False) -> Queue:
    """The run's jobs, from an answer that is at most a second old."""
    try:
        return Queue(_all_jobs(0.0 if fresh else FRESH_SECONDS).get(job_name(folder), ()))
    except RunError as error:
        return Queue(problem=str(error))


def has_live_jobs(folder: Path) -> bool:
    """Whether jobs of a run that was put there are in the queue, or may be."""
    if not read_placement(folder).in_slurm:
        return False
    queue = queue_of(folder, fresh=True)
    return bool(queue.live or queue.problem)


def cancel_jobs(folder: Path, waiting_only: bool = False) -> None:
    """Take the run's jobs out of the queue; those that run are asked to end and killed after Slurm's KillWait. Raises RunError."""
    _asked("scancel", "--quiet", f"--name={job_name(folder)}", *(["--state=PENDING"] if waiting_only else []))
    forget()


def exit_code(job: Job) -> str:
    """`status:signal` of a job that has ended; empty where Slurm has forgotten it."""
    try:
        found = re.search(r"\bExitCode=(\d+:\d+)", _asked("scontrol", "show", "job", "-o", job.number))
    except RunError:
        return ""
    return found[1] if found else ""


def partitions() -> dict[str, bool]:
    """The partitions by name, and whether a job goes there that names none. Raises RunError where there is no Slurm."""
    names = _asked("sinfo", "-h", "-o", "%P").split()
    return {name.rstrip("*"): name.endswith("*") for name in names}


def has_slurm() -> bool:
    """Whether this machine can submit jobs."""
    return all(shutil.which(name) for name in ("sbatch", "squeue", "scontrol", "scancel"))


def forget() -> None:
    """The next question is put to Slurm."""
    with _guard:
        _known[:] = [(-1e9, {}, "")]


_guard = Lock()
_known: list[tuple[float, dict[str, tuple[Job, ...]], str]] = [(-1e9, {}, "")]


def _all_jobs(age: float) -> dict[str, tuple[Job, ...]]:
    with _guard:
        asked, jobs, problem = _known[0]
        if time.monotonic() - asked > (SILENT_SECONDS if problem and age else age):
            try:
                jobs, problem = _parsed(_asked("squeue", "-h", "-a", "-r", "-t", "all", "-o", FIELDS)), ""
            except RunError as error:
                jobs, problem = {}, str(error)
            _known[0] = (time.monotonic(), jobs, problem)
    if problem:
        raise RunError(problem)
    return jobs


def _parsed(text: str) -> dict[str, tuple[Job, ...]]:
    found: dict[str, list[Job]] = {}
    for line in text.splitlines():
        name, number, state, reason, node = [part.strip() for part in (line.split("|") + [""] * 5)[:5]]
        found.setdefault(name, []).append(Job(number, state, reason, node))
    return {name: tuple(sorted(jobs, key=lambda job: -int(job.number) if job.number.isdecimal() else 0)) for name, jobs in found.items()}


def _asked(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASK_SECONDS, stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"})
    except FileNotFoundError:
        raise RunError(f"Slurm is not on this machine: there is no {command[0]}. Submit from a machine of the cluster, or choose the back end local.") from None
    except subprocess.TimeoutExpired:
        raise RunError(f"Slurm has not answered for {ASK_SECONDS} s ({command[0]}).") from None
    if done.returncode:
        said = " ".join(done.stderr.split())[:300] or f"exit status {done.returncode}"
        raise RunError(f"Slurm does not answer: {said}.")
    return done.stdout
