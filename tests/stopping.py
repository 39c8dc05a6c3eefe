"""Progresses that ask for the end of the work that they follow."""

from explorer.types import Silent


class Stopped(Silent):
    """From the beginning."""

    cancelled = True


class StopAt(Silent):
    """Once so much is done; `seen` is all that was told."""

    def __init__(self, done: int):
        self.done, self.seen, self.cancelled = done, [], False

    def advance(self, done, total, note=""):
        self.seen.append(done)
        self.cancelled = done >= self.done


class StopAfterResults(Silent):
    """After so many partial results, as a training has one each epoch."""

    def __init__(self, count: int = 1):
        self.left = count

    def partial(self, result):
        self.left -= 1

    @property
    def cancelled(self):
        return self.left <= 0
