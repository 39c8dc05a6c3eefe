"""The embedded default: scikit-learn's scanned digits, so that everything runs without a download."""

import gzip
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from .base import ImageDataset, hold_out

VALIDATION, TEST = 200, 300


def load_digits(split: str, root: Path | None = None, download: bool = False) -> ImageDataset:
    """1,297 / 200 / 300 digits, resized from 8×8 to 28×28 with the margin that MNIST's digits have."""
    pixels, target = _scans()
    small = torch.tensor(pixels, dtype=torch.float32)[:, None] / 16
    large = F.interpolate(F.pad(small, [1] * 4), size=(25, 25), mode="bicubic", align_corners=False).clamp(0, 1)
    images = F.pad(large, (1, 2, 1, 2)).mul(255).round().div(255)
    labels = torch.tensor(target, dtype=torch.int64)
    rest, test = hold_out(len(labels), TEST)
    kept, validation = hold_out(len(rest), VALIDATION)
    chosen = {"train": rest[kept], "validation": rest[validation], "test": test}[split]
    return ImageDataset(images[chosen], labels[chosen], tuple(str(digit) for digit in range(10)))


@lru_cache(maxsize=1)
def _scans() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's 8×8 scans, 0 to 16, and their digits: read from its data file where that is, for importing scikit-learn
    takes a third of the app's start."""
    package = find_spec("sklearn")
    path = Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz" if package and package.origin else None
    if path is None or not path.is_file():
        from sklearn.datasets import load_digits as read

        raw = read()
        return raw.images, raw.target
    with gzip.open(path, "rt") as file:
        table = np.loadtxt(file, delimiter=",")
    return table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype(np.int64)
