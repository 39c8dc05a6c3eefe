"""Vocabulary shared by all layers."""

from typing import Any, Protocol, runtime_checkable

from .errors import Cancelled


@runtime_checkable
class Progress(Protocol):
    """How a long loop tells what it has done and learns whether to go on."""

    def advance(self, done: int, total: int, note: str = "") -> None: ...

    def partial(self, result: Any) -> None: ...

    @property
    def cancelled(self) -> bool: ...


class Silent:
    """A Progress that nobody watches."""

    cancelled = False

    def advance(self, done: int, total: int, note: str = "") -> None:
        pass

    def partial(self, result: Any) -> None:
        pass


class Inner(Silent):
    """The Progress of a loop inside another: it stops when the outer one is asked to, and tells nothing of its own."""

    def __init__(self, outer: Progress):
        self._outer = outer

    @property
    def cancelled(self) -> bool:
        return self._outer.cancelled


def stop_if_cancelled(progress: Progress) -> None:
    """Raise Cancelled where the watcher of a loop has asked for its end."""
    if progress.cancelled:
        raise Cancelled("stopped on request")
