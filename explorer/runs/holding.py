"""Who has a run: its worker, by the run's lock, and whoever starts one or writes down that it is gone, by its guard."""

from pathlib import Path

from explorer import locks
from explorer.errors import RunError

from . import events

GUARD_SECONDS = 10.0


def guarded(folder: Path) -> locks.Lock:
    """While this is held, nobody starts a worker, and nobody writes down that one is gone. Raises RunError, or OutputError."""
    guard = locks.take(folder / events.GUARD, GUARD_SECONDS)
    if guard is None:
        raise RunError(f"{folder.name} is being started or ended by another program. Try again.")
    return guard


def worker_lock(folder: Path) -> locks.Lock:
    lock = locks.take(folder / events.LOCK, 0.2)
    if lock is None:
        raise RunError(f"{folder.name} is being carried out already.")
    return lock


def worker_process(folder: Path) -> int | None:
    """The worker's number, while it lives."""
    number = last_holder(folder)
    return number if number and locks.is_held(folder / events.LOCK) else None


def last_holder(folder: Path) -> int | None:
    """Who has written its number into the lock, living or not."""
    try:
        return int((folder / events.LOCK).read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
