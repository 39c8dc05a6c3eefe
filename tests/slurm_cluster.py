"""A Slurm cluster of one node, for as long as a test needs it: its own keys, folders, ports and daemons, and nothing of it stays."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 20
WITH_ITS_PARENT = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()  # where the tests themselves are killed
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel")


def missing() -> str:
    """Why no cluster can be had here; empty where one can."""
    if os.geteuid() != 0:
        return "a cluster for tests is started as root only"
    lacking = [name for name in PROGRAMS if not program(name)]
    return f"Slurm is not installed ({', '.join(lacking)} missing): apt-get install slurm-wlm munge" if lacking else ""


def program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


@contextmanager
def cluster(folder: Path, unseen: Path | None = None) -> Iterator[Path]:
    """Its configuration file. Its node does not see what this machine has in the folder `unseen`."""
    name, ports = socket.gethostname(), [_free_port() for _ in range(2)]
    key, conf = folder / "munge.key", folder / "slurm.conf"
    for each in ("state", "spool", "munge"):
        (folder / each).mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "munge").chmod(0o755)
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    conf.write_text(f"""
ClusterName=tests
SlurmctldHost={name}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,defer_batch
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=2
MinJobAge=60
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName={name} NodeAddr=127.0.0.1 CPUs=8 RealMemory=500 State=UNKNOWN
PartitionName=short Nodes={name} Default=YES MaxTime=60 State=UP PriorityTier=1
PartitionName=urgent Nodes={name} MaxTime=60 State=UP PriorityTier=2
""")
    environment, log, started = {**os.environ, "SLURM_CONF": str(conf)}, folder / "daemons.log", []

    def start(*command: str) -> None:
        with open(log, "ab") as file:
            started.append(subprocess.Popen([*WITH_ITS_PARENT, *command], stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True, env=environment))

    def asked(*command: str) -> str:
        return subprocess.run([program(command[0]), *command[1:]], env=environment, capture_output=True, text=True).stdout

    own = [f"--{name}={folder}/munge/{file}" for name, file in {"socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}.items()]
    try:
        start(program("munged"), "-F", "-f", f"--key-file={key}", *own, "--num-threads=2")
        until((folder / "munge/socket").exists, "munged", log)
        start(program("slurmctld"), "-D", "-f", str(conf))
        start(*(_without(unseen) if unseen else ()), program("slurmd"), "-D", "-f", str(conf), "-N", name)
        until(lambda: "idle" in asked("sinfo", "-h", "-o", "%T"), "the node", log)
        yield conf
    finally:
        if len(started) > 1:
            asked("scancel", "--quiet", "--user=root")
            with contextlib.suppress(RuntimeError):
                until(lambda: not asked("squeue", "-h"), "the end of all jobs", log)
        for process in reversed(started):
            process.terminate()
        for process in reversed(started):
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for left in _of(conf):
            with contextlib.suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)


def _of(conf: Path) -> list[int]:
    """What lives of a cluster: steps whose daemon is gone, and their work."""
    mark, found = f"SLURM_CONF={conf}".encode(), []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def can_hide() -> bool:
    """Whether a process can be given a folder of its own in place of another."""
    return subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode == 0


def _without(folder: Path) -> list[str]:
    return ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', str(folder)]


def until(true: Callable[[], bool], what: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not true():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not start:\n{log.read_text()[-3000:]}")
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
