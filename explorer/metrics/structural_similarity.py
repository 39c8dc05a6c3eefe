"""The structural similarity of images (Wang et al., 2004), one value per pair of images, with gradients.

Window: Gaussian of 11 × 11 with σ = 1.5, as AdA's Appendix F.1; only where it lies inside the image, with the window's own (population)
covariance, mean over positions and channels: scikit-image's value with `gaussian_weights=True, sigma=1.5, use_sample_covariance=False`."""

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
