"""The data set `scenes`: small pictures with the main body's shape as class, rendered once and kept in the user's cache folder."""

import hashlib
import io
import os
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from explorer.data.base import SPLITS, ImageDataset
from explorer.errors import OutputError
from explorer.storage import write_atomically

from .render import render_scenes
from .shapes import SHAPES

COUNTS = {"train": 4000, "validation": 500, "test": 1000}
SIZE = 32
CACHE_VARIABLE = "EXPLORER_CACHE"


def load_scenes(split: str, root: Path | None = None, download: bool = False) -> ImageDataset:
    """4,000 / 500 / 1,000 pictures of 3 × 32 × 32 in eight classes that are equally frequent; rendering them takes from seconds to a minute, the first time."""
    return _whole(split, _cache_folder())


def first_scenes(split: str, limit: int) -> ImageDataset:
    """The first pictures of a split; only these are rendered where the split is not kept yet."""
    if _kept(split, _cache_folder()).is_file():
        return _whole(split, _cache_folder())[:limit]
    return _rendered(split, min(limit, COUNTS[split]))


def _rendered(split: str, count: int) -> ImageDataset:
    made = render_scenes(range(count), SIZE, seed=SPLITS.index(split))
    return ImageDataset(made.images, made.labels, tuple(SHAPES))


@lru_cache(maxsize=len(SPLITS))
def _whole(split: str, folder: Path) -> ImageDataset:
    """From the cache where a whole file of this renderer lies there, else rendered and, where that can be, kept."""
    path = _kept(split, folder)
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            pixels, labels = torch.from_numpy(file["images"]), torch.from_numpy(file["labels"])
        if pixels.shape == (COUNTS[split], 3, SIZE, SIZE) and labels.shape == (COUNTS[split],):
            return ImageDataset(pixels.float().div_(255), labels, tuple(SHAPES))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # none there, or a damaged one
    dataset, content = _rendered(split, COUNTS[split]), io.BytesIO()
    np.savez_compressed(content, images=dataset.images.mul(255).round().to(torch.uint8).numpy(), labels=dataset.labels.numpy())
    try:
        write_atomically(path, content.getvalue())
    except OutputError:
        pass  # a folder that cannot be written only costs time
    return dataset


def _kept(split: str, folder: Path) -> Path:
    return folder / f"scenes-{_renderer()}-{split}.npz"


def _cache_folder() -> Path:
    """The variable EXPLORER_CACHE, else the user's cache folder."""
    own = os.environ.get(CACHE_VARIABLE)
    return Path(own).expanduser() if own else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "perturbation-set-explorer"


@lru_cache(maxsize=1)
def _renderer() -> str:
    """Changes with any line of this package, so that no picture of an older renderer is taken for one of this."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
