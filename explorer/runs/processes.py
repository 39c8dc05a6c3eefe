"""The processes of a run: its worker, and whatever that has started."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

MARK = "EXPLORER_RUN"  # in the environment of a worker and of all that it starts: the run's folder
PART = "EXPLORER_PART"  # where several jobs carry out one run: whose job a process is of
PROC = Path("/proc")
REAP_SECONDS = 1.0

started: dict[Path, subprocess.Popen] = {}  # workers by their runs' folders, by this program, until they are reaped


def marked(folder: Path, words: list[str]) -> None:
    """Start this process anew as one of the run's, unless it is: by hand or in a job, so that its children are known as its own."""
    if os.environ.get(MARK) != (mark := str(folder.resolve())):
        os.environ[MARK] = mark
        os.execv(sys.executable, [sys.executable, *words])


def members(folder: Path) -> list[int]:
    """The living processes of a run, without this one; a zombie does not live. Who is of one of several jobs sees that one's. Empty where the
    system has no /proc."""
    marks = {f"{MARK}={folder.resolve()}".encode(), *([f"{PART}={os.environ[PART]}".encode()] if PART in os.environ else [])}
    found = []
    for entry in PROC.glob("[0-9]*"):
        try:
            if int(entry.name) == os.getpid() or (entry / "stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                continue
            if marks <= set((entry / "environ").read_bytes().split(b"\0")):
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


def how_ended(folder: Path) -> str:
    """The end of a worker's process in words, where this program has started it; else empty."""
    process = started.get(folder)
    try:
        status = process.wait(REAP_SECONDS) if process else 0
    except subprocess.TimeoutExpired:
        return ""
    return f", killed by {_signal_name(-status)}" if status < 0 else f", with exit status {status}" if status else ""


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


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
