"""What a data set is, and loading one by name."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.errors import InvalidInput
from explorer.registry import look_up

Split = Literal["train", "validation", "test"]
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class ImageDataset:
    """Images in [0, 1] with their labels, in a fixed order."""

    images: Float[Tensor, "n channels height width"]
    labels: Int[Tensor, "n"]
    class_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index) -> "ImageDataset":
        """A subset: a slice, a list or a tensor of positions, or a mask."""
        return ImageDataset(self.images[index], self.labels[index], self.class_names)

    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change with any pixel or label."""
        digest = hashlib.sha256(str(tuple(self.images.shape)).encode())
        digest.update((self.images * 255).round().to(torch.uint8).numpy().tobytes())
        digest.update(self.labels.to(torch.int64).numpy().tobytes())
        return digest.hexdigest()[:16]


@dataclass(frozen=True)
class DatasetEntry:
    """`load(split, root, download)` reads a whole split; root is None where no folder is known.
    `first(split, limit)` makes only the first images, where that is cheaper."""

    load: Callable[[str, Path | None, bool], ImageDataset]
    description: str
    first: Callable[[str, int], ImageDataset] | None = None


def load_dataset(
    name: str, split: str = "test", root: str | Path | None = None, limit: int | None = None, *, download: bool = True
) -> ImageDataset:
    """A split of a named data set.

    `root` is the folder that holds the published files; without it the variable EXPLORER_DATA is used, then ./data.
    `limit` keeps the first images only; without `download` nothing is fetched. Raises UnknownName, InvalidInput, or DataNotFound that says where it was looked for.
    """
    from . import DATASETS

    entry = look_up(DATASETS, name, "data set")
    if split not in SPLITS:
        raise InvalidInput(f"unknown split {split!r}. Expected one of {', '.join(SPLITS)}.")
    if limit is not None and limit < 1:
        raise InvalidInput(f"limit is a number of images, at least 1, got {limit}")
    if limit is not None and entry.first:
        return entry.first(split, limit)
    dataset = entry.load(split, data_folder(root), download)
    return dataset if limit is None else dataset[:limit]


def data_folder(root: str | Path | None) -> Path | None:
    """The folder given, else that of the variable EXPLORER_DATA, else none."""
    folder = root or os.environ.get("EXPLORER_DATA")
    return Path(folder).expanduser() if folder else None


def hold_out(count: int, held: int, seed: int = 0) -> tuple[Int[Tensor, "kept"], Int[Tensor, "held"]]:
    """A fixed random split of `count` positions: the positions kept, and `held` ones set aside, each in order."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return order[held:].sort().values, order[:held].sort().values
