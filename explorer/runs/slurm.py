"""Slurm as a back end: the same worker and the same folder, submitted through submitit. Nothing of a run's results goes through its pickles."""

import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from explorer.errors import ConfigurationError, OutputError, RunError

from . import events, slurm_queue
from .holding import guarded, worker_lock
from .launching import PACKAGE, WAITING, WORKER
from .placement import Placement, placement_problems, read_placement
from .specification import FILE, read_specification

FOLDER = "slurm"  # of a run: submitit's files, and what Slurm itself has to say of its jobs
LAST_SECONDS = 60  # before its time limit a job is asked to end
SAID = {
    "invalid partition": "there is no partition {partition!r}. Choose one of: {known}.",
    "permitted to use this partition": "you may not use the partition {partition!r}. Ask for access, or choose another: {known}.",
    "invalid account": "the account {account!r} is not one of yours. Name another, or none.",
    "time limit": "{minutes} minutes are more than the partition allows. Ask for fewer; a run that is stopped by its limit goes on from there.",
    "generic resource": "the partition has no GPUs ({gpus} for each process were asked for). Choose another partition, or 0.",
    "node configuration is not available": "no node of the partition has what was asked for: {cpus} cores, {gpus} GPUs and {memory} GB for each process. Ask for less.",
    "access/permission denied": "Slurm does not let you submit jobs. Ask the cluster's administrators.",
    "unable to contact": "Slurm's controller does not answer. Try again later, or choose the back end local.",
}  # fmt: skip


def start(folder: Path, worker: Sequence[str] = WORKER) -> None:
    """Put a run into Slurm's queue and return: one job, or an array of as many as share its work; a training is one job whose processes are on one
    node. Raises RunError where it is there already, has finished, or is refused, ConfigurationError, or OutputError."""
    placement = read_placement(folder)
    if problems := slurm_problems(placement):
        raise ConfigurationError(problems)
    with guarded(folder), worker_lock(folder) as lock:
        if events.last(folder).get("event") == "finished":
            raise RunError(f"{folder.name} has finished already.")
        queue = slurm_queue.queue_of(folder, fresh=True)
        if queue.problem or queue.live:
            raise RunError(queue.problem or f"{folder.name} is in Slurm's queue already: {queue.told}.")
        specification = read_specification(folder / FILE)
        lock.write("")
        (folder / events.CANCEL).unlink(missing_ok=True)
        number = _submitted(folder, specification.kind, placement, worker)
        events.append(folder, events.LAUNCHED, attempt=1 + len(events.launches(folder)), time=time.time(), boot="", backend="slurm", job=number)
    slurm_queue.forget()


def slurm_problems(placement: Placement) -> list[str]:
    """All that is wrong with what is asked for, as far as the cluster tells. Raises RunError where there is no Slurm."""
    found, known = placement_problems(placement), slurm_queue.partitions()
    if placement.partition is not None and placement.partition not in known:
        found.append(_said("invalid partition", placement))
    if placement.partition is None and not any(known.values()):
        found.append(f"partition: this cluster has none of its own choice. Choose one of: {', '.join(known)}.")
    return found


def log_tail(folder: Path, lines: int = 30) -> str:
    """The end of what Slurm and the last job have said outside the run's own log."""
    files = sorted((folder / FOLDER).glob("*.err"), key=lambda path: path.stat().st_mtime)
    return "\n".join(files[-1].read_text(errors="replace").splitlines()[-lines:]) if files else ""


def _submitted(folder: Path, kind: str, placement: Placement, worker: Sequence[str]) -> str:
    """The number of the job, or of the first of an array."""
    try:
        from submitit import SlurmExecutor
        from submitit.core.utils import CommandFunction, FailedJobError, FailedSubmissionError
    except ImportError:
        raise RunError("the library submitit is missing. Install it: pip install submitit.") from None
    together = placement.processes if kind == "training" else 1
    jobs = 1 if kind == "training" else placement.processes
    command = CommandFunction([*worker, str(folder), "--scheduled", str(60 * placement.minutes), "--processes", str(placement.processes)], verbose=False)
    try:
        executor = SlurmExecutor(folder / FOLDER, python=shlex.quote(sys.executable))
        executor.update_parameters(**_asked_for(folder, placement, together))
        if jobs == 1:
            return executor.submit(command).job_id
        with executor.batch():
            found = [executor.submit(command) for _ in range(jobs)]
        return found[0].job_id
    except (FailedJobError, FailedSubmissionError) as error:
        raise RunError(f"Slurm has refused {folder.name}: {_in_words(str(error), placement)}") from None
    except OSError as error:
        raise OutputError(f"{folder / FOLDER} could not be written: {error.strerror}.") from error


def _asked_for(folder: Path, placement: Placement, together: int) -> dict:
    """What submitit is given. SIGTERM comes before the time limit: submitit's own signal makes its wrapper kill the worker."""
    path = os.pathsep.join(filter(None, [str(PACKAGE), os.environ.get("PYTHONPATH", "")]))
    setup = [f"export PYTHONPATH={shlex.quote(path)} PYTHONUNBUFFERED=1"]
    setup += [f"export {name}=${{{name}:-{value}}}" for name, value in WAITING.items()]
    early = min(LAST_SECONDS, 30 * placement.minutes)
    cores = max(1, placement.cpus * together)
    optional = {"partition": placement.partition, "account": placement.account, "mem": f"{placement.memory}GB" if placement.memory else None}
    if placement.gpus:
        optional["gpus_per_node"] = placement.gpus * together
    return {
        "job_name": slurm_queue.job_name(folder), "time": placement.minutes, "nodes": 1, "ntasks_per_node": 1, "cpus_per_task": cores, "setup": setup,
        "srun_args": [f"--cpus-per-task={cores}"], "stderr_to_stdout": False,
        "additional_parameters": {"signal": f"TERM@{early}", "requeue": True}, **{name: value for name, value in optional.items() if value is not None},
    }  # fmt: skip


def _in_words(text: str, placement: Placement) -> str:
    said = " ".join(text.split())
    for part in SAID:
        if part in said.lower():
            return _said(part, placement)
    return f"{said[:400] or 'it did not say why'}"


def _said(part: str, placement: Placement) -> str:
    try:
        known = ", ".join(slurm_queue.partitions())
    except RunError:
        known = "see sinfo"
    return SAID[part].format(**{**vars(placement), "known": known, "memory": placement.memory or "the usual"})
