"""The process that carries a run out: wait for the device, do the work, say how it ended."""

import os
import signal
import sys
import time
import traceback
from pathlib import Path

from explorer.errors import Cancelled, ExplorerError

from . import events, locks, processes
from .devices import places, wait_for_place
from .launching import guarded
from .pulse import Pulse
from .specification import FILE, Specification, read_specification

NICE = 10  # pages answer first


def work(folder: Path, descriptor: int | None = None, names: list[str] | None = None) -> int:
    """Carry out the run in a folder. Returns 0, 1 where it failed, 130 where it was cancelled, 2 where another worker has it."""
    lock = locks.Lock(descriptor) if descriptor is not None else _taken_by_hand(folder)
    if lock is None:
        print(f"{folder.name} is being carried out already.", file=sys.stderr)
        return 2
    lock.write(f"{os.getpid()}\n")
    os.nice(NICE)
    pulse = Pulse(folder)
    _listen(pulse)
    try:
        pulse.begin()
        sweep(folder)
        _carry_out(folder, pulse, names)
        end, problem, status = "finished", "", 0
    except (Cancelled, KeyboardInterrupt):
        end, problem, status = "cancelled", "", 130
    except ExplorerError as error:
        print(f"error: {error}", file=sys.stderr)
        end, problem, status = "failed", str(error), 1
    except BaseException as error:  # nobody else could tell
        traceback.print_exc()
        end, problem, status = "failed", _told(error), 1
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pulse.end()
    processes.kill(folder)
    events.append(folder, end, problem=problem, seconds=round(pulse.seconds, 3), time=time.time())
    return status  # the lock goes with the process: a run has ended when nothing of it is left


def sweep(folder: Path) -> None:
    """Remove what a killed worker left half-written: files that never got their name."""
    for path in folder.rglob(".*.*"):
        if path.is_file():
            path.unlink(missing_ok=True)


def _taken_by_hand(folder: Path) -> locks.Lock | None:
    with guarded(folder):
        lock = locks.take(folder / events.LOCK, 0.2)
        if lock is not None:
            (folder / events.CANCEL).unlink(missing_ok=True)
            events.append(folder, "launched", time=time.time(), boot=processes.boot())
        return lock


def _carry_out(folder: Path, pulse: Pulse, names: list[str] | None) -> None:
    specification = read_specification(folder / FILE)

    def stop() -> None:
        if pulse.cancelled:
            raise Cancelled("stopped on request")

    place, device = wait_for_place(names or places(specification.device), stop)
    with place:
        pulse.compute_on(device)
        _compute(folder, specification, device.partition(":")[0] if device.startswith("cpu") else device, pulse)


def _compute(folder: Path, specification: Specification, device: str, pulse: Pulse) -> None:
    import torch

    from explorer.hardware import available_cores, describe_device, pick_device

    from .devices import cpu_places
    from .kinds import opened
    from .task import Task

    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, available_cores() // (cpu_places() if device == "cpu" else 1)))
    kind, inputs, parameters = opened(specification)
    target = pick_device(device)
    print(f"{specification.kind} on {describe_device(target)}", file=sys.stderr)
    kind.work(Task(folder, inputs, parameters, target, specification.seed, pulse))


def _listen(pulse: Pulse) -> None:
    """The first SIGTERM or Ctrl-C asks the work to stop, the second interrupts it."""

    def ask(*_) -> None:
        if pulse.cancelled:
            raise KeyboardInterrupt
        pulse.cancelled = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)


def _told(error: BaseException) -> str:
    name = type(error).__name__
    if "OutOfMemory" in name or isinstance(error, MemoryError):
        return f"out of memory ({name}). Use a smaller batch_size, or a device with more memory."
    return f"{name}: {error}"
