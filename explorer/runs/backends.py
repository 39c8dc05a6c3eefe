"""Where runs can be carried out. A back end starts a run that its folder describes; the folder and the worker are the same everywhere."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from explorer.registry import look_up

from .launching import launch
from .placement import LOCAL, SLURM, Placement, placement_problems, read_placement
from .slurm import slurm_problems, start as start_in_slurm
from .slurm_queue import has_slurm


@dataclass(frozen=True)
class Backend:
    """`start` puts the run in a folder on its way and returns; `problems` are all that is wrong with a placement; `available` says whether this
    machine has it."""

    title: str
    start: Callable[[Path], object]
    problems: Callable[[Placement], list[str]]
    available: Callable[[], bool]


BACKENDS: dict[str, Backend] = {
    LOCAL: Backend("this machine", launch, placement_problems, lambda: True),
    SLURM: Backend("a Slurm cluster", start_in_slurm, slurm_problems, has_slurm),
}


def start(folder: Path) -> None:
    """By the back end of the run's placement. Raises what that raises."""
    look_up(BACKENDS, read_placement(folder).backend, "back end").start(folder)
