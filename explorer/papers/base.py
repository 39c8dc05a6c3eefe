"""What an experiment is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch

from explorer.types import Progress


@dataclass(frozen=True)
class Place:
    """Where an experiment runs: its output folder, its device, the data's root, and whether it goes on from a stop."""

    output: Path
    device: torch.device
    root: Path | None = None
    resume: bool = False


@runtime_checkable
class Train(Protocol):
    def __call__(self, name: str, config: Any, place: Place, progress: Progress) -> Path:
        """Train, measure, and return the path of the checkpoint."""
        ...


@dataclass(frozen=True)
class Experiment:
    """A frozen configuration, the function that trains it, and all that is wrong with a configuration before it starts."""

    config: Any
    train: Train
    problems: Callable[[Any], list[str]]
    paper: str
    description: str
