"""What the package's commands share: a polite stop, and errors as messages."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from explorer.errors import Cancelled, ExplorerError, OutputError
from explorer.storage import imported_folder
from explorer.training import Bar

UNREAD = 128 + 13  # what a shell says of a process that SIGPIPE ended


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
    """The exit status: that of `run`, 1 for an error that the user can mend, 130 when stopped, which prints `stopped`, 141 where nobody reads on
    what it prints, as after `| head`, before it has ended."""
    try:
        status = run(sys.argv[1:] if arguments is None else arguments)
    except BrokenPipeError:
        _flush_or_drop()
        return UNREAD
    except (Cancelled, KeyboardInterrupt):
        print(stopped, file=sys.stderr)
        return 130
    except ExplorerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    _flush_or_drop()
    return status


def _flush_or_drop() -> None:
    """What is left to print goes out, or nowhere, also at exit, where its reader has gone."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def import_parser(module: str, described: str) -> argparse.ArgumentParser:
    """What all commands take that make a checkpoint of a file from elsewhere."""
    parser = argparse.ArgumentParser(prog=f"python -m explorer.{module}", description=described, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--to", type=Path, metavar="CHECKPOINT", help="the checkpoint to write (imported/NAME.safetensors in the folder of runs, where the gallery finds it)")
    parser.add_argument("--replace", action="store_true", help="write it where one is already")
    parser.add_argument("--root", type=Path, help="folder of the data sets (EXPLORER_DATA, then ./data)")
    return parser


def free_place(options: argparse.Namespace, name: str) -> Path:
    """Where the checkpoint of that name goes. Raises OutputError where one is that is not to be replaced."""
    path = options.to or imported_folder() / f"{name}.safetensors"
    if path.exists() and not options.replace:
        raise OutputError(f"{path} is there already. Choose another --to, or add --replace.")
    return path
