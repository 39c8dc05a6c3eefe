"""The processes of a run: its worker, and whatever that has started."""

import contextlib
import os
import signal
import time
from pathlib import Path

MARK = "EXPLORER_RUN"  # in the environment of a worker and of all that it starts: the run's folder
PROC = Path("/proc")


def members(folder: Path) -> list[int]:
    """The living processes of a run, without this one; a zombie does not live. Empty where the system has no /proc."""
    mark = f"{MARK}={folder.resolve()}".encode()
    found = []
    for entry in PROC.glob("[0-9]*"):
        try:
            if int(entry.name) == os.getpid() or (entry / "stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                continue
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except (OSError, ValueError):
            continue
    return found


def kill(folder: Path, seconds: float = 5.0) -> bool:
    """Kill every process of a run but this one. Returns whether all are gone."""
    until = time.monotonic() + seconds
    while left := members(folder):
        for process in left:
            send(process, signal.SIGKILL)
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def kill_group(leader: int) -> None:
    """Kill a worker and its group, where it leads one; where there is no /proc this is all that is known of its children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL) if os.getpgid(leader) == leader != os.getpgrp() else os.kill(leader, signal.SIGKILL)


def send(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except (ProcessLookupError, PermissionError):
        pass


def boot() -> str:
    """What changes when the machine starts anew; empty where the system does not tell."""
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
