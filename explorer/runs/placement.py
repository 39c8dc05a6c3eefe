"""Where a run is carried out and with what: no part of what it is to do, so that the same work is the same run anywhere."""

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from explorer.configuration import from_mapping, out_of_range
from explorer.errors import ExplorerError
from explorer.storage import write_atomically

FILE = "placement.json"
LOCAL, SLURM = "local", "slurm"
NAME = re.compile(r"[A-Za-z0-9_.,:+-]{1,200}")


@dataclass(frozen=True)
class Placement:
    """A back end; how many processes share the work; and what Slurm is asked for: a partition (none: the cluster's own), GPUs and cores for each
    process, gigabytes of memory for each node (none: the cluster's own) and minutes."""

    backend: str = LOCAL
    processes: int = 1
    partition: str | None = None
    gpus: int = 0
    cpus: int = 1
    memory: int | None = None
    minutes: int = 60
    account: str | None = None

    @property
    def in_slurm(self) -> bool:
        return self.backend == SLURM

    @property
    def words(self) -> str:
        """As options of a command; empty for one process of this machine."""
        given = {name: value for name, value in asdict(self).items() if value != getattr(Placement, name)}
        return "".join(f" --{name} {shlex.quote(str(value))}" for name, value in given.items())


def placement_problems(placement: Placement) -> list[str]:
    """All that is wrong with a placement, whatever the cluster says."""
    found = [] if placement.backend in (LOCAL, SLURM) else [f"backend = {placement.backend[:40]!r}: expected {LOCAL} or {SLURM}"]
    found += out_of_range(placement, processes=(1, 1000), gpus=(0, 64), cpus=(1, 1024), minutes=(1, 60 * 24 * 365))
    if placement.memory is not None and not 1 <= placement.memory <= 100_000:
        found.append(f"memory = {placement.memory}: expected gigabytes, 1 to 100000, or none")
    for name in ("partition", "account"):
        text = getattr(placement, name)
        if text is not None and not NAME.fullmatch(text):
            found.append(f"{name} = {text[:40]!r}: expected a name of the cluster")
    return found


def read_placement(folder: Path) -> Placement:
    """Of a run; one process of this machine where nothing else is written, or nothing that can be read."""
    try:
        found = from_mapping(Placement, json.loads((folder / FILE).read_bytes()), FILE)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError, ExplorerError):
        return Placement()
    return Placement() if placement_problems(found) else found


def write_placement(folder: Path, placement: Placement) -> None:
    """Raises OutputError."""
    write_atomically(folder / FILE, json.dumps(asdict(placement), indent=1).encode())


@contextmanager
def tried(folder: Path, placement: Placement | None) -> Iterator[None]:
    """A run's new placement, where there is one; it has the earlier one again when what is done meanwhile fails. Raises OutputError."""
    path = folder / FILE
    before = path.read_bytes() if path.exists() else None
    try:
        if placement is not None:
            write_placement(folder, placement)
        yield
    except BaseException:
        if placement is not None:
            path.unlink(missing_ok=True) if before is None else write_atomically(path, before)
        raise
