"""The classic balls of pixels, and which images every set accepts."""

import math

import pytest
import torch

from explorer.errors import InvalidInput
from explorer.sets import LpBall
from explorer.sets.checks import check_images


def test_one_pixel_may_change_by_the_radius_and_stays_in_range():
    x = torch.tensor([0.0, 0.5, 1.0]).view(3, 1, 1, 1)
    at = LpBall(math.inf, 0.25).at(x)
    assert at.perturb(at.region.project(torch.ones_like(x))).flatten().tolist() == [0.25, 0.75, 1.0]
    assert at.perturb(at.region.project(-torch.ones_like(x))).flatten().tolist() == [0.0, 0.25, 0.75]


@pytest.mark.parametrize("norm", [3, 0, -math.inf, math.nan])
def test_other_norms_are_refused(norm):
    with pytest.raises(InvalidInput, match="1, 2 or math.inf"):
        LpBall(norm, 0.1)


@pytest.mark.parametrize("radius", [-0.1, math.nan, math.inf])
def test_impossible_radii_are_refused(radius):
    with pytest.raises(InvalidInput, match="finite number of at least 0"):
        LpBall(2, radius)


@pytest.mark.parametrize(
    "images, message",
    [
        (torch.zeros(1, 4, 4), "batch × channels × height × width"),
        (torch.zeros(1, 1, 4, 4, dtype=torch.uint8), r"x\.float\(\) / 255"),
        (torch.full((1, 1, 4, 4), 255.0), r"lie in \[0, 1\]"),
        (torch.full((1, 1, 4, 4), math.nan), "without NaN"),
    ],
)
def test_images_of_another_kind_are_refused(images, message):
    with pytest.raises(InvalidInput, match=message):
        check_images(images)
