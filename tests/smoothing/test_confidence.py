import math

import pytest
import torch
from scipy import stats

from explorer.errors import InvalidInput
from explorer.smoothing import binomial_p_value, lower_confidence_bound, needed_successes, sigma_for_radius, smoothing_radius


@pytest.mark.parametrize("trials", [10, 137, 1000])
def test_bounds_of_all_counts_are_the_beta_quantiles(trials):
    found = lower_confidence_bound(torch.arange(trials + 1), trials, 0.999)
    expected = [0.0] + [stats.beta.ppf(0.001, k, trials - k + 1) for k in range(1, trials + 1)]
    assert torch.allclose(found, torch.tensor(expected, dtype=torch.float64), atol=1e-12)


@pytest.mark.parametrize("confidence", [0.9, 0.999])
def test_the_bound_exceeds_the_true_share_at_most_as_often_as_promised(confidence):
    trials = 200
    bounds = lower_confidence_bound(torch.arange(trials + 1), trials, confidence).numpy()
    for share in (0.05, 0.3, 0.5, 0.51, 0.9, 0.99):
        assert stats.binom.pmf(range(trials + 1), trials, share)[bounds > share].sum() <= 1 - confidence + 1e-12


def test_radii_are_normal_quantiles_in_float64():
    shares = torch.linspace(0.01, 0.999, 50, dtype=torch.float64)
    expected = torch.tensor([max(0.0, 0.7 * stats.norm.ppf(float(share))) for share in shares], dtype=torch.float64)
    assert torch.allclose(smoothing_radius(shares, 0.7), expected, atol=1e-12)


def test_p_values_are_those_of_the_two_sided_test():
    pairs = [(0, 0), (5, 5), (60, 40), (3, 12), (99, 1)]
    found = binomial_p_value(*(torch.tensor(each) for each in zip(*pairs, strict=True)))
    assert found[1:].tolist() == pytest.approx([stats.binomtest(a, a + b).pvalue for a, b in pairs[1:]]) and found[0] == 1


@pytest.mark.parametrize(("radius", "sigma"), [(2.7, 0.84), (3.9, 1.22), (10.2, 3.19)])
def test_the_noise_of_a_radius_is_the_papers(radius, sigma):
    assert sigma_for_radius(radius, 10_000, 0.999) == pytest.approx(sigma, abs=0.01)


def test_unanimous_votes_certify_the_radius_that_the_noise_was_chosen_for():
    sigma = sigma_for_radius(2.0, 500, 0.99)
    assert smoothing_radius(lower_confidence_bound(torch.tensor(500), 500, 0.99), sigma).item() == pytest.approx(2.0)


@pytest.mark.parametrize(("samples", "confidence"), [(10, 0.99), (100, 0.999), (10_000, 0.999)])
def test_needed_votes_are_the_first_to_certify(samples, confidence):
    needed = needed_successes(samples, confidence)
    below, at = lower_confidence_bound(torch.tensor([needed - 1, needed]), samples, confidence)
    assert below <= 0.5 < at


def test_too_few_samples_for_the_confidence_are_an_error():
    with pytest.raises(InvalidInput, match="at least 10 are needed"):
        needed_successes(9, 0.999)
    assert needed_successes(10, 0.999) == 10


@pytest.mark.parametrize("confidence", [0.5, 1.0, math.nan, 99.9])
def test_an_impossible_confidence_is_an_error(confidence):
    with pytest.raises(InvalidInput, match="above 0.5 and below 1"):
        lower_confidence_bound(torch.tensor(1), 2, confidence)


@pytest.mark.parametrize("radius", [0.0, -1.0, math.inf, math.nan])
def test_an_impossible_radius_is_an_error(radius):
    with pytest.raises(InvalidInput, match="finite number above 0"):
        sigma_for_radius(radius, 100, 0.99)
