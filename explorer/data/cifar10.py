"""CIFAR-10, as published in python batches, or as lossless picture grids with labels.npz."""

import hashlib
import io
import pickle
import shutil
import tarfile
import tempfile
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from explorer.errors import DataNotFound, InvalidInput

from .base import ImageDataset, hold_out

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
VALIDATION = 1000  # as for MNIST
BATCHES = {"train": tuple(f"data_batch_{number}" for number in range(1, 6)), "test": ("test_batch",)}
GRIDS = {"train": tuple(f"train_batch_{number}.webp" for number in range(1, 6)), "test": ("test_batch.webp",)}
PUBLISHED, GRID = "cifar-10-batches-py", "cifar10"
URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
MD5 = "c58f30108f718f92721af3b95e74349a"  # published beside it
EDGE, BATCH_BYTES = 32, 200 << 20


def load_cifar10(split: str, root: Path | None, download: bool = True) -> ImageDataset:
    """49,000 / 1,000 / 10,000 images of 3 × 32 × 32. The published batches are read first, else the grids, else it is downloaded."""
    base = root or Path("data")
    part = "test" if split == "test" else "train"
    read = _reader(base, part)
    if read is None:
        _download(base, download)
        read = _reader(base, part) or _missing(base, "the download lacks a batch")
    pixels, labels = read()
    chosen = split_rows(len(labels), split)
    return ImageDataset(pixels[chosen].float().div_(255), labels[chosen], CLASSES)


def split_rows(published: int, split: str) -> Int[Tensor, "n"]:
    """Which of so many published images are those of a split, in order."""
    if split == "test":
        return torch.arange(published)
    kept, held = hold_out(published, min(VALIDATION, published // 10))
    return kept if split == "train" else held


def read_batch(path: Path) -> tuple[Tensor, Tensor]:
    """The images and labels of a published batch. Raises InvalidInput for anything else."""
    try:
        with open(path, "rb") as file:
            content = _Restricted(io.BytesIO(file.read(BATCH_BYTES)), encoding="bytes").load()
        named = {key.decode() if isinstance(key, bytes) else key: value for key, value in content.items()}
        pixels, labels = named["data"], named["labels"]
        whole = isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8 and pixels.ndim == 2 and pixels.shape[1] == 3 * EDGE * EDGE
        classes = torch.as_tensor(labels, dtype=torch.int64)
    except _Forbidden as error:
        raise InvalidInput(f"{path} is not a batch of CIFAR-10: it asks for {error}, which a batch does not hold. Delete it and download it again.") from None
    except Exception as error:  # a damaged pickle raises whatever its opcodes lead to
        raise InvalidInput(f"{path} is damaged ({type(error).__name__}). Download it again.") from None
    if not whole:
        raise InvalidInput(f"{path} holds no images of 3 × 32 × 32 bytes. Download it again.")
    images = torch.from_numpy(pixels.copy()).view(-1, 3, EDGE, EDGE)
    return images, _checked(path, images, classes)


def read_grid(path: Path, labels: np.ndarray) -> tuple[Tensor, Tensor]:
    """The images of a square picture of 32 × 32 tiles, row by row. Raises InvalidInput where it has another number than labels."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB"))
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InvalidInput(f"{path} cannot be read as a picture ({type(error).__name__}). Copy it again.") from None
    rows, columns = pixels.shape[0] // EDGE, pixels.shape[1] // EDGE
    if pixels.shape != (rows * EDGE, columns * EDGE, 3):
        raise InvalidInput(f"{path} has {pixels.shape[1]} × {pixels.shape[0]} pixels, expected multiples of {EDGE}. Copy it again.")
    tiles = pixels.reshape(rows, EDGE, columns, EDGE, 3).transpose(0, 2, 4, 1, 3).reshape(-1, 3, EDGE, EDGE)
    images = torch.from_numpy(tiles.copy())
    return images, _checked(path, images, torch.from_numpy(labels.astype(np.int64)))


class _Forbidden(Exception):
    """A name that no batch holds."""


class _Restricted(pickle.Unpickler):
    """Builds plain values and arrays; any other name in the file stops it before anything is called."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return KNOWN[module, name]
        except KeyError:
            raise _Forbidden(f"{module}.{name}") from None


def _encode(text: str, encoding: str = "latin1") -> bytes:
    return text.encode("latin1")


RECONSTRUCT = np.empty(0).__reduce__()[0]
KNOWN = {  # all that pickled arrays and, from newer versions, pickled bytes ask for
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): RECONSTRUCT,
    ("_codecs", "encode"): _encode,
}


def _checked(path: Path, images: Tensor, labels: Tensor) -> Tensor:
    if labels.shape != (len(images),) or not len(images) or not 0 <= int(labels.min()) <= int(labels.max()) < len(CLASSES):
        raise InvalidInput(f"{path} holds {len(images)} images and {tuple(labels.shape)} labels from 0 to 9: they do not belong together.")
    return labels


def _reader(base: Path, part: str):
    """What reads this part of the set from the first place that holds all of it; None where there is none."""
    for place in (base / PUBLISHED, base):
        if all((place / name).is_file() for name in BATCHES[part]):
            return lambda: _joined([read_batch(place / name) for name in BATCHES[part]])
    for place in (base / GRID, base):
        if (place / "labels.npz").is_file() and all((place / name).is_file() for name in GRIDS[part]):
            return lambda: _from_grids(place, part)
    return None


def _from_grids(place: Path, part: str) -> tuple[Tensor, Tensor]:
    path = place / "labels.npz"
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            labels = stored[f"y_{part}"]
        rows = np.split(labels, len(GRIDS[part]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InvalidInput(f"{path} holds no labels y_{part} for {len(GRIDS[part])} pictures ({type(error).__name__}). Copy it again.") from None
    return _joined([read_grid(place / name, each) for name, each in zip(GRIDS[part], rows)])


def _joined(parts: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    images, labels = zip(*parts)
    return torch.cat(images), torch.cat(labels)


def _download(base: Path, allowed: bool) -> None:
    """Fetch the published archive into a folder beside its place, check its sum, and move the batches there when they are whole."""
    if not allowed:
        _missing(base, "nothing was downloaded")
    try:
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=base) as partial:
            archive = Path(partial) / "cifar-10-python.tar.gz"
            with urllib.request.urlopen(URL, timeout=60) as answer, open(archive, "wb") as file:
                shutil.copyfileobj(answer, file)
            with open(archive, "rb") as file:
                if hashlib.file_digest(file, "md5").hexdigest() != MD5:
                    raise ValueError("its sum is not the published one")
            with tarfile.open(archive) as opened:
                opened.extractall(partial, filter="data")
            shutil.copytree(Path(partial) / PUBLISHED, base / PUBLISHED, dirs_exist_ok=True)
    except Exception as error:  # networks and archives fail in many ways
        _missing(base, f"the download failed ({type(error).__name__})", error)


def _missing(base: Path, failure: str, cause: Exception | None = None):
    raise DataNotFound(
        f"CIFAR-10 was not found: looked in {base / PUBLISHED}, {base / GRID} and {base}, and {failure}. Put the published python batches "
        f"(data_batch_1 to 5, test_batch) into the first, or the grids (train_batch_1 to 5, test_batch .webp, labels.npz) into the second, "
        f"or name another folder with --root or the variable EXPLORER_DATA. The data set 'digits' needs no files."
    ) from cause
