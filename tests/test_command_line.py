"""What the package's commands share."""

import os
import subprocess
import sys

PRINTS = "import sys; from explorer.command_line import run_command; sys.exit(run_command(lambda arguments: print('line\\n' * {count}) or 0, [], 'stopped'))"


def test_a_reader_that_has_read_enough_leaves_no_traceback_and_what_was_not_done_is_not_called_done():
    for count, status in ((1, 0), (100_000, 141)):  # less than a buffer, which is written at exit, and more, so that it has not ended
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "wb") as closed:
            ended = subprocess.run([sys.executable, "-c", PRINTS.format(count=count)], stdout=closed, stderr=subprocess.PIPE, timeout=120, env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"})
        assert ended.returncode == status and not ended.stderr
