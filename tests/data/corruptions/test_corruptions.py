"""All corruptions: what holds for each of them."""

import pytest
import torch

from explorer.data.corruptions import CORRUPTIONS, EXTRA, SEVERITIES, STANDARD, corrupt
from explorer.data.corruptions.constants import LARGE, SMALL
from explorer.errors import InvalidInput, UnknownName
from explorer.metrics import ssim
from explorer.randomness import Streams

EVERY = pytest.mark.parametrize("name", CORRUPTIONS)
MONOTONE = ("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise", "defocus_blur", "gaussian_blur", "zoom_blur", "fog", "brightness", "contrast", "jpeg_compression")


def streams(examples, seed=0):
    return Streams(seed, examples, purpose="corruption")


def pictures(count=6, size=32):
    """Smooth colours with edges."""
    generator = torch.Generator().manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.rand(count, 3, 4, 4, generator=generator), (size, size), mode="bicubic").clamp(0, 1)
    return torch.where(torch.rand(count, 1, 1, size, generator=generator) < 0.15, 1 - smooth, smooth)


def test_there_are_the_benchmarks_15_and_4_more():
    assert len(STANDARD) == 15 and EXTRA == ("speckle_noise", "gaussian_blur", "spatter", "saturate")
    assert SMALL.keys() == LARGE.keys() == CORRUPTIONS.keys()
    assert all(len(constants) == 5 for table in (SMALL, LARGE) for constants in table.values())


@EVERY
@pytest.mark.parametrize("severity", SEVERITIES)
def test_images_stay_images_of_bytes(name, severity):
    x = pictures()
    corrupted = corrupt(x, name, severity, streams(range(6)))
    assert corrupted.shape == x.shape and corrupted.dtype == x.dtype and not corrupted.equal(x)
    assert ((corrupted >= 0) & (corrupted <= 1)).all() and (255 * corrupted - (255 * corrupted).round()).abs().max() < 1e-3


@EVERY
def test_an_image_depends_on_its_own_stream_alone(name):
    x, order = pictures(), [4, 1]
    together, some = corrupt(x, name, 3, streams(range(6))), corrupt(x[order], name, 3, streams(order))
    assert (together[order] - some).abs().max() <= 1.01 / 255, "sums in another order can round to the next byte"
    assert (together[order] != some).float().mean() < 0.01


@EVERY
def test_the_same_seed_gives_the_same_picture(name):
    x = pictures(2)
    assert corrupt(x, name, 5, streams(range(2), seed=7)).equal(corrupt(x, name, 5, streams(range(2), seed=7)))


@pytest.mark.parametrize("name", MONOTONE)
def test_a_higher_severity_leaves_less(name):
    x = pictures(24)
    left = [ssim(x, corrupt(x, name, severity, streams(range(24)))).mean() for severity in SEVERITIES]
    assert left == sorted(left, reverse=True)


@EVERY
def test_larger_images_have_the_constants_of_imagenet(name):
    x = pictures(1, 72)
    corrupted = corrupt(x, name, 1, streams(range(1)))
    assert corrupted.shape == x.shape and not corrupted.equal(x)


@pytest.mark.parametrize("name", [name for name, each in CORRUPTIONS.items() if not each.coloured])
def test_grey_images_are_taken_where_no_colour_is_needed(name):
    assert corrupt(pictures(2)[:, :1], name, 2, streams(range(2))).shape == (2, 1, 32, 32)


@pytest.mark.parametrize(
    ("x", "name", "severity", "error", "said"),
    [
        (pictures(1), "rain", 1, UnknownName, "unknown corruption"),
        (pictures(1), "fog", 0, InvalidInput, "1, 2, 3, 4 or 5"),
        (pictures(1), "fog", 6, InvalidInput, "1, 2, 3, 4 or 5"),
        (pictures(1)[:, :1], "saturate", 1, InvalidInput, "3 channels"),
        (2 * pictures(1), "fog", 1, InvalidInput, r"\[0, 1\]"),
        (torch.rand(1, 3, 7, 32), "fog", 1, InvalidInput, "from 8 pixels"),
        (pictures(2), "fog", 1, InvalidInput, "one random stream"),
    ],
)
def test_what_cannot_be_corrupted_is_told(x, name, severity, error, said):
    with pytest.raises(error, match=said):
        corrupt(x, name, severity, streams(range(1)))
