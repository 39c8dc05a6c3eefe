"""Imports that take seconds are made once, while the server starts, not while the first visitor waits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Thread

from explorer.hardware import use_all_cores


def load() -> None:
    import sklearn.datasets  # noqa: F401
    import sklearn.decomposition  # noqa: F401

    import explorer.papers  # noqa: F401


@asynccontextmanager
async def warm_up(_app) -> AsyncIterator[None]:
    """The app's lifespan."""
    use_all_cores()
    Thread(target=load, name="warm-up", daemon=True).start()
    yield
