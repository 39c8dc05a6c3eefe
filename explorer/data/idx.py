"""MNIST and Fashion-MNIST in their published layout: four idx files, gzipped or not."""

import gzip
import math
import shutil
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from explorer.errors import DataNotFound, InvalidInput

from .base import ImageDataset, hold_out

VALIDATION = 1000  # Perturbation sets, Appendix D: "1,000 examples randomly set aside for validation purposes"
FASHION_CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
MAXIMUM_BYTES = 1 << 30


def load_mnist(split: str, root: Path | None, download: bool = True) -> ImageDataset:
    return _load("MNIST", split, root, download, tuple(str(digit) for digit in range(10)))


def load_fashion_mnist(split: str, root: Path | None, download: bool = True) -> ImageDataset:
    return _load("FashionMNIST", split, root, download, FASHION_CLASSES)


def read_idx(path: Path) -> Tensor:
    """The unsigned bytes of an idx file. Raises InvalidInput where its header and its length disagree."""
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            content = file.read(MAXIMUM_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(f"{path} cannot be read ({error}). Download it again.") from None
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise InvalidInput(f"{path} is not an idx file of unsigned bytes. Download it again.")
    dimensions = content[3]
    header = 4 + 4 * dimensions
    if len(content) < header:
        raise InvalidInput(f"{path} ends inside its header. Download it again.")
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    if math.prod(shape) != len(content) - header:
        raise InvalidInput(f"{path} announces {shape} values but holds {len(content) - header} bytes. Download it again.")
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=header).reshape(shape).copy())


def _load(folder: str, split: str, root: Path | None, download: bool, class_names: tuple[str, ...]) -> ImageDataset:
    part = "t10k" if split == "test" else "train"
    base = root or Path("data")
    images, labels = (_find(base, folder, f"{part}-{kind}") for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"))
    if images is None or labels is None:
        _download(folder, base, download)
        images, labels = (_find(base, folder, f"{part}-{kind}") for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"))
    pixels, classes = read_idx(images), read_idx(labels).to(torch.int64)
    if pixels.ndim != 3 or classes.shape != pixels.shape[:1] or not len(classes) or int(classes.max()) >= len(class_names):
        raise InvalidInput(f"{images} {tuple(pixels.shape)} and {labels} {tuple(classes.shape)} do not belong together.")
    if split != "test":
        kept, held = hold_out(len(classes), min(VALIDATION, len(classes) // 10))
        chosen = kept if split == "train" else held
        pixels, classes = pixels[chosen], classes[chosen]
    return ImageDataset(pixels[:, None].float().div(255), classes, class_names)


def _places(base: Path, folder: str) -> tuple[Path, ...]:
    return base / folder / "raw", base / folder, base


def _find(base: Path, folder: str, stem: str) -> Path | None:
    candidates = (place / (stem + end) for place in _places(base, folder) for end in ("", ".gz"))
    return next((path for path in candidates if path.is_file()), None)


def _download(folder: str, base: Path, allowed: bool) -> None:
    """Fetch the set through torchvision into a folder beside its place, and move it there when it is whole."""
    looked = ", ".join(str(place) for place in _places(base, folder))
    failure, cause = "nothing was downloaded", None
    if allowed:
        import torchvision

        try:
            base.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=base) as partial:
                getattr(torchvision.datasets, folder)(partial, download=True)
                shutil.copytree(Path(partial) / folder, base / folder, dirs_exist_ok=True)
            return
        except Exception as error:  # torchvision raises whatever its mirrors' failures are
            failure, cause = f"the download failed ({type(error).__name__})", error
    raise DataNotFound(
        f"{folder} was not found: looked in {looked}, and {failure}. Put its four published idx files (…-images-idx3-ubyte, "
        f"…-labels-idx1-ubyte, gzipped or not) into one of these folders, or name another with --root or the variable "
        f"EXPLORER_DATA. The data set 'digits' needs no files."
    ) from cause
