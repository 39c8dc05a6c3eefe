"""Filters and warps of batches of images, as the published code's libraries compute them."""

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def gaussian_weights(sigma: float, radius: int, like: Tensor) -> Float[Tensor, "taps"]:
    places = torch.arange(-radius, radius + 1, dtype=torch.float64)
    weights = torch.exp(-places.square() / (2 * sigma**2))
    return (weights / weights.sum()).to(like)


def gaussian_blur(x: Float[Tensor, "batch c h w"], sigma: float, truncate: float = 4.0, border: str = "nearest") -> Float[Tensor, "batch c h w"]:
    """scikit-image's `gaussian`: truncated at so many σ. `border` is "nearest" (the edge pixel goes on) or "mirror" (the edge is the mirror)."""
    if int(truncate * sigma + 0.5) == 0:
        return x
    rows, columns = (_blur_matrix(size, sigma, truncate, border).to(x) for size in x.shape[2:])
    return rows @ x @ columns.mT


@lru_cache(maxsize=256)
def _blur_matrix(size: int, sigma: float, truncate: float, border: str) -> Float[Tensor, "size size"]:
    """The blur of one axis with its border, as a matrix: at these sizes two products are faster than a convolution."""
    radius = int(truncate * sigma + 0.5)
    matrix = torch.zeros(size, size, dtype=torch.float64)
    weights = gaussian_weights(sigma, radius, matrix)
    places = torch.arange(size)[:, None] + torch.arange(-radius, radius + 1)
    if border == "nearest":
        places = places.clamp(0, size - 1)
    else:
        places = places % (2 * size)  # a b c d | d c b a
        places = torch.where(places < size, places, 2 * size - 1 - places)
    return matrix.scatter_add_(1, places, weights.expand_as(places))


def filtered(x: Float[Tensor, "batch c h w"], kernel: Float[Tensor, "rows columns"]) -> Float[Tensor, "batch c h w"]:
    """Correlation with a small kernel; the border mirrors about its pixel (OpenCV's default)."""
    rows, columns = kernel.shape
    return correlated(mirrored(x, rows // 2, columns // 2), kernel)


def correlated(x: Float[Tensor, "batch c h w"], kernel: Float[Tensor, "rows columns"]) -> Float[Tensor, "batch c high wide"]:
    """Without a border."""
    flat = x.flatten(0, 1)[:, None]
    return F.conv2d(flat, kernel.to(x)[None, None]).unflatten(0, x.shape[:2])[:, :, 0]


def mirrored(x: Float[Tensor, "batch c h w"], rows: int, columns: int) -> Float[Tensor, "batch c high wide"]:
    """So many more pixels on each side, mirrored about the edge's pixel, as often as it takes."""
    while rows or columns:
        now = min(rows, x.shape[2] - 1), min(columns, x.shape[3] - 1)
        x = F.pad(x, (now[1], now[1], now[0], now[0]), mode="reflect")
        rows, columns = rows - now[0], columns - now[1]
    return x


def zoomed(x: Float[Tensor, "batch c h w"], factor: float) -> Float[Tensor, "batch c h w"]:
    """The middle of the image, `factor` times as large (SciPy's `zoom` of first order: corners stay corners)."""
    rows, columns = (_zoom_matrix(size, factor).to(x) for size in x.shape[2:])
    return rows @ x @ columns.mT


@lru_cache(maxsize=1024)
def _zoom_matrix(size: int, factor: float) -> Float[Tensor, "size size"]:
    """Linear interpolation along one axis, as a matrix."""
    inner = math.ceil(size / factor)
    large = round(inner * factor)
    first = (size - inner) // 2
    places = torch.arange(size, dtype=torch.float64).add(max((large - size) // 2, 0)).clamp(max=large - 1) * (inner - 1) / max(large - 1, 1)
    lower = places.floor().long().clamp(max=max(inner - 2, 0))
    matrix = torch.zeros(size, size, dtype=torch.float64)
    upper = (lower + 1).clamp(max=inner - 1)
    matrix.scatter_add_(1, first + lower[:, None], (1 - (places - lower))[:, None])
    return matrix.scatter_add_(1, first + upper[:, None], (places - lower)[:, None])


def sampled(x: Float[Tensor, "batch c h w"], rows: Float[Tensor, "batch h w"], columns: Float[Tensor, "batch h w"], mirror_at_pixel: bool) -> Float[Tensor, "batch c h w"]:
    """Bilinear values at places in pixels; outside, the image is mirrored about the edge's pixel, or else about the edge."""
    height, width = x.shape[2:]
    if mirror_at_pixel:
        grid = torch.stack([2 * columns / max(width - 1, 1) - 1, 2 * rows / max(height - 1, 1) - 1], -1)
    else:
        grid = torch.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], -1)
    return F.grid_sample(x, grid, padding_mode="reflection", align_corners=mirror_at_pixel)


def grid_of(x: Tensor) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h w"]]:
    """(row, column) of each pixel."""
    height, width = x.shape[-2:]
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return rows.to(x), columns.to(x)


def eight_bits(x: Tensor) -> Tensor:
    """Values as bytes hold them after the published code: cut to [0, 1], and rounded down."""
    return (x.clamp(0, 1) * 255 + 1e-4).floor() / 255


def nearest_bytes(x: Tensor) -> Tensor:
    """Values as ImageMagick writes them into 8 bits: cut to [0, 1], and rounded to the nearest."""
    return (x.clamp(0, 1) * 255).round() / 255
