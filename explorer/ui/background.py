"""Work of seconds to minutes in a thread of the server: a reload or another page finds it again; it can be cancelled."""

import atexit
import itertools
import time
from collections.abc import Callable, Hashable, Iterator
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Literal

from explorer.errors import Cancelled, ExplorerError
from explorer.types import Progress

State = Literal["waiting", "running", "finished", "cancelled", "failed"]
Work = Callable[[Progress], Iterator[Any]]
KEPT = 24
LAST_SECONDS = 2  # that a server which ends waits for its running job


class Job:
    """One piece of work, and the Progress that it is given. `result` is the latest that it has yielded."""

    def __init__(self) -> None:
        self.state: State = "waiting"
        self.result: Any = None
        self.problem = ""
        self.done, self.total, self.note = 0, 0, ""
        self.cancelled = False
        self._started: float | None = None
        self._lock = Lock()

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
        with self._lock:
            self.cancelled = True
            if self.state == "waiting":
                self.state = "cancelled"

    def _run(self, work: Work) -> None:
        with self._lock:
            if self.cancelled:
                return
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
    """Jobs by their keys, carried out one after the other; the oldest ended ones are forgotten beyond `kept`.

    The thread is a daemon: a server that is told to end does so, and its jobs are cancelled."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept, self._lock, self._jobs = kept, Lock(), {}
        self._queue: SimpleQueue[tuple[Job, Work]] = SimpleQueue()
        self._thread: Thread | None = None

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
            self._queue.put((job, work))
            if self._thread is None:
                self._thread = Thread(target=self._serve, name="background", daemon=True)
                self._thread.start()
                atexit.register(self._end)
            return job

    def find(self, key: Hashable) -> Job | None:
        with self._lock:
            return self._jobs.get(key)

    def _serve(self) -> None:
        while True:
            job, work = self._queue.get()
            job._run(work)
            del job, work  # a thread that waits keeps no model alive

    def _end(self) -> None:
        """Daemon threads die in the middle of a tensor; a job that stops by itself does not."""
        with self._lock:
            active = [job for job in self._jobs.values() if job.active]
        for job in active:
            job.cancel()
        until = time.monotonic() + LAST_SECONDS
        while any(job.active for job in active) and time.monotonic() < until:
            time.sleep(0.01)


JOBS = Jobs()
