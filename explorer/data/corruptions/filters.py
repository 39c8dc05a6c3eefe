"""Filters and warps of batches of images, as the published code's libraries compute them."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


def gaussian_weights(sigma: float, radius: int, like: Tensor) -> Float[Tensor, "taps"]:
    places = torch.arange(-radius, radius + 1, dtype=torch.float64)
    weights = torch.exp(-places.square() / (2 * sigma**2))
    return (weights / weights.sum()).to(like)


def gaussian_blur(x: Float[Tensor, "batch c h w"], sigma: float, truncate: float = 4.0, border: str = "nearest") -> Float[Tensor, "batch c h w"]:
    """scikit-image's `gaussian`: truncated at so many σ. `border` is "nearest" (the edge pixel goes on) or "mirror" (the edge is the mirror)."""
    radius = int(truncate * sigma + 0.5)
    if sigma <= 0 or radius == 0:
        return x
    weights = gaussian_weights(sigma, radius, x)
    for axis in (2, 3):
        places = _outside(x.shape[axis], radius, border).to(x.device)
        x = (x.index_select(axis, places).unfold(axis, 2 * radius + 1, 1) * weights).sum(-1)
    return x


def _outside(size: int, radius: int, border: str) -> Int[Tensor, "places"]:
    places = torch.arange(-radius, size + radius)
    if border == "nearest":
        return places.clamp(0, size - 1)
    places = places % (2 * size)  # d c b a | a b c d | d c b a
    return torch.where(places < size, places, 2 * size - 1 - places)


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
    height, width = x.shape[2:]
    inner = [-(-size // factor) for size in (height, width)]  # rounded up
    inner = [int(size) for size in inner]
    top, left = ((size - part) // 2 for size, part in zip((height, width), inner, strict=True))
    part = x[:, :, top : top + inner[0], left : left + inner[1]]
    large = F.interpolate(part, size=[max(round(size * factor), 1) for size in inner], mode="bilinear", align_corners=True)
    trim = [max((after - before) // 2, 0) for after, before in zip(large.shape[2:], (height, width), strict=True)]
    cut = large[:, :, trim[0] : trim[0] + height, trim[1] : trim[1] + width]
    missing = height - cut.shape[2], width - cut.shape[3]
    return F.pad(cut, (0, missing[1], 0, missing[0]), mode="replicate") if max(missing) > 0 else cut


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
