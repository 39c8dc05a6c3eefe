"""A worker whose work is odd: for tests of what may go wrong. It imports no torch, so that it starts at once."""

import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.runs import jobs, processes, team, worker
from explorer.runs.team import Team
from explorer.storage import write_atomically
from explorer.types import stop_if_cancelled


def count(folder, parameters, pulse):
    """One file a number; a number that is there already is not made again."""
    for number in range(parameters["count"]):
        stop_if_cancelled(pulse)
        path = folder / "results" / f"{number}.json"
        if not path.exists():
            time.sleep(parameters.get("seconds", 0.01))
            write_atomically(path, b"%d" % (number * number))
        pulse.advance(number + 1, parameters["count"])


def training(folder, parameters, pulse):
    """Begins when its members have."""
    while len(list((folder / "members").glob("[!.]*"))) < parameters["members"]:
        stop_if_cancelled(pulse)
        time.sleep(0.02)
    count(folder, parameters, pulse)


def stubborn(folder, parameters, pulse):
    """Hears no signal but the one that cannot be ignored, and has a child."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"])
    pulse.advance(1, 2)
    time.sleep(600)


def parent(folder, parameters, pulse):
    """Has a child, and works on."""
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    pulse.advance(1, 2)
    while True:
        stop_if_cancelled(pulse)
        time.sleep(0.02)


def fail(folder, parameters, pulse):
    print("what it printed before")
    raise ExplorerError("the loss became nan")


def defect(folder, parameters, pulse):
    raise ZeroDivisionError("division by zero")


def memory(folder, parameters, pulse):
    raise MemoryError


def full(folder, parameters, pulse):
    """The disk has room for so few bytes more."""
    count(folder, {"count": 2}, pulse)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    write_atomically(folder / "results" / "large.json", b"0" * 2000)


WORK = {each.__name__: each for each in (count, training, stubborn, parent, fail, defect, memory, full)}


def compute(folder, specification, device, pulse):
    WORK[specification.kind](folder, specification.parameters, pulse)


if __name__ == "__main__":
    worker._compute, team.MEMBER = compute, (sys.executable, __file__)
    folder, options = Path(sys.argv[1]), dict(zip(sys.argv[2::2], sys.argv[3::2]))
    if "--scheduled" in options:
        processes.marked(folder, sys.argv)
        sys.exit(jobs.work_in_job(folder, Team(1, float(options["--scheduled"]))))
    if "--member" in options:
        write_atomically(folder / "members" / options["--member"], options.get("--places", "").encode())
        time.sleep(600)
    sys.exit(worker.work(folder, int(options["--lock"]), options["--places"].split(","), Team(int(options.get("--processes", 1)))))
