import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from explorer.errors import InvalidInput
from explorer.randomness import Streams
from explorer.sets import LpBall
from explorer.smoothing import ABSTAIN, certify_pixels
from explorer.smoothing.segmentation import holm, share_p_value

SIGMA = 0.5


class Pixels(nn.Module):
    """Two classes for every pixel, by the sign of its value − ½."""

    def forward(self, x):
        return torch.cat([0.5 - x, x - 0.5], 1)


def certified(x, **options):
    return certify_pixels(Pixels(), LpBall(2, 1.0).at(x), **{"sigma": SIGMA, "samples": 400, "confidence": 0.99, "streams": Streams(0, range(len(x))), **options})


def test_clear_pixels_are_certified_and_even_ones_abstain():
    x = torch.tensor([[1.0, 0.0], [0.5, 1.0]]).view(1, 1, 2, 2)
    found = certified(x)
    assert found.labels.tolist() == [[[1, 0], [ABSTAIN, 1]]] and found.radius == pytest.approx(SIGMA * stats.norm.ppf(0.75))


def test_all_pixels_of_an_image_hold_together_as_often_as_promised():
    """True share Φ(0.6745) ≈ 0.75 in every pixel: certifying any one of them is an error."""
    edge = 0.5 + SIGMA * stats.norm.ppf(0.75) - 1e-3
    x = torch.full((60, 1, 4, 4), edge)
    found = certified(x, samples=100, selection=20, confidence=0.9)
    wrong = int(found.certain.flatten(1).any(1).sum())
    assert wrong <= stats.binom.ppf(0.9999, len(x), 0.1)


def test_one_pixel_alone_would_err_more_often_without_a_correction():
    edge = 0.5 + SIGMA * stats.norm.ppf(0.75) - 1e-3
    x = torch.full((60, 1, 4, 4), edge)
    alone = share_p_value(torch.binomial(torch.full((60 * 16,), 100.0), torch.tensor(0.75).expand(60 * 16), generator=torch.Generator().manual_seed(0)).long(), 100, 0.75) <= 0.1
    assert alone.view(60, 16).any(1).sum() > stats.binom.ppf(0.9999, len(x), 0.1)


def test_holm_by_hand():
    """0.01 ≤ 0.05/4, 0.015 ≤ 0.05/3, 0.03 > 0.05/2: the third and all larger ones stay."""
    assert holm(torch.tensor([0.03, 0.01, 0.9, 0.015]), 0.05).tolist() == [False, True, False, True]


def test_a_p_value_is_the_tail_of_the_binomial():
    want = [sum(math.comb(5, k) * 0.75**k * 0.25 ** (5 - k) for k in range(successes, 6)) for successes in range(6)]
    np.testing.assert_allclose(share_p_value(torch.arange(6), 5, 0.75), want)


def test_what_labels_no_pixels_is_refused():
    with pytest.raises(InvalidInput, match="expected logits for each pixel"):
        certify_pixels(nn.Flatten(), LpBall(2, 1.0).at(torch.rand(1, 1, 2, 2)), sigma=SIGMA, streams=Streams(0, [0]), samples=10)


@pytest.mark.parametrize("share", [0.4, 1.0, math.nan])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(InvalidInput, match="share"):
        certified(torch.rand(1, 1, 2, 2), share=share)
