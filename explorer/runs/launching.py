"""Starting a worker on this machine."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

from explorer.errors import OutputError, RunError

from . import events, processes
from .endings import settle
from .holding import guarded, worker_lock
from .placement import read_placement
from .specification import FILE, read_specification
from .team import places_of

PACKAGE = Path(__file__).parents[2]
WORKER = (sys.executable, "-m", "explorer.runs")
WAITING = {"OMP_WAIT_POLICY": "passive"}  # threads that spin while they wait slow each other down sixfold where cores are shared


def launch(folder: Path, worker: Sequence[str] = WORKER) -> None:
    """Start a worker on a run, in a session of its own, and return. The worker is given the run's lock, so that there is no moment
    at which nobody holds it. Raises RunError where one is at work already or the run has finished, ConfigurationError, or OutputError."""
    if not folder.is_dir():
        raise RunError(f"{folder.name} is gone: it was deleted.")
    with guarded(folder), worker_lock(folder) as lock:
        if events.last(folder).get("event") == "finished":
            raise RunError(f"{folder.name} has finished already.")
        many = read_placement(folder).processes
        names = places_of(read_specification(folder / FILE), many)
        lock.write("")  # whoever held it before is gone
        (folder / events.CANCEL).unlink(missing_ok=True)
        attempt = 1 + len(events.launches(folder))
        events.append(folder, events.LAUNCHED, attempt=attempt, time=time.time(), arrived=time.monotonic_ns(), boot=processes.boot())
        environment = {**WAITING, **os.environ, processes.MARK: str(folder.resolve()), "PYTHONUNBUFFERED": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(PACKAGE), os.environ.get("PYTHONPATH", "")]))
        command = [*worker, str(folder), "--lock", str(lock.descriptor), "--places", ",".join(names)]
        if many > 1:
            command += ["--processes", str(many)]
        try:
            with open(folder / events.LOG, "ab") as log:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                    pass_fds=(lock.descriptor,), start_new_session=True,
                )  # fmt: skip
        except OSError as error:
            raise OutputError(f"no worker could be started for {folder.name}: {error.strerror or error}.") from error
        processes.started[folder] = process
        Thread(target=_wait, args=(process, folder), name=f"run {folder.name}", daemon=True).start()
        with contextlib.suppress(OSError):  # the worker writes its number too
            lock.write(f"{process.pid}\n")


def _wait(process: subprocess.Popen, folder: Path) -> None:
    """Reap the worker, so that no zombie stays, and write down how it ended."""
    process.wait()
    if folder.exists():
        settle(folder)
    if processes.started.get(folder) is process:
        del processes.started[folder]
