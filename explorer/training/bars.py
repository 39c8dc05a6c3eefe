"""A Progress for a terminal: one line with rate and time left."""

import sys
import time


class Bar:
    """Draws on standard error; where that is no terminal, a line per note."""

    def __init__(self, label: str, stream=None):
        self.cancelled = False
        self.label, self.stream = label, stream or sys.stderr
        self.started, self.first, self.drawn = None, 0, 0.0

    def advance(self, done: int, total: int, note: str = "") -> None:
        now = time.monotonic()
        if self.started is None:
            self.started, self.first = now, done
        if now - self.drawn < 0.2 and done < total and not note:
            return
        rate = (done - self.first) / (now - self.started) if now > self.started else 0.0
        left = f"{duration((total - done) / rate)} left" if rate > 0 else "estimating"
        filled = int(24 * done / total) if total else 24
        line = f"{self.label} [{'█' * filled}{'·' * (24 - filled)}] {done}/{total} {rate:.1f}/s {left} {note}"
        if self.stream.isatty():
            self.stream.write(f"\r\x1b[K{line}" + ("\n" if note or done >= total else ""))
        elif note:
            self.stream.write(line + "\n")
        self.stream.flush()
        self.drawn = now

    def partial(self, result) -> None:
        pass


def duration(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
