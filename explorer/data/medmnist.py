"""OrganMNIST (axial) of MedMNIST, in its published layout: one .npz with the images and labels of three splits."""

import hashlib
import os
import shutil
import tempfile
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from explorer.errors import DataNotFound, InvalidInput

from .base import ImageDataset

FILE = "organamnist.npz"
URL = f"https://zenodo.org/records/10519652/files/{FILE}?download=1"
MD5 = "68e3f8846a6bd62f0c9bf841c0d9eacc"  # published with it
ORGANS = (
    "bladder", "femur-left", "femur-right", "heart", "kidney-left", "kidney-right", "liver", "lung-left", "lung-right", "pancreas", "spleen",
)  # fmt: skip
KEYS = {"train": "train", "validation": "val", "test": "test"}
EDGE = 28
FOLDERS = ("medmnist", "MedMNIST", "")


def load_organamnist(split: str, root: Path | None, download: bool = True) -> ImageDataset:
    """34,561 / 6,491 / 17,778 images of 1 × 28 × 28 in 11 classes, in their published splits."""
    base = root or Path("data")
    path = _find(base)
    if path is None:
        _download(base, download)
        path = _find(base) or _missing(base, "the download was lost")
    pixels, labels = read_npz(path, KEYS[split])
    return ImageDataset(pixels[:, None].float().div_(255), labels, ORGANS)


def read_npz(path: Path, split: str) -> tuple[Tensor, Tensor]:
    """The images (bytes) and labels of a split: train, val or test. Raises InvalidInput where the file holds anything else."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            pixels, labels = stored[f"{split}_images"], stored[f"{split}_labels"]
    except KeyError as error:
        raise InvalidInput(f"{path} holds no {error.args[0]}: expected the arrays of MedMNIST's {FILE}. Download it again.") from None
    except (OSError, ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise InvalidInput(f"{path} cannot be read as an .npz of plain arrays ({type(error).__name__}). Download it again.") from None
    if pixels.dtype != np.uint8 or pixels.shape[1:] != (EDGE, EDGE) or not len(pixels):
        raise InvalidInput(f"{path}: {split}_images is {pixels.dtype} {pixels.shape}, expected bytes of n × {EDGE} × {EDGE}. Larger versions are not read.")
    if labels.dtype.kind not in "iu" or labels.shape != (len(pixels), 1) or not 0 <= int(labels.min()) <= int(labels.max()) < len(ORGANS):
        raise InvalidInput(f"{path}: {split}_labels is {labels.dtype} {labels.shape}, expected {len(pixels)} × 1 classes from 0 to {len(ORGANS) - 1}.")
    return torch.from_numpy(pixels), torch.from_numpy(labels[:, 0].astype(np.int64))


def _find(base: Path) -> Path | None:
    return next((path for path in (base / folder / FILE for folder in FOLDERS) if path.is_file()), None)


def _download(base: Path, allowed: bool) -> None:
    """Fetch the file beside its place, check its sum, and move it there when it is whole."""
    if not allowed:
        _missing(base, "nothing was downloaded")
    folder = base / FOLDERS[0]
    try:
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=base) as partial:
            fetched = Path(partial) / FILE
            with urllib.request.urlopen(URL, timeout=60) as answer, open(fetched, "wb") as file:
                shutil.copyfileobj(answer, file)
            with open(fetched, "rb") as file:
                if hashlib.file_digest(file, "md5").hexdigest() != MD5:
                    raise ValueError("its sum is not the published one")
            folder.mkdir(exist_ok=True)
            os.replace(fetched, folder / FILE)
    except Exception as error:  # networks fail in many ways
        _missing(base, f"the download failed ({type(error).__name__})", error)


def _missing(base: Path, failure: str, cause: Exception | None = None):
    looked = ", ".join(str(base / folder) for folder in FOLDERS)
    raise DataNotFound(
        f"OrganMNIST (axial) was not found: looked for {FILE} in {looked}, and {failure}. Put MedMNIST's {FILE} (28×28) into one of these "
        f"folders, or name another with --root or the variable EXPLORER_DATA. The data set 'digits' needs no files."
    ) from cause
