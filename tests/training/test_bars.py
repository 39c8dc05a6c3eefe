import io

from explorer.training import Bar
from explorer.training.bars import duration


def test_a_note_becomes_a_line_with_rate_and_time_left(monkeypatch):
    clock = iter([100.0, 102.0])
    monkeypatch.setattr("explorer.training.bars.time.monotonic", lambda: next(clock))
    stream = io.StringIO()
    bar = Bar("mnist", stream)
    bar.advance(0, 100)
    bar.advance(20, 100, "epoch 1")
    assert "20/100 10.0/s 0:08 left epoch 1" in stream.getvalue()


def test_durations_are_hours_minutes_and_seconds():
    assert [duration(s) for s in (5, 65, 3665)] == ["0:05", "1:05", "1:01:05"]
