"""A run's work as torch does it: alone, as the one of several that writes, or as one that helps."""

import os
import sys
from contextlib import nullcontext
from pathlib import Path

import torch

from explorer.batches import shared_with_others
from explorer.hardware import available_cores, describe_device, keep_freed_memory, pick_device
from explorer.training import distributed
from explorer.types import Progress

from .devices import cpu_places
from .kinds import opened
from .specification import Specification
from .task import Task
from .team import TRAINING


def compute(folder: Path, specification: Specification, device: str, progress: Progress) -> None:
    """Do the work and write what it finds. Raises what the work raises."""
    _carry_out(folder, specification, device, progress, None)


def help_with(folder: Path, scratch: Path, specification: Specification, device: str, progress: Progress) -> None:
    """Do the batches that nobody else does, or one process's part of a training; what only one may write goes to `scratch`."""
    _carry_out(folder, specification, device, progress, scratch)


def _carry_out(folder: Path, specification: Specification, device: str, progress: Progress, scratch: Path | None) -> None:
    many = int(os.environ.get("EXPLORER_SHARES") or 1)
    keep_freed_memory()
    _use_own_cores(device, many)
    kind, inputs, parameters = opened(specification)
    target = pick_device(device)
    print(f"{specification.kind} on {describe_device(target)}{f', {many} processes' if many > 1 else ''}", file=sys.stderr)
    training = specification.kind == TRAINING
    place = folder if scratch is None or training else scratch
    task = Task(place, inputs, parameters, target, specification.seed, progress, shared=folder)
    with shared_with_others() if many > 1 else nullcontext(), distributed.joined(target) if many > 1 and training else nullcontext():
        try:
            kind.work(task)
        except distributed.Done:
            pass  # the first process goes on alone


def _use_own_cores(device: str, many: int) -> None:
    if "OMP_NUM_THREADS" in os.environ:
        return
    given = os.environ.get("SLURM_CPUS_PER_TASK", "")
    cores = int(given) if given.isdecimal() else available_cores() // (cpu_places() if device == "cpu" else 1)
    together = int(os.environ.get("EXPLORER_WORLD") or (1 if given else many))  # those that share this machine
    torch.set_num_threads(max(1, cores // together))
