"""Whose turn it is: one run at a time on a GPU, a few on the CPU; the rest wait, each for a file lock of its device."""

import os
import platform
import re
import time
from collections.abc import Callable
from pathlib import Path

from explorer import locks
from explorer.errors import ConfigurationError, OutputError
from explorer.locks import Lock

CPU_VARIABLE = "EXPLORER_CPU_RUNS"
SEVERAL = "several.lock"  # of who collects several places
POLL_SECONDS = 0.15
TICKET = re.compile(r"\d{20}-\d+")
TICKET_SECONDS, JUST_MADE_SECONDS = 1.0, 5.0  # a ticket that its owner may be about to lock


def cpu_places() -> int:
    """How many runs may compute on the CPU at once: the variable EXPLORER_CPU_RUNS, else 1. Raises ConfigurationError."""
    text = os.environ.get(CPU_VARIABLE) or "1"
    if not text.isdecimal() or not 1 <= int(text) <= 256:
        raise ConfigurationError([f"{CPU_VARIABLE} = {text[:20]!r}: expected a number of runs, 1 to 256"])
    return int(text)


def places(device: str) -> list[str]:
    """Where a run on that device may compute: `cuda` is any GPU of this machine, `cpu` any of the CPU's places."""
    if device == "cpu":
        return [f"cpu:{number}" for number in range(cpu_places())]
    if device == "cuda":
        import torch

        return [f"cuda:{number}" for number in range(max(1, torch.cuda.device_count()))]
    return [device]


def wait_for_place(names: list[str], stop: Callable[[], None], arrived: int | None = None) -> tuple[Lock, str]:
    """The lock of the first free place, and its name."""
    ((lock, name),) = wait_for_places(names, 1, stop, arrived)
    return lock, name


def wait_for_places(names: list[str], many: int, stop: Callable[[], None], arrived: int | None = None) -> list[tuple[Lock, str]]:
    """The locks of so many places, and their names; among those who wait for the same places, in the order of arrival: when they
    came here, or `arrived`, in nanoseconds of the monotonic clock. Who needs several keeps what it has while it waits for the rest; one at a time
    does so, so that no two wait for each other. `stop` is called while waiting and may raise. Raises OutputError."""
    folder = _folder()
    taken: dict[str, Lock] = {}
    turn: Lock | None = None
    line = folder / ("+".join(names).replace(":", "-")[:200] + ".line")
    line.mkdir(exist_ok=True)
    now = time.monotonic_ns()  # a clock that all processes share, and that nobody sets
    ticket = line / f"{min(arrived or now, now):020d}-{os.getpid()}"
    held = locks.take(ticket, TICKET_SECONDS)  # somebody may be asking whether it is held
    if held is None:
        raise OutputError(f"{ticket} is locked by another process. Try again.")
    try:
        while True:
            if turn or _first(line, ticket.name):  # who collects goes on, whoever comes that was launched before
                turn = turn or (locks.take(folder / SEVERAL) if many > 1 else None)
                for name in names if turn or many == 1 else ():
                    if len(taken) < many and name not in taken and (lock := locks.take(folder / f"{name.replace(':', '-')}.lock")) is not None:
                        taken[name] = lock
                if len(taken) == many:
                    return [(taken[name], name) for name in names if name in taken]
            stop()
            time.sleep(POLL_SECONDS)
    except BaseException:
        for lock in taken.values():
            lock.close()
        raise
    finally:
        ticket.unlink(missing_ok=True)
        held.close()
        if turn:
            turn.close()


def _first(line: Path, own: str) -> bool:
    """Whether nobody who lives has waited longer. Tickets of the dead are swept."""
    for name in sorted(filter(TICKET.fullmatch, os.listdir(line))):
        if name >= own:
            return True
        if locks.is_held(line / name):
            return False
        _sweep(line / name)
    return True


def _sweep(ticket: Path) -> None:
    try:
        if time.time() - ticket.stat().st_mtime > JUST_MADE_SECONDS:
            ticket.unlink()
    except OSError:
        pass


def _folder() -> Path:
    """The machine's devices are shared by all stores of a user. In the user's own cache: what lies in a folder for all, anybody may plant."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "perturbation-set-explorer" / "devices" / platform.node()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} could not be made: {error.strerror}. Name a folder that can be written in XDG_CACHE_HOME.") from error
    return folder
