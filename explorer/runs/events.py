"""What a worker tells of itself: lines that are only ever appended, and a heartbeat that is replaced."""

import errno
import json
import os
from pathlib import Path
from typing import Any

from explorer.errors import OutputError

EVENTS, HEARTBEAT, LOG, CANCEL = "events.jsonl", "heartbeat.json", "log.txt", "cancel"
LOCK, GUARD = "lock", "guard"  # held by the worker; by whoever starts one or writes down that it is gone
LAUNCHED = "launched"
ENDS = ("finished", "failed", "cancelled", "interrupted")
TAIL = 16384
LONGEST_TEXT = 2000


def append(folder: Path, event: str, **values: Any) -> None:
    """One line, in one write. Raises OutputError."""
    values = {name: value[:LONGEST_TEXT] if isinstance(value, str) else value for name, value in values.items()}
    line = json.dumps({"event": event, **values}).encode() + b"\n"
    try:
        descriptor = os.open(folder / EVENTS, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            cut_short = size and os.pread(descriptor, 1, size - 1) != b"\n"
            line = b"\n" * bool(cut_short) + line
            if os.write(descriptor, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise OutputError(f"{folder / EVENTS} could not be written: {error.strerror}. Free some space or check permissions.") from error


def last(folder: Path) -> dict[str, Any]:
    """The last whole event; empty where there is none."""
    for line in reversed(_tail(folder / EVENTS, TAIL).split(b"\n")):
        if event := _event(line):
            return event
    return {}


def all_events(folder: Path) -> list[dict[str, Any]]:
    """Every whole event, in order; lines that are none are left out."""
    try:
        content = (folder / EVENTS).read_bytes()
    except OSError:
        return []
    return [event for line in content.split(b"\n") if (event := _event(line))]


def launches(folder: Path) -> list[dict[str, Any]]:
    """One event for each time that a worker was started."""
    return [event for event in all_events(folder) if event["event"] == LAUNCHED]


def beat(folder: Path, values: dict[str, Any]) -> None:
    """Replace the heartbeat: a reader sees the old one or the new one. Not synchronised to the disk; what counts are the events."""
    temporary = folder / f".{HEARTBEAT}.new"
    temporary.write_text(json.dumps(values))
    os.replace(temporary, folder / HEARTBEAT)


def heartbeat(folder: Path) -> tuple[dict[str, Any], float | None]:
    """The last heartbeat, and when its file was written."""
    try:
        written = (folder / HEARTBEAT).stat().st_mtime
        content = json.loads((folder / HEARTBEAT).read_bytes())
        return (content, written) if isinstance(content, dict) else ({}, None)
    except (OSError, ValueError, RecursionError):
        return {}, None


def shown(value: Any, length: int = LONGEST_TEXT) -> str:
    """Text from a file as it can be shown: nothing that no encoding knows."""
    return str(value)[:length].encode("utf-8", "replace").decode()


def log_tail(folder: Path, lines: int = 30) -> str:
    """The end of what the worker printed."""
    return "\n".join(_tail(folder / LOG, TAIL).decode(errors="replace").splitlines()[-lines:])


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line) if line.strip() else None
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None


def _tail(path: Path, length: int) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - length))
            return file.read()
    except OSError:
        return b""
