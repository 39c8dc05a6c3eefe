"""The data set `scenes`: small pictures with the main body's shape as class, rendered once and kept in the user's cache folder."""

from functools import lru_cache
from pathlib import Path

import torch

from explorer.data.base import SPLITS, ImageDataset

from .cache import Arrays, kept, kept_arrays
from .render import render_scenes
from .shapes import SHAPES

COUNTS = {"train": 4000, "validation": 500, "test": 1000}
SIZE = 32


def load_scenes(split: str, root: Path | None = None, download: bool = False) -> ImageDataset:
    """4,000 / 500 / 1,000 pictures of 3 × 32 × 32 in eight classes that are equally frequent; rendering them takes from seconds to a minute, the first time."""
    return _whole(split, kept(f"scenes-{split}"))


def first_scenes(split: str, limit: int) -> ImageDataset:
    """The first pictures of a split; only these are rendered where the split is not kept yet."""
    if kept(f"scenes-{split}").is_file():
        return _whole(split, kept(f"scenes-{split}"))[:limit]
    return _rendered(split, min(limit, COUNTS[split]))


def _rendered(split: str, count: int) -> ImageDataset:
    made = render_scenes(range(count), SIZE, seed=SPLITS.index(split))
    return ImageDataset(made.images, made.labels, tuple(SHAPES))


@lru_cache(maxsize=len(SPLITS))
def _whole(split: str, path: Path) -> ImageDataset:
    def make() -> Arrays:
        dataset = _rendered(split, COUNTS[split])
        return {"images": dataset.images.mul(255).round().to(torch.uint8).numpy(), "labels": dataset.labels.numpy()}

    arrays = kept_arrays(path, {"images": (COUNTS[split], 3, SIZE, SIZE), "labels": (COUNTS[split],)}, make)
    pixels, labels = (torch.from_numpy(arrays[key]) for key in ("images", "labels"))
    return ImageDataset(pixels.float().div_(255), labels, tuple(SHAPES))
