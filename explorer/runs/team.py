"""Several processes that carry out one run together. One leads: it holds the run's lock and writes what is found. The others compute with it, and
end with it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from explorer.errors import ConfigurationError
from explorer.locks import Lock

from . import events, processes
from .devices import places
from .specification import Specification

MEMBER = (sys.executable, "-m", "explorer.runs")
TRAINING = "training"  # whose processes meet at every step; those of every other kind take batches from one folder
MEETING = "meeting"  # of a run: the file through which a training's processes find each other


@dataclass(frozen=True)
class Team:
    """How many processes there are, and for how many seconds a scheduler lets them work; none: it was started on this machine."""

    processes: int = 1
    seconds: float | None = None
    began: float = 0.0

    def __post_init__(self):
        object.__setattr__(self, "began", self.began or time.monotonic())

    @property
    def scheduled(self) -> bool:
        return self.seconds is not None

    @property
    def ended_by(self) -> str:
        """Why the system has asked a worker to end."""
        if self.seconds is None:
            return "the system asked the worker to end."
        early = min(60.0, self.seconds / 2) + 15
        if time.monotonic() - self.began > self.seconds - early:
            return f"the time limit of its job ({self.seconds / 60:g} min) was near. It can go on from there; ask for more time."
        return "the cluster took its node back. It can go on from there."

    @contextmanager
    def joined(self, folder: Path, specification: Specification, held: Sequence[tuple[Lock, str]] = ()) -> Iterator[None]:
        """The members beside this process, for as long as it works: started here, but for those that are jobs of their own. What this process does
        meanwhile it does as one of several. Of the places that are `held` for all, each member has its own, and holds it too."""
        if self.processes == 1:
            yield
            return
        meets = specification.kind == TRAINING
        meeting = folder / f".{MEETING}-{os.getpid()}-{time.time_ns()}"
        own = range(1, self.processes) if meets or not self.scheduled else ()
        command = [*MEMBER, str(folder), "--processes", str(self.processes)]
        command += ["--scheduled", str(self.seconds)] if self.scheduled else []
        members = []
        try:
            with open(folder / events.LOG, "ab") as log:
                for number in own:
                    environment = {**os.environ, **shared_environment(meets, number, self.processes, meeting)}
                    locks, options = (), []
                    if number < len(held):
                        locks, options = (held[number][0].descriptor,), ["--places", held[number][1]]
                    options += ["--member", str(number)]
                    members.append(subprocess.Popen([*command, *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, pass_fds=locks))
            with taking_part(shared_environment(meets, 0, self.processes, meeting)):
                yield
        finally:
            for member in members:
                processes.send(member.pid, 9)
            for member in members:
                member.wait()
            meeting.unlink(missing_ok=True)


ALONE = Team()


def together(specification: Specification, processes: int) -> int:
    """How many places a run must have before it begins. On GPUs each process of a training has its own; in work of every other kind more come when
    theirs is free."""
    return processes if specification.kind == TRAINING and specification.device.startswith("cuda") else 1


def places_of(specification: Specification, processes: int) -> list[str]:
    """Where a run may compute on this machine. Raises ConfigurationError where that is too few."""
    names, needed = places(specification.device), together(specification, processes)
    if needed > len(names):
        more = "Choose the device cuda, or 1 process." if specification.device != "cuda" else f"Ask for at most {len(names)}."
        raise ConfigurationError([f"processes = {needed}: each process of a training needs a GPU of its own, and {specification.device} is {len(names)} here. {more}"])
    return names


def shared_environment(meets: bool, number: int, many: int, meeting: Path) -> dict[str, str]:
    """What tells a process that it is one of several."""
    common = {"EXPLORER_SHARES": str(many)}
    if meets:
        common |= {"EXPLORER_RANK": str(number), "EXPLORER_WORLD": str(many), "EXPLORER_MEETING": str(meeting)}
    return common


@contextmanager
def taking_part(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
