"""The structural similarity of images (Wang et al., 2004), one value per pair of images, with gradients.

Window: Gaussian of 11 × 11 with σ = 1.5, as AdA's Appendix F.1; only where it lies inside the image, with the window's own (population)
covariance, mean over positions and channels: scikit-image's value with `gaussian_weights=True, sigma=1.5, use_sample_covariance=False`."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.errors import InvalidInput

WINDOW, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03  # times the range of pixels, which is 1


def ssim(x: Float[Tensor, "batch channels height width"], y: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch"]:
    """1 for equal images, at least −1. Pixels in [0, 1]. Raises InvalidInput below 11 pixels, and for batches of different shapes."""
    _check(x, y)
    rows, columns = _averages(x.shape[2], x), _averages(x.shape[3], x)
    means = rows @ torch.stack([x, y, x * x + y * y, x * y]) @ columns.mT
    mean_x, mean_y, squares, product = means.unbind()
    product_of_means, squares_of_means = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    luminance = (2 * product_of_means + K1**2) / (squares_of_means + K1**2)
    structure = (2 * (product - product_of_means) + K2**2) / (squares - squares_of_means + K2**2)
    return (luminance * structure).flatten(1).mean(1)


@dataclass(frozen=True, eq=False)
class Segment:
    """Every mixture (1 − γ)·x + γ·y of two images, from window averages of the two alone: its mean is linear in γ, its variance quadratic, and
    its covariance with x linear."""

    mean_x: Float[Tensor, "batch channels rows columns"]
    mean_y: Float[Tensor, "batch channels rows columns"]
    variance_x: Float[Tensor, "batch channels rows columns"]
    variance_y: Float[Tensor, "batch channels rows columns"]
    covariance: Float[Tensor, "batch channels rows columns"]

    @classmethod
    def between(cls, x: Float[Tensor, "batch channels height width"], y: Float[Tensor, "batch channels height width"]) -> "Segment":
        """Raises InvalidInput as `ssim`."""
        _check(x, y)
        rows, columns = _averages(x.shape[2], x), _averages(x.shape[3], x)
        mean_x, mean_y, square_x, square_y, product = (rows @ torch.stack([x, y, x * x, y * y, x * y]) @ columns.mT).unbind()
        return cls(mean_x, mean_y, square_x - mean_x * mean_x, square_y - mean_y * mean_y, product - mean_x * mean_y)

    def ssim(self, gamma: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """Of x and each image's mixture at its γ; equal to `ssim` of the two but for rounding."""
        share = gamma[:, None, None, None]
        mean, covariance = torch.lerp(self.mean_x, self.mean_y, share), torch.lerp(self.variance_x, self.covariance, share)
        variance = torch.lerp(covariance, torch.lerp(self.covariance, self.variance_y, share), share)
        luminance = (2 * self.mean_x * mean + K1**2) / (self.mean_x * self.mean_x + mean * mean + K1**2)
        structure = (2 * covariance + K2**2) / (self.variance_x + variance + K2**2)
        return (luminance * structure).flatten(1).mean(1)

    def of_rows(self, rows: Tensor) -> "Segment":
        return Segment(*(each[rows] for each in vars(self).values()))


def check_large_enough(images: Float[Tensor, "_ _ height width"]) -> None:
    """Raises InvalidInput for images smaller than the window."""
    if min(images.shape[2:]) < WINDOW:
        raise InvalidInput(f"structural similarity looks at windows of {WINDOW} × {WINDOW} pixels, so images must not be smaller; got {images.shape[2]} × {images.shape[3]}. Enlarge them first.")


def _check(x: Tensor, y: Tensor) -> None:
    if x.shape != y.shape:
        raise InvalidInput(f"expected two batches of the same shape to compare, got {tuple(x.shape)} and {tuple(y.shape)}.")
    check_large_enough(x)


def _averages(size: int, like: Tensor) -> Float[Tensor, "positions size"]:
    """The window's weights at every position along one side: two products with this banded matrix cost less than a convolution."""
    return _band(size).to(like)


@lru_cache(maxsize=32)
def _band(size: int) -> Float[Tensor, "positions size"]:
    weights = torch.exp(-torch.arange(-(WINDOW // 2), WINDOW // 2 + 1, dtype=torch.float64).square() / (2 * SIGMA**2))
    band = torch.zeros(size - WINDOW + 1, size, dtype=torch.float64)
    for offset, weight in enumerate(weights / weights.sum()):
        band.diagonal(offset).fill_(weight)
    return band
