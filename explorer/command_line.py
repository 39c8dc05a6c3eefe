"""What the package's commands share: a polite stop, and errors as messages."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from explorer.errors import Cancelled, ExplorerError
from explorer.training import Bar


@contextmanager
def politely_stopped(progress: Bar) -> Iterator[Bar]:
    """The first Ctrl-C asks the loop to stop, the second stops it."""

    def ask(*_) -> None:
        progress.cancelled = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield progress
    finally:
        signal.signal(signal.SIGINT, before)


def run_command(run: Callable[[list[str]], int], arguments: list[str] | None, stopped: str) -> int:
    """The exit status: that of `run`, 1 for an error that the user can mend, 130 when stopped, which prints `stopped`."""
    try:
        return run(sys.argv[1:] if arguments is None else arguments)
    except (Cancelled, KeyboardInterrupt):
        print(stopped, file=sys.stderr)
        return 130
    except ExplorerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
