"""The process that carries a run out: wait for the device, do the work, say how it ended."""

import os
import signal
import sys
import time
import traceback
from pathlib import Path

from explorer import locks
from explorer.errors import Cancelled, ExplorerError

from . import events, processes
from .devices import wait_for_places
from .holding import guarded
from .pulse import Pulse
from .specification import FILE, Specification, read_specification
from .team import ALONE, Team, places_of, together

NICE = 10  # pages answer first
WRITTEN = ("results", "batches", "output")  # the parts of a run's folder that only its worker writes


def work(folder: Path, descriptor: int | None = None, names: list[str] | None = None, team: Team = ALONE) -> int:
    """Carry out the run in a folder. Returns 0, 1 where it failed, 130 where it was stopped, 2 where another worker has it."""
    lock = locks.Lock(descriptor) if descriptor is not None else _taken_by_hand(folder)
    if lock is None:
        print(f"{folder.name} is being carried out already.", file=sys.stderr)
        return 2
    return lead(folder, lock, names, team)


def lead(folder: Path, lock: locks.Lock, names: list[str] | None, team: Team) -> int:
    """Carry out the run whose lock is held: as its one worker, or as the one of several that writes down how far it is and what it finds."""
    _keep_from_children(lock)
    lock.write(f"{os.getpid()}\n")
    os.nice(NICE)
    asked: list[int] = []
    pulse = None
    try:
        pulse = Pulse(folder)
        _listen(pulse, asked)
        pulse.begin()
        if team.processes == 1:  # else another may be writing
            sweep(folder)
        _carry_out(folder, pulse, names, team)
        end, problem, status = "finished", "", 0
    except (Cancelled, KeyboardInterrupt):
        wished = signal.SIGTERM not in asked or (folder / events.CANCEL).exists()
        end, problem, status = ("cancelled", "", 130) if wished else ("interrupted", team.ended_by, 130)
    except ExplorerError as error:
        print(f"error: {error}", file=sys.stderr)
        end, problem, status = "failed", str(error), 1
    except BaseException as error:  # nobody else could tell
        traceback.print_exc()
        end, problem, status = "failed", _told(error), 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    seconds = 0.0
    if pulse is not None:
        pulse.end()
        seconds = round(pulse.seconds, 3)
    processes.kill(folder)
    try:
        events.append(folder, end, problem=problem, seconds=seconds, time=time.time())
    except ExplorerError as error:
        print(f"{end}, which could not be written down: {error}", file=sys.stderr)
        return 1
    return status  # the lock goes with the process: a run has ended when nothing of it is left


def sweep(folder: Path) -> None:
    """Remove what a killed worker left half-written: files that never got their name."""
    for part in WRITTEN:
        for path in (folder / part).rglob(".*.*"):
            if path.is_file():
                path.unlink(missing_ok=True)


def _keep_from_children(lock: locks.Lock) -> None:
    """What this process starts must not hold the lock on when it is gone."""
    os.set_inheritable(lock.descriptor, False)
    os.register_at_fork(after_in_child=lock.close)


def _taken_by_hand(folder: Path) -> locks.Lock | None:
    with guarded(folder):
        lock = locks.take(folder / events.LOCK, 0.2)
        if lock is not None:
            (folder / events.CANCEL).unlink(missing_ok=True)
            events.append(folder, events.LAUNCHED, time=time.time(), boot=processes.boot())
        return lock


def _carry_out(folder: Path, pulse: Pulse, names: list[str] | None, team: Team) -> None:
    specification = read_specification(folder / FILE)
    if team.scheduled:  # whoever has given the job its device keeps all others from it
        pulse.compute_on(specification.device)
        with team.joined(folder, specification):
            _compute(folder, specification, specification.device, pulse)
        return

    def stop() -> None:
        if pulse.cancelled:
            raise Cancelled("stopped on request")

    allowed = names or places_of(specification, team.processes)
    held = wait_for_places(allowed, together(specification, team.processes), stop, _arrived(folder))
    for place, _ in held:
        _keep_from_children(place)  # and never given back: who comes next finds the device as free as only an ended process leaves it
    device = held[0][1]
    pulse.compute_on(" + ".join(name for _, name in held))
    with team.joined(folder, specification, held):
        _compute(folder, specification, device.partition(":")[0] if device.startswith("cpu") else device, pulse)


def _arrived(folder: Path) -> int | None:
    """When this worker was launched: those who start at once would else stand in line as chance has it."""
    launches = events.launches(folder)
    arrived = launches[-1].get("arrived") if launches else None
    return arrived if type(arrived) is int and arrived > 0 else None


def _compute(folder: Path, specification: Specification, device: str, pulse: Pulse) -> None:
    from .sharing import compute

    compute(folder, specification, device, pulse)


def _listen(pulse: Pulse, asked: list[int]) -> None:
    """The first SIGTERM or Ctrl-C asks the work to stop, the second interrupts it. They are put into `asked`."""

    def ask(number: int, _) -> None:
        asked.append(number)
        if len(asked) > 1:
            raise KeyboardInterrupt
        pulse.cancelled = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)


def _told(error: BaseException) -> str:
    name = type(error).__name__
    if "OutOfMemory" in name or isinstance(error, MemoryError):
        return f"out of memory ({name}). Use a smaller batch_size, or a device with more memory."
    return f"{name}: {error}"
