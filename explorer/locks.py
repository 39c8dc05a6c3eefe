"""File locks that end with the process that holds them, however it ends (flock)."""

import fcntl
import os
import time
from pathlib import Path

from explorer.errors import OutputError

RETRY_SECONDS = 0.02


class Lock:
    """A held lock. A child that is given the descriptor holds it too, until both have closed it or are gone."""

    def __init__(self, descriptor: int):
        self.descriptor = descriptor

    def write(self, text: str) -> None:
        """Say in the file who holds it."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, text.encode(), 0)

    def close(self) -> None:
        os.close(self.descriptor)

    def __enter__(self) -> "Lock":
        return self

    def __exit__(self, *_) -> None:
        self.close()


def take(path: Path, seconds: float = 0.0) -> Lock | None:
    """The lock, or None where somebody else holds it for that long. Raises OutputError."""
    until = time.monotonic() + seconds
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise OutputError(f"{path} could not be locked: {error.strerror}. Check the folder's permissions and space.") from error
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return Lock(descriptor)
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(descriptor)
                return None
            time.sleep(RETRY_SECONDS)
        except OSError as error:
            os.close(descriptor)
            raise OutputError(f"{path} could not be locked: {error.strerror}. The file system must know flock.") from error
        except BaseException:
            os.close(descriptor)
            raise


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock; where that cannot be told, it may. Asking takes a shared lock for a moment: whoever
    wants it alone tries again."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(descriptor)
