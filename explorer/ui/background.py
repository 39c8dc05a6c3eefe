"""Work of seconds to minutes in a thread of the server: a reload or another page finds it again; it can be cancelled."""

import itertools
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, Literal

from explorer.errors import Cancelled, ExplorerError
from explorer.types import Progress

State = Literal["waiting", "running", "finished", "cancelled", "failed"]
Work = Callable[[Progress], Iterator[Any]]
KEPT = 24


class Job:
    """One piece of work, and the Progress that it is given. `result` is the latest that it has yielded."""

    def __init__(self) -> None:
        self.state: State = "waiting"
        self.result: Any = None
        self.problem = ""
        self.done, self.total, self.note = 0, 0, ""
        self.cancelled = False
        self._started: float | None = None
        self._future: Future | None = None

    @property
    def active(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the pace so far; None before there is one."""
        if self._started is None or not 0 < self.done <= self.total:
            return None
        return (time.monotonic() - self._started) / self.done * (self.total - self.done)

    def advance(self, done: int, total: int, note: str = "") -> None:
        self.done, self.total, self.note = done, total, note

    def partial(self, result: Any) -> None:
        self.result = result

    def cancel(self) -> None:
        """A waiting job ends at once, a running one at its next step."""
        self.cancelled = True
        if self._future is not None and self._future.cancel():
            self.state = "cancelled"

    def _run(self, work: Work) -> None:
        self._started, self.state = time.monotonic(), "running"
        try:
            for result in work(self):
                self.partial(result)
            self.state = "finished"
        except Cancelled:
            self.state = "cancelled"
        except ExplorerError as error:
            self.problem, self.state = str(error), "failed"
        except Exception as error:  # a thread has nobody else to tell
            self.problem, self.state = f"{type(error).__name__}: {error}", "failed"


class Jobs:
    """Jobs by their keys, carried out one after the other; the oldest ended ones are forgotten beyond `kept`."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept, self._lock, self._jobs = kept, Lock(), {}
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="background")

    def start(self, key: Hashable, work: Work) -> Job:
        """The job of that key where it waits, runs or has finished; a new one where there is none, or it failed or was cancelled."""
        with self._lock:
            job = self._jobs.get(key)
            if job is not None and job.state not in ("failed", "cancelled"):
                return job
            self._jobs.pop(key, None)
            job = self._jobs[key] = Job()
            ended = [each for each, old in self._jobs.items() if not old.active]
            for each in itertools.islice(ended, max(0, len(self._jobs) - self._kept)):
                del self._jobs[each]
            job._future = self._threads.submit(job._run, work)
            return job

    def find(self, key: Hashable) -> Job | None:
        with self._lock:
            return self._jobs.get(key)


JOBS = Jobs()
