"""Data sets made of others: a faint digit in the margin that changes the class (Budgets, §4.2), and two images of which a coloured border
says which one counts (§4.3). What is random about them is drawn once for each split, from the number of its images alone."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from explorer.errors import DataNotFound, InvalidInput
from explorer.randomness import generator
from explorer.registry import look_up

from .base import SPLITS, ImageDataset, data_folder
from .cifar10 import load_cifar10
from .digits import load_digits
from .idx import load_mnist

RESIZED, CROPPED, OPACITY = 12, 8, 0.3  # of the watermark, in pixels, and its share of a full stroke's light
BORDER = 4  # rows on top of a doubled image
INK, CORE = 0.1, 0.5  # from this brightness of the digit, or of the watermark before its opacity, a pixel belongs to it, or to the core of its strokes
LEFT, RIGHT = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)  # the border is red where the left image counts, else green

Load = Callable[[str, Path | None, bool], ImageDataset]
WATERMARKED: dict[str, Load] = {"watermarked_mnist": load_mnist, "watermarked_digits": load_digits}
DOUBLED: dict[str, Load] = {"doubled_cifar10": load_cifar10, "doubled_digits": load_digits}


@dataclass(frozen=True)
class Watermarks:
    """For each image: whether its watermark is a one, the image it is taken from, whether it lies on the right, and its first row."""

    one: Bool[Tensor, "n"]
    source: Int[Tensor, "n"]
    right: Bool[Tensor, "n"]
    top: Int[Tensor, "n"]


def draw_watermarks(labels: Int[Tensor, "n"], height: int, split: str) -> Watermarks:
    """The watermarks of a split, each the image of a zero or of a one of the same split. Raises InvalidInput where there is none."""
    draws = torch.rand(4, len(labels), generator=generator("watermarks", SPLITS.index(split)))
    pools = [torch.nonzero(labels == digit)[:, 0] for digit in (0, 1)]
    if not all(len(pool) for pool in pools):
        raise InvalidInput("watermarks are images of zeros and ones: this split lacks one of them.")
    one = draws[0] < 0.5
    source = torch.where(one, *(pool[(draws[1] * len(pool)).long()] for pool in reversed(pools)))
    return Watermarks(one, source, draws[2] < 0.5, (draws[3] * (height - CROPPED + 1)).long())


def watermarked(base: ImageDataset, split: str) -> ImageDataset:
    """20 classes: the digit, and ten more where the watermark is a one (Budgets, §4.2)."""
    height, width = base.images.shape[-2:]
    drawn = draw_watermarks(base.labels, height, split)
    light = OPACITY * _placed(_small(base.images)[drawn.source], drawn, height, width)
    images = base.images + light - light * base.images  # white ink of that opacity over the image
    names = tuple(str(number) for number in range(2 * len(base.class_names)))
    return ImageDataset(_in_256_levels(images), base.labels + len(base.class_names) * drawn.one, names)


def doubled(base: ImageDataset, split: str) -> ImageDataset:
    """Each image beside another of its split, on a random side, under a border of four rows: red where the left one counts, green where
    the right one does (Budgets, §4.3). The labels are the base's."""
    count = len(base)
    draws = torch.rand(2, count, generator=generator("doubled", SPLITS.index(split)))
    left, other = draws[0] < 0.5, (draws[1] * count).long()
    columns = left.view(-1, 1, 1, 1)
    own, partner = (images.expand(-1, 3, -1, -1) for images in (base.images, base.images[other]))
    halves = torch.cat([torch.where(columns, own, partner), torch.where(columns, partner, own)], 3)
    border = torch.where(columns, torch.tensor(LEFT).view(1, 3, 1, 1), torch.tensor(RIGHT).view(1, 3, 1, 1))
    return ImageDataset(torch.cat([border.expand(-1, -1, BORDER, halves.shape[3]), halves], 2), base.labels, base.class_names)


def left_counts(images: Float[Tensor, "n 3 height width"]) -> Bool[Tensor, "n"]:
    """Of doubled images, whether the left one counts: the border is red."""
    return images[:, 0, 0, 0] > images[:, 1, 0, 0]


def watermark_masks(
    name: str, split: str = "test", root: str | Path | None = None, limit: int | None = None, *, brightness: float = INK, download: bool = True
) -> tuple[Bool[Tensor, "n height width"], Bool[Tensor, "n height width"]]:
    """Which pixels of each image of a watermarked data set belong to its watermark, and which to its digit, from a brightness on (the
    watermark's before its opacity); some may belong to both. The other arguments and errors are those of `load_dataset`."""
    load = look_up(WATERMARKED, name, "watermarked data set")
    if split not in SPLITS:
        raise InvalidInput(f"unknown split {split!r}. Expected one of {', '.join(SPLITS)}.")
    base = _base(name, load, split, data_folder(root), download)
    height, width = base.images.shape[-2:]
    drawn = draw_watermarks(base.labels, height, split)
    mark = _placed(_small(base.images)[drawn.source], drawn, height, width)
    masks = (mark[:, 0] >= brightness, base.images[:, 0] >= brightness)
    return masks if limit is None else (masks[0][:limit], masks[1][:limit])


def load_watermarked(name: str) -> Load:
    """How `load_dataset` reads that watermarked data set."""
    return lambda split, root, download: watermarked(_base(name, WATERMARKED[name], split, root, download), split)


def load_doubled(name: str) -> Load:
    """How `load_dataset` reads that doubled data set."""
    return lambda split, root, download: doubled(_base(name, DOUBLED[name], split, root, download), split)


def _base(name: str, load: Load, split: str, root: Path | None, download: bool) -> ImageDataset:
    try:
        return load(split, root, download)
    except DataNotFound as error:
        raise DataNotFound(f"{name!r} is made of another data set, which is missing. {error}") from error


def _small(images: Float[Tensor, "n 1 height width"]) -> Float[Tensor, "n 1 side side"]:
    """Scaled down to 12×12, without two pixels on each side."""
    margin = (RESIZED - CROPPED) // 2
    return F.interpolate(images, (RESIZED, RESIZED), mode="bilinear", antialias=True)[..., margin:-margin, margin:-margin].clamp(0, 1)


def _placed(small: Float[Tensor, "n 1 side side"], drawn: Watermarks, height: int, width: int) -> Float[Tensor, "n 1 height width"]:
    """The watermarks on black images, each in its place in the left or right margin."""
    canvas = small.new_zeros(len(small), 1, height, width)
    examples = torch.arange(len(small))[:, None, None]
    rows = drawn.top[:, None, None] + torch.arange(CROPPED)[:, None]
    columns = torch.where(drawn.right, width - CROPPED, 0)[:, None, None] + torch.arange(CROPPED)
    canvas[examples, 0, rows, columns] = small[:, 0]
    return canvas


def _in_256_levels(images: Tensor) -> Tensor:
    return images.mul(255).round().div(255)
