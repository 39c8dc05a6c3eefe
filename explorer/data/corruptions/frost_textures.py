"""Pictures of frost: made by the code, or the user's own photographs.

The published corruption lays photographs over the image that cannot be shipped here. Ours are fields of ice needles, seeded, so that the same
seed gives the same frost; FROST_VARIABLE names a folder of photographs that are taken instead, as in the published code."""

import math
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from explorer.data.pictures import MAXIMUM_PIXELS
from explorer.errors import InvalidInput
from explorer.randomness import generator

from .constants import LARGEST_SMALL

FROST_VARIABLE = "EXPLORER_FROST"
COUNT, NEEDLES, SMALL_SHARE = 5, 220, 0.2  # the published code draws one of five, and shrinks photographs to a fifth for images of 32 pixels
TINT = (0.86, 0.94, 1.0)


def frost_textures(size: tuple[int, int]) -> Float[Tensor, "textures 3 height width"]:
    """All of one size, at least that of the image. Raises InvalidInput for a folder of photographs that cannot be used."""
    folder = os.environ.get(FROST_VARIABLE)
    return _photographs(folder, size) if folder else _made(2 * max(size))


def is_made() -> bool:
    """Whether the code's own textures are used, which a page has to say."""
    return not os.environ.get(FROST_VARIABLE)


@lru_cache(maxsize=8)
def _photographs(folder: str, size: tuple[int, int]) -> Float[Tensor, "textures 3 height width"]:
    paths = sorted(path for path in Path(folder).glob("*") if path.suffix.lower() in (".png", ".jpg", ".jpeg"))[:COUNT]
    if not paths:
        raise InvalidInput(f"{FROST_VARIABLE} = {folder}: expected a folder with photographs of frost (.png or .jpg), found none. Unset it for textures made by the code.")
    pictures = [_opened(path) for path in paths]
    share = SMALL_SHARE if max(size) <= LARGEST_SMALL else 1.0
    wanted = [max(min(round(share * picture.shape[axis]) for picture in pictures), size[axis - 2]) for axis in (2, 3)]
    return torch.cat([F.interpolate(each, wanted, mode="bilinear", antialias=True) for each in pictures])


def _opened(path: Path) -> Float[Tensor, "1 3 height width"]:
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as picture:
            if picture.width * picture.height > MAXIMUM_PIXELS:
                raise InvalidInput(f"{path} has {picture.width} × {picture.height} pixels. Photographs of frost may have {MAXIMUM_PIXELS:,} at most.")
            pixels = np.array(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidInput(f"{path} cannot be read as a photograph of frost: {error}. Take it out of the folder that {FROST_VARIABLE} names.") from None
    return torch.from_numpy(pixels).movedim(-1, 0)[None].float() / 255


@lru_cache(maxsize=8)
def _made(side: int) -> Float[Tensor, "textures 3 side side"]:
    return torch.cat([_needles(side, index) for index in range(COUNT)])


def _needles(side: int, index: int) -> Float[Tensor, "1 3 side side"]:
    """Needles of ice that grow from seeds, each brightest along its middle line and thinner towards its end, on a smooth haze."""
    draw = generator("frost", index)
    start = torch.rand(NEEDLES, 2, generator=draw) * side
    angle = torch.randint(6, (NEEDLES,), generator=draw) * (math.pi / 3) + 0.25 * torch.randn(NEEDLES, generator=draw)
    length = side * (0.08 + 0.35 * torch.rand(NEEDLES, generator=draw) ** 2)
    width = 0.6 + side * 0.012 * torch.rand(NEEDLES, generator=draw)
    bright = 0.25 + 0.6 * torch.rand(NEEDLES, generator=draw)
    rows, columns = torch.meshgrid(torch.arange(side) + 0.5, torch.arange(side) + 0.5, indexing="ij")
    field = torch.zeros(side, side)
    for (row, column), turn, reach, thick, light in zip(start, angle, length, width, bright, strict=True):
        along = (rows - row) * turn.sin() + (columns - column) * turn.cos()
        across = (rows - row) * turn.cos() - (columns - column) * turn.sin()
        share = (along / reach).clamp(0, 1)
        inside = ((along > 0) & (along < reach)).float()
        field = torch.maximum(field, light * inside * (1 - 0.5 * share) * torch.exp(-((across / (thick * (1.05 - share))) ** 2)))
    haze = F.interpolate(torch.rand(1, 1, 5, 5, generator=draw), (side, side), mode="bicubic", align_corners=True)[0, 0].clamp(0, 1)
    grain = 0.06 * torch.randn(side, side, generator=draw)
    return ((0.3 + 0.35 * haze + field + grain).clamp(0, 1) * torch.tensor(TINT)[:, None, None])[None]
