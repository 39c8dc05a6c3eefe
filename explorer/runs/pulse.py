"""The Progress of a worker, written down by a thread of its own; only a note is written by the work itself."""

import os
import time
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from explorer.errors import OutputError

from . import events
from .specification import FILE
from .state import number, whole

BEAT_SECONDS = 0.5
LINES = 500  # of progress in a run's events while its time grows by a factor of e: the longer it takes, the rarer they become


class Pulse:
    """Tells how far a run is, and learns that it is to stop: from a signal, or from the file that a user's wish leaves in its folder."""

    def __init__(self, folder: Path):
        before, _ = events.heartbeat(folder)
        self._folder, self._lock, self._ended = folder, Lock(), Event()
        self._attempt = len(events.launches(folder)) or 1
        self._before, self._started = number(before.get("seconds")) or 0.0, number(before.get("started"))
        self._done, self._total, self._note = whole(before.get("done")), whole(before.get("total")), ""
        self._state, self._device, self._began, self._first = "queued", "", None, None
        self._beats, self._told = 0, 0.0
        self.cancelled = False
        self._thread = Thread(target=self._go_on, name="pulse", daemon=True)

    def begin(self) -> None:
        self._beat()
        self._thread.start()

    def compute_on(self, device: str) -> None:
        """The waiting is over."""
        self._state, self._device, self._began = "running", device, time.monotonic()
        self._started = self._started or time.time()
        events.append(self._folder, "started", device=device, time=time.time())
        self._beat()

    def advance(self, done: int, total: int, note: str = "") -> None:
        if self._first is None:
            self._first = (done, time.monotonic())
        self._done, self._total = done, total
        if note and note != self._note:
            self._note = note
            self._tell()

    def partial(self, result: Any) -> None:
        pass

    def end(self) -> None:
        """Write the last state of things and beat no more."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(2)
        self._beat()

    @property
    def seconds(self) -> float:
        return self._before + (time.monotonic() - self._began if self._began is not None else 0.0)

    def _go_on(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            self._beat()
            if self._state == "running" and self.seconds - self._told >= max(1.0, self.seconds / LINES):
                self._tell()
            if (self._folder / events.CANCEL).exists() or not (self._folder / FILE).exists():
                self.cancelled = True  # on a user's wish, or because somebody has deleted the run

    def _beat(self) -> None:
        with self._lock:
            self._beats += 1
            rate = self._rate()
            values = {
                "state": self._state, "beat": self._beats, "pid": os.getpid(), "attempt": self._attempt, "device": self._device,
                "done": self._done, "total": self._total, "note": self._note[: events.LONGEST_TEXT], "started": self._started,
                "seconds": round(self.seconds, 3), "rate": rate, "left": (self._total - self._done) / rate if rate else None,
            }  # fmt: skip
            try:
                events.beat(self._folder, values)
            except OSError:
                pass  # a full disk ends no computation; its results will say so

    def _rate(self) -> float | None:
        if self._first is None or self._began is None:
            return None
        done, since = self._first
        took = time.monotonic() - since
        return (self._done - done) / took if took > 0.2 and self._done > done else None

    def _tell(self) -> None:
        self._told = self.seconds
        try:
            events.append(self._folder, "progress", done=self._done, total=self._total, note=self._note, seconds=round(self._told, 3))
        except OutputError:
            pass
