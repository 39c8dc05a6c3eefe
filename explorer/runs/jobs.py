"""The processes of a run beside a worker that was started for it: a job of a scheduler, which may come to lead or to help, and a member of a team."""

import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from explorer import locks
from explorer.errors import Cancelled, ExplorerError

from . import events, processes
from .devices import places, wait_for_place
from .specification import FILE, read_specification
from .team import ALONE, TRAINING, Team, shared_environment, taking_part
from .worker import NICE, lead

OVER = ("finished", "failed", "cancelled")  # for all; one that was interrupted leaves the rest to the others
POLL_SECONDS = 0.5


class Follower:
    """The Progress of one that helps: it tells nothing, and stops when the run has ended or is to."""

    def __init__(self, folder: Path):
        self._folder, self._events, self.asked = folder, len(events.all_events(folder)), False
        self._looked, self._over = -1e9, False

    @property
    def cancelled(self) -> bool:
        if time.monotonic() - self._looked > POLL_SECONDS:
            self._looked, self._over = time.monotonic(), self.over
        return self.asked or self._over

    @property
    def over(self) -> bool:
        """Whether the run has ended since, or is to end."""
        if not (self._folder / FILE).exists() or (self._folder / events.CANCEL).exists():
            return True
        return any(event["event"] in OVER for event in events.all_events(self._folder)[self._events :])

    def advance(self, done: int, total: int, note: str = "") -> None:
        pass

    def partial(self, result: object) -> None:
        pass


def work_in_job(folder: Path, team: Team) -> int:
    """In a job: lead the run where nobody does, else help with it, and lead once nobody does any more. Returns as `work`."""
    os.environ[processes.PART] = f"{os.environ.get('SLURM_JOB_ID', '')}-{os.getpid()}"
    _print_to_log(folder)
    follower = Follower(folder)
    _listen(follower)
    if events.last(folder).get("event") == "finished":
        return 0
    kind = read_specification(folder / FILE).kind
    helped = team.processes == 1 or kind == TRAINING
    while not follower.asked:
        lock = locks.take(folder / events.LOCK, 0.2)
        if lock is not None:
            if events.last(folder).get("event") in ("finished", "failed") and follower.over:
                return 0
            if (folder / events.CANCEL).exists():
                events.append(folder, "cancelled", problem="", time=time.time())
                return 130
            if events.last(folder).get("event") != events.LAUNCHED:
                events.append(folder, events.LAUNCHED, time=time.time(), boot="", backend="slurm", job=os.environ.get("SLURM_JOB_ID", ""))
            return lead(folder, lock, None, team)
        if follower.over:
            return 0
        if not helped:
            with taking_part(shared_environment(False, 0, team.processes, folder)):
                helped = _helped(folder, follower)
        time.sleep(POLL_SECONDS)
    return 130


def help_out(folder: Path, number: int, names: list[str] | None, team: Team) -> int:
    """A member of a team on one machine, which its leader has started and ends. Returns 0, or 1 where it failed."""
    follower = Follower(folder)
    _listen(follower)
    return 0 if _helped(folder, follower, number, names, team) else 1


def _helped(folder: Path, follower: Follower, number: int | None = None, names: list[str] | None = None, team: Team = ALONE) -> bool:
    """Do what is left of the run's work; what only the one that leads writes goes to a folder that is thrown away."""
    from .sharing import help_with

    os.nice(max(0, NICE - os.nice(0)))
    specification, place = read_specification(folder / FILE), None
    device = specification.device
    try:
        if names:
            (device,) = names  # which the one that leads holds for this process
        elif number is not None and device == "cuda":
            every = places(device)
            if team.scheduled:  # they are the job's own
                device = every[number % len(every)]
            else:
                place, device = wait_for_place(every, lambda: _stop(follower))
        with tempfile.TemporaryDirectory() as scratch:
            help_with(folder, Path(scratch), specification, device, follower)
        return True
    except Cancelled:
        return True
    except ExplorerError as error:
        print(f"one that helps has failed: {error}", file=sys.stderr)
        return False
    finally:
        if place is not None:
            place.close()


def _stop(follower: Follower) -> None:
    if follower.cancelled:
        raise Cancelled("the run has ended")


def _print_to_log(folder: Path) -> None:
    """What is printed goes to the run's log, as that of every worker."""
    descriptor = os.open(folder / events.LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.close(descriptor)


def _listen(follower: Follower) -> None:
    def ask(*_) -> None:
        if follower.asked:
            raise KeyboardInterrupt
        follower.asked = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
