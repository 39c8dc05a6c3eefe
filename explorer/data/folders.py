"""Pictures in folders, read when they are asked for: for data sets that no memory holds."""

import hashlib
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.errors import InvalidInput

from .base import ImageDataset

KEPT = 0.875  # of the shorter side, which the centre crop keeps: 224 of 256
READERS = 8
FIRST = 224  # pixels of a random crop before it is made smaller (AdA, Appendix E.1)
SCALES, RATIOS, ATTEMPTS = (0.08, 1.0), (3 / 4, 4 / 3), 10  # of a random crop: its share of the picture, and width over height
Index = slice | Sequence[int] | Tensor


@dataclass(frozen=True)
class FolderImages:
    """Pictures on disk with their labels; `[positions]` reads just those, at `size` pixels: the shorter side is resized so that the square in the
    middle holds `kept` of it (bilinear, smoothed), and that square is cut out."""

    paths: tuple[Path, ...]
    labels: Int[Tensor, "n"]
    class_names: tuple[str, ...]
    size: int = 128
    kept: float = KEPT

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: Index) -> ImageDataset:
        """Raises InvalidInput that names a file which is no picture."""
        positions = torch.arange(len(self))[index].reshape(-1)
        images = in_threads(lambda at: middle(opened(self.paths[at]), self.size, self.kept), positions.tolist())
        return ImageDataset(torch.stack(images) if images else torch.empty(0, 3, self.size, self.size), self.labels[positions], self.class_names)

    @property
    def images(self) -> "PicturesAsImages":
        """In the place of a tensor: what is asked for is read."""
        return PicturesAsImages(self)

    def part(self, index: Index) -> "FolderImages":
        """Some of them, unread."""
        positions = torch.arange(len(self))[index].reshape(-1)
        return FolderImages(tuple(self.paths[at] for at in positions.tolist()), self.labels[positions], self.class_names, self.size, self.kept)

    def few(self, limit: int | None) -> "FolderImages":
        """So many at equal distances, since pictures lie in order of their classes; none: all."""
        return self if limit is None or limit >= len(self) else self.part(torch.arange(limit) * len(self) // limit)

    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change with any file's name, size or label, and with how pictures are cut."""
        digest = hashlib.sha256(f"{self.size} {self.kept}".encode())
        for path, label in zip(self.paths, self.labels.tolist(), strict=True):
            digest.update(f"{path.parent.name}/{path.name} {path.stat().st_size} {label}\n".encode())
        return digest.hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class PicturesAsImages:
    """`[positions]` of pictures, as a tensor."""

    pictures: FolderImages

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: Index) -> Float[Tensor, "some 3 size size"]:
        return self.pictures[index].images

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return (len(self), 3, self.pictures.size, self.pictures.size)


def random_crops(paths: Sequence[Path], size: int, generator: torch.Generator) -> Float[Tensor, "some 3 size size"]:
    """A random part of each picture, a share of 0.08 to 1 of it that is 3/4 to 4/3 as wide as high, resized to 224 × 224 and then to `size`
    (bilinear, smoothed), and mirrored with probability ½ (AdA, Appendix E.1; the usual training of ImageNet). Numbers are drawn before
    anything is read, so that they do not depend on threads."""
    draws = torch.rand(len(paths), ATTEMPTS + 1, 4, generator=generator).tolist()
    found = in_threads(lambda at: _random_crop(opened(paths[at]), size, draws[at]), range(len(paths)))
    return torch.stack(found) if found else torch.empty(0, 3, size, size)


def crop_box(width: int, height: int, draws: Sequence[Sequence[float]]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the first part that fits, of numbers from 0 to 1; where none does, the largest in the middle."""
    for area, ratio, across, down in draws:
        pixels, aspect = width * height * _between(SCALES, area), math.exp(_between([math.log(each) for each in RATIOS], ratio))
        wide, high = round(math.sqrt(pixels * aspect)), round(math.sqrt(pixels / aspect))
        if 0 < wide <= width and 0 < high <= height:
            left, top = int(across * (width - wide + 1)), int(down * (height - high + 1))
            return left, top, left + wide, top + high
    wide, high = min(width, round(height * RATIOS[1])), min(height, round(width / RATIOS[0]))
    return (width - wide) // 2, (height - high) // 2, (width + wide) // 2, (height + high) // 2


def opened(path: Path):
    """A picture with three channels. Raises InvalidInput that names the file."""
    from PIL import Image

    try:
        with Image.open(path) as file:
            return file.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidInput(f"{path} cannot be read as a picture ({type(error).__name__}). Extract the archive again.") from None


def middle(picture, size: int, kept: float) -> Float[Tensor, "3 size size"]:
    """The square in the middle that holds that share of the shorter side."""
    picture = with_shorter_side(picture, round(size / kept), size)
    left, top = (picture.width - size) // 2, (picture.height - size) // 2
    return as_tensor(picture.crop((left, top, left + size, top + size)))


def with_shorter_side(picture, pixels: int, least: int = 1):
    """Resized as a whole."""
    scale = pixels / min(picture.size)
    width, height = (max(least, round(side * scale)) for side in picture.size)
    return picture.resize((width, height), _bilinear())


def as_tensor(picture) -> Float[Tensor, "3 h w"]:
    return torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255).permute(2, 0, 1)


def in_threads(read: Callable[[int], Tensor], positions: Sequence[int]) -> list[Tensor]:
    """In their order."""
    with ThreadPoolExecutor(READERS) as readers:
        return list(readers.map(read, positions))


def _random_crop(picture, size: int, draws: list[list[float]]) -> Float[Tensor, "3 size size"]:
    *attempts, (mirrored, *_) = draws
    cut = picture.resize((FIRST, FIRST), _bilinear(), box=crop_box(*picture.size, attempts)).resize((size, size), _bilinear())
    return as_tensor(cut).flip(2) if mirrored < 0.5 else as_tensor(cut)


def _bilinear():
    from PIL import Image

    return Image.Resampling.BILINEAR


def _between(ends: Sequence[float], share: float) -> float:
    return ends[0] + share * (ends[1] - ends[0])
