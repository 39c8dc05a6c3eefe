"""Elastic deformation, and what compression and resizing leave."""

import io
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from . import filters
from .draws import Draws
from .filters import sampled


def elastic_transform(x: Float[Tensor, "batch c h w"], constants: tuple[float, float, float], draws: Draws) -> Float[Tensor, "batch c h w"]:
    """A small random affine map, then smooth displacements. Constants are shares of the shorter side: the size of the displacements, their
    Gaussian's σ, and how far three corners of the affine map move."""
    size = min(x.shape[2:])
    amount, sigma, corners = (size * each for each in constants)
    x = _affine(x, draws.uniform((3, 2), -corners, corners).double())
    noise = draws.uniform((2, *x.shape[2:]), -1, 1)
    across, down = (amount * filters.gaussian_blur(noise, sigma, truncate=3, border="mirror")).unbind(1)
    rows, columns = filters.grid_of(x)
    return sampled(x, rows + down, columns + across, mirror_at_pixel=False)


def _affine(x: Float[Tensor, "batch c h w"], moved: Float[Tensor, "batch 3 2"]) -> Float[Tensor, "batch c h w"]:
    """The affine map of three corners of a square in the middle to where they move, as (column, row); pixels outside are mirrored."""
    height, width = x.shape[2:]
    centre, size = moved.new_tensor([height // 2, width // 2]), min(height, width) // 3
    before = torch.stack([centre + size, centre + moved.new_tensor([size, -size]), centre - size])
    after = torch.cat([before + moved, moved.new_ones(len(moved), 3, 1)], 2)
    back = torch.linalg.solve(after, before.expand(len(moved), 3, 2))  # (column, row, 1) of the result -> (column, row) of the image
    rows, columns = filters.grid_of(x)
    places = torch.stack([columns, rows, torch.ones_like(rows)], -1).double().flatten(0, 1) @ back
    columns, rows = places.view(-1, height, width, 2).to(x).unbind(-1)
    return sampled(x, rows, columns, mirror_at_pixel=True)


def pixelate(x: Float[Tensor, "batch c h w"], share: float, draws: Draws) -> Float[Tensor, "batch c h w"]:
    """Resized to that share of its sides and back, each pixel the mean of what it covers."""
    height, width = x.shape[2:]
    small = max(int(width * share), 1), max(int(height * share), 1)
    return _through_pillow(x, lambda picture: picture.resize(small, Image.Resampling.BOX).resize((width, height), Image.Resampling.BOX))


def jpeg_compression(x: Float[Tensor, "batch c h w"], quality: int, draws: Draws) -> Float[Tensor, "batch c h w"]:
    def compressed(picture: Image.Image) -> Image.Image:
        written = io.BytesIO()
        picture.save(written, "JPEG", quality=quality)
        return Image.open(written)

    return _through_pillow(x, compressed)


def _through_pillow(x: Float[Tensor, "batch c h w"], change: Callable[[Image.Image], Image.Image]) -> Float[Tensor, "batch c h w"]:
    if not len(x):
        return x
    bytes_ = (x.clamp(0, 1) * 255 + 0.5).byte().movedim(1, -1).cpu().numpy()
    pictures = [np.asarray(change(Image.fromarray(each[..., 0] if each.shape[-1] == 1 else each))) for each in bytes_]
    return torch.from_numpy(np.stack(pictures)).view(len(x), *x.shape[2:], -1).movedim(-1, 1).to(x) / 255
