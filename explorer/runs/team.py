"""Several processes that carry out one run together. One leads: it holds the run's lock and writes what is found. The others compute with it, and
end with it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import events, processes
from .specification import Specification

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
            return f"the {self.seconds / 60:g} minutes of its job were nearly over. Retry goes on from there; ask for more time."
        return "the cluster took its node back. Retry goes on from there."

    @contextmanager
    def joined(self, folder: Path, specification: Specification) -> Iterator[None]:
        """The members beside this process, for as long as it works: started here, but for those that are jobs of their own. What this process does
        meanwhile it does as one of several."""
        if self.processes == 1:
            yield
            return
        together = specification.kind == TRAINING
        meeting = folder / f".{MEETING}-{os.getpid()}-{time.time_ns()}"
        own = range(1, self.processes) if together or not self.scheduled else ()
        command = [sys.executable, "-m", "explorer.runs", str(folder), "--processes", str(self.processes)]
        command += ["--scheduled", str(self.seconds)] if self.scheduled else []
        members = []
        try:
            with open(folder / events.LOG, "ab") as log:
                for number in own:
                    environment = {**os.environ, **shared_environment(together, number, self.processes, meeting)}
                    members.append(subprocess.Popen([*command, "--member", str(number)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment))
            with taking_part(shared_environment(together, 0, self.processes, meeting)):
                yield
        finally:
            for member in members:
                processes.send(member.pid, 9)
            for member in members:
                member.wait()
            meeting.unlink(missing_ok=True)


ALONE = Team()


def shared_environment(together: bool, number: int, many: int, meeting: Path) -> dict[str, str]:
    """What tells a process that it is one of several."""
    common = {"EXPLORER_SHARES": str(many)}
    if together:
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
