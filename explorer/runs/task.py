"""What a kind's function is given: what to do, where to tell how far it is, and where to put what it finds."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explorer.batches import Columns, over_batches
from explorer.storage import write_atomically
from explorer.types import Progress

RESULTS, OUTPUT, BATCHES = "results", "output", "batches"


@dataclass(frozen=True)
class Task:
    """One run's work. Whatever is written here is whole or not there, and is found again by a run that goes on after a stop."""

    folder: Path
    inputs: Any
    parameters: Any
    device: torch.device
    seed: int
    progress: Progress
    shared: Path | None = None  # the run's folder, where several processes do its batches and this one writes its results elsewhere

    @property
    def output(self) -> Path:
        """For what a training writes by itself."""
        return self.folder / OUTPUT

    @property
    def batches(self) -> Path:
        """For what is done so far."""
        return (self.shared or self.folder) / BATCHES

    def over_examples(self, count: int, size: int, compute: Callable[[int, int], Columns]) -> Iterator[Columns]:
        """The columns of all examples so far, after each batch; batches that a stopped run has done are not done again."""
        return over_batches(self.batches, count, size, compute, self.progress)

    def table(self, name: str, content: Any) -> None:
        """Plain JSON values, for a page to show while the run goes on. Numbers that are not finite become null."""
        write_atomically(self.folder / RESULTS / f"{name}.json", json.dumps(_plain(content), indent=1).encode())

    def arrays(self, name: str, arrays: dict[str, Tensor]) -> None:
        from safetensors.torch import save

        tensors = {key: value.detach().cpu().contiguous() for key, value in arrays.items()}
        write_atomically(self.folder / RESULTS / f"{name}.safetensors", save(tensors))

    def picture(self, name: str, png: bytes) -> None:
        write_atomically(self.folder / RESULTS / f"{name}.png", png)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
