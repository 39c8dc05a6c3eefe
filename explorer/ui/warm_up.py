"""What takes seconds to import is imported while nobody waits for it: torch while the server and the browser start, the rest
while the visitor looks at the first page."""

from threading import Lock, Thread

_later = Lock()


def begin() -> None:
    """Import torch and the package in the background. Called once, before the server listens."""
    Thread(target=_load_first, name="warm-up", daemon=True).start()


def go_on() -> None:
    """Import what later pages need, once in the life of the server. Called when a page has been drawn."""
    if _later.acquire(blocking=False):
        Thread(target=_load_later, name="warm-up", daemon=True).start()


def _load_first() -> None:
    from explorer.hardware import use_all_cores

    use_all_cores(spare=1)  # for the server and the browser: a decode whose threads wait for a core takes ten times as long
    import explorer.papers  # noqa: F401


def _load_later() -> None:
    import sklearn.decomposition  # noqa: F401
