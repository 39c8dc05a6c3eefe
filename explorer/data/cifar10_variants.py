"""CIFAR-10-C and CIFAR-10.1 in their published layouts."""

from pathlib import Path

import numpy as np
import torch

from explorer.errors import DataNotFound, InvalidInput
from explorer.registry import look_up

from .base import ImageDataset, data_folder
from .cifar10 import CLASSES, EDGE
from .corruptions import CORRUPTIONS, SEVERITIES

CORRUPTED, PER_SEVERITY = "CIFAR-10-C", 10_000
NEW_IMAGES = ("cifar10.1_v6_data.npy", "cifar10.1_v6_labels.npy")
NEW_FOLDERS = ("CIFAR-10.1", "cifar10.1", "CIFAR-10.1/datasets")
CORRUPTED_PAGE, NEW_PAGE = "https://zenodo.org/records/2535967", "https://github.com/modestyachts/CIFAR-10.1"


def load_corrupted_cifar10(name: str, severity: int, root: str | Path | None = None, part: slice = slice(None)) -> ImageDataset:
    """The 10,000 test images of CIFAR-10 under a corruption at a severity from 1 to 5 (Hendrycks & Dietterich, 2019), in the order of the labels.

    A file holds the severities one after another; only the one asked for is read, and of it only `part`. Raises UnknownName for a corruption, DataNotFound without
    the files, InvalidInput for files of another layout."""
    look_up(CORRUPTIONS, name, "corruption")
    if severity not in SEVERITIES:
        raise InvalidInput(f"severity must be 1, 2, 3, 4 or 5, got {severity!r}.")
    folder = (data_folder(root) or Path("data")) / CORRUPTED
    rows = slice((severity - 1) * PER_SEVERITY, severity * PER_SEVERITY)
    pixels = open_array(folder / f"{name}.npy", (len(SEVERITIES) * PER_SEVERITY, EDGE, EDGE, 3), np.uint8, CORRUPTED_PAGE)[rows][part]
    labels = open_array(folder / "labels.npy", (len(SEVERITIES) * PER_SEVERITY,), None, CORRUPTED_PAGE)[rows][part]
    return _dataset(pixels, labels, folder / "labels.npy")


def load_new_cifar10(split: str, root: Path | None, download: bool = True) -> ImageDataset:
    """CIFAR-10.1 (v6), 2,000 new test images of the ten classes (Recht et al., 2018)."""
    if split != "test":
        raise InvalidInput(f"CIFAR-10.1 has test images only, got the split {split!r}. Train on 'cifar10'.")
    base = root or Path("data")
    folder = next((base / each for each in NEW_FOLDERS if (base / each / NEW_IMAGES[0]).is_file()), base / NEW_FOLDERS[0])
    pixels = open_array(folder / NEW_IMAGES[0], (None, EDGE, EDGE, 3), np.uint8, NEW_PAGE)
    labels = open_array(folder / NEW_IMAGES[1], (len(pixels),), None, NEW_PAGE)
    return _dataset(pixels, labels, folder / NEW_IMAGES[1])


def open_array(path: Path, shape: tuple[int | None, ...], dtype: type | None, page: str) -> np.ndarray:
    """Opened without reading it; integers where no type is asked for."""
    if not path.is_file():
        raise DataNotFound(f"{path} was not found. Put the published files there ({page}), or name their parent folder with --root or the variable EXPLORER_DATA.")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InvalidInput(f"{path} is damaged ({type(error).__name__}). Copy it again from {page}.") from None
    fits = array.ndim == len(shape) and all(wanted in (None, has) for wanted, has in zip(shape, array.shape, strict=False))
    if not fits or (array.dtype != dtype if dtype else array.dtype.kind not in "iu"):
        wanted = " × ".join("n" if each is None else f"{each:,}" for each in shape)
        raise InvalidInput(f"{path} holds {array.dtype} of shape {array.shape}, expected {'bytes' if dtype else 'integers'} of {wanted}. Copy it again from {page}.")
    return array


def _dataset(pixels: np.ndarray, labels: np.ndarray, where: Path) -> ImageDataset:
    classes = torch.from_numpy(labels.astype(np.int64))
    if not ((classes >= 0) & (classes < len(CLASSES))).all():
        raise InvalidInput(f"{where} holds labels from {int(classes.min())} to {int(classes.max())}, expected 0 to 9. Copy it again.")
    return ImageDataset(torch.from_numpy(np.array(pixels)).movedim(-1, 1).float().div_(255), classes, CLASSES)
