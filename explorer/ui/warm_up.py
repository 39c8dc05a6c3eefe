"""Imports that take seconds and are needed later are made while the visitor looks at the first page."""

from threading import Lock, Thread

_started = Lock()


def warm_up() -> None:
    """Start importing in the background, once in the life of the server. Called when a page has been drawn."""
    if _started.acquire(blocking=False):
        Thread(target=_load, name="warm-up", daemon=True).start()


def _load() -> None:
    import sklearn.decomposition  # noqa: F401
