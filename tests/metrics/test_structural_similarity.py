"""SSIM: scikit-image's value, symmetric, differentiable."""

import pytest
import torch
from scipy.ndimage import gaussian_filter

from explorer.errors import InvalidInput
from explorer.metrics import ssim
from explorer.metrics.structural_similarity import Segment, _check


def reference(x, y):
    """The definition in float64, with scipy's Gaussian filter, whose windows are cut to 11 × 11 and kept inside the image."""
    values = []
    for a, b in zip(x.double().numpy().reshape(-1, *x.shape[2:]), y.double().numpy().reshape(-1, *y.shape[2:]), strict=True):
        mean_a, mean_b, aa, bb, ab = (gaussian_filter(each, 1.5, truncate=3.5)[5:-5, 5:-5] for each in (a, b, a * a, b * b, a * b))
        luminance = (2 * mean_a * mean_b + 0.01**2) / (mean_a**2 + mean_b**2 + 0.01**2)
        values.append((luminance * (2 * (ab - mean_a * mean_b) + 0.03**2) / (aa - mean_a**2 + bb - mean_b**2 + 0.03**2)).mean())
    return torch.tensor(values).view(len(x), -1).mean(1)


def pictures(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    smooth = torch.nn.functional.interpolate(torch.rand(shape[0], shape[1], 5, 6, generator=generator), shape[2:], mode="bilinear")
    return smooth, (smooth + 0.2 * torch.randn(shape, generator=generator)).clamp(0, 1)


@pytest.mark.parametrize("shape", [(16, 3, 32, 32), (3, 1, 11, 40), (2, 3, 61, 47)])
def test_it_equals_the_definition(shape):
    x, y = pictures(*shape)
    assert (ssim(x, y).double() - reference(x, y)).abs().max() <= 1e-6


def test_it_equals_scikit_image():
    metrics = pytest.importorskip("skimage.metrics")
    x, y = pictures(8, 3, 32, 32)
    theirs = [metrics.structural_similarity(a.numpy(), b.numpy(), channel_axis=0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0) for a, b in zip(x.double(), y.double(), strict=True)]
    assert (ssim(x, y).double() - torch.tensor(theirs)).abs().max() <= 1e-6


@pytest.mark.parametrize("gamma", [0.0, 0.01, 0.4, 1.0])
def test_of_a_mixture_it_follows_from_averages_of_the_two_images(gamma):
    x, y = pictures(16, 3, 32, 32)
    shares = torch.full((16,), gamma)
    assert (Segment.between(x, y).ssim(shares) - ssim(x, torch.lerp(x, y, gamma))).abs().max() <= 2e-6
    own = torch.linspace(0, 1, 16)
    some = torch.arange(16) % 3 == 0
    assert torch.allclose(Segment.between(x, y).of_rows(some).ssim(own[some]), ssim(x, torch.lerp(x, y, own[:, None, None, None]))[some], atol=2e-6)


def test_equal_images_are_1_and_the_order_does_not_matter():
    x, y = pictures(4, 3, 32, 32)
    assert torch.allclose(ssim(x, x), torch.ones(4), atol=1e-6)
    assert torch.allclose(ssim(x, y), ssim(y, x), atol=1e-6) and (ssim(x, y) < 0.95).all()


def test_gradients_are_those_of_finite_differences():
    x, y = (each.double().requires_grad_() for each in pictures(2, 2, 12, 13))
    assert torch.autograd.gradcheck(ssim, (x, y))


def test_examples_do_not_influence_each_other():
    x, y = pictures(6, 3, 32, 32)
    assert torch.allclose(ssim(x, y)[2:3], ssim(x[2:3], y[2:3]), atol=1e-6)


def test_unknown_pixels_make_the_value_unknown():
    x, y = pictures(2, 1, 16, 16)
    y[0, 0, 8, 8] = torch.nan
    assert ssim(x, y).isnan().tolist() == [True, False]


@pytest.mark.parametrize("shapes, said", [(((1, 3, 10, 32), (1, 3, 10, 32)), "11 × 11"), (((1, 3, 16, 16), (1, 1, 16, 16)), "same shape")])
def test_what_cannot_be_compared_is_told(shapes, said):
    with pytest.raises(InvalidInput, match=said):
        _check(*(torch.rand(shape) for shape in shapes))
