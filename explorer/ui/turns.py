"""One search at a time beside what is dragged: two threads that both call many small torch operations wait for Python's lock far longer
than they compute, so that a search steps aside at each of its steps while anything else is wanted."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from explorer.types import Inner

BRIEFLY = 0.002  # seconds


class Turns:
    """A lock that a long search gives up at its steps for whoever comes first."""

    def __init__(self) -> None:
        self._lock, self._counting, self._first = Lock(), Lock(), 0

    @contextmanager
    def first(self) -> Iterator[None]:
        """For milliseconds of work that somebody is looking at."""
        self._count(1)
        try:
            with self._lock:
                yield
        finally:
            self._count(-1)

    @contextmanager
    def search(self) -> Iterator[None]:
        with self._lock:
            yield

    def step_aside(self) -> None:
        """Within a search: let all go first that wait."""
        while self._first:
            self._lock.release()
            time.sleep(BRIEFLY)
            self._lock.acquire()

    def _count(self, change: int) -> None:
        with self._counting:
            self._first += change


TURNS = Turns()


class Aside(Inner):
    """The progress of a search within `TURNS.search()`, which steps aside whenever it asks whether to go on."""

    @property
    def cancelled(self) -> bool:
        TURNS.step_aside()
        return super().cancelled
