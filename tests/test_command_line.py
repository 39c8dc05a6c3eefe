"""What the package's commands share."""

import os
import subprocess
import sys

PRINTS = "import sys; from explorer.command_line import run_command; sys.exit(run_command(lambda arguments: print('line\\n' * {count}) or 0, [], 'stopped'))"


def test_a_reader_that_has_read_enough_is_no_error():
    for count in (1, 100_000):  # less than a buffer, which is written at exit, and more
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "wb") as closed:
            ended = subprocess.run([sys.executable, "-c", PRINTS.format(count=count)], stdout=closed, stderr=subprocess.PIPE, timeout=120)
        assert ended.returncode == 0 and not ended.stderr
