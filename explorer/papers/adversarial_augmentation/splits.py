"""The data of a training: images in memory, or pictures in folders that are read as they are needed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from explorer.data import ImageDataset, load_dataset
from explorer.data.base import hold_out
from explorer.data.folders import FolderImages
from explorer.data.imagenet import SHOWN, open_imagenet

from .backbone_config import BackboneConfig
from .config import IMAGENET, AugmentedConfig

HELD_OUT, LARGEST_SHARE = 10_000, 10  # of ImageNet's training images, for validation; at most the tenth part
Split = ImageDataset | FolderImages


def open_splits(config: AugmentedConfig | BackboneConfig, root: Path | None, download: bool = True, shown: int | None = None) -> dict[str, Split]:
    """Training, validation and test images. ImageNet's are trained on at the configuration's size, and measured at `shown` pixels, none: 224 (AdA, Appendix
    E.1); its published validation images are the test. Raises DataNotFound or InvalidInput."""
    if config.dataset != IMAGENET:
        return {split: load_dataset(config.dataset, split, root, config.limit, download=download) for split in ("train", "validation", "test")}
    shown, train = shown or SHOWN, open_imagenet("train", root, config.crop_size)
    kept, held = hold_out(len(train), min(HELD_OUT, max(len(train) // LARGEST_SHARE, 1)))
    parts = {"train": train.part(kept), "validation": replace(train.part(held), size=shown), "test": open_imagenet("test", root, shown)}
    return {name: each.few(config.limit) for name, each in parts.items()}


def parts_of(data: Split, size: int, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """All images with their labels, so many at a time."""
    for first in range(0, len(data), size):
        part = data[first : first + size]
        yield part.images.to(device), part.labels.to(device)
