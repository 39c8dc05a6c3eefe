import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.errors import InvalidInput
from explorer.metrics import budget_range, log_volume, refine_volume

PAPER = [(0.4, 0.5, 2.0), (0.6, 0.5, 2.0), (0.8, 0.5, 2.0), (0.5, 0.6, 2.0), (8 / 255, 0.125, 2.0), (0.4, 0.125, 2.5), (16 / 255, 0.0625, 1.5)]


def initial(lower, upper, skew, seed=0, shape=(5, 1, 28, 28), dtype=torch.float32):
    """Logs in the range, for a large skew mostly near its upper end, for a small one near its lower end."""
    drawn = torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return lower + (upper - lower) * drawn ** (1 / skew)


def refined(case, skew, **options):
    lower, upper = budget_range(*case)
    return refine_volume(initial(lower, upper, skew, **options), case[0], lower, upper), lower, upper


@pytest.mark.parametrize("case", PAPER)
@pytest.mark.parametrize("skew", [0.05, 1.0, 20.0])
def test_the_volume_is_met_to_a_millionth_of_a_log_for_each_pixel(case, skew):
    found, _, _ = refined(case, skew)
    means = found.double().flatten(1).mean(1)
    torch.testing.assert_close(means, torch.full_like(means, math.log(case[0])), atol=1e-6, rtol=0)


@pytest.mark.parametrize("case", PAPER)
@pytest.mark.parametrize("skew", [0.05, 1.0, 20.0])
def test_budgets_stay_in_their_range(case, skew):
    found, lower, upper = refined(case, skew)
    assert (found >= torch.tensor(lower)).all() and (found <= torch.tensor(upper)).all()


@pytest.mark.parametrize("skew", [0.05, 1.0, 20.0])
def test_refining_twice_changes_nothing(skew):
    found, lower, upper = refined(PAPER[0], skew)
    torch.testing.assert_close(refine_volume(found, 0.4, lower, upper), found, atol=1e-6, rtol=0)


@pytest.mark.parametrize("end", [0, 1])
def test_from_either_end_of_the_range_all_budgets_become_the_volume(end):
    lower, upper = budget_range(0.4, 0.5, 2.0)
    found = refine_volume(torch.full((2, 3, 4, 4), (lower, upper)[end]), 0.4, lower, upper)
    torch.testing.assert_close(found.exp(), torch.full_like(found, 0.4))


def test_what_is_missing_goes_to_each_pixel_by_its_distance_from_the_upper_end():
    lower, upper = math.log(0.1), math.log(0.8)
    log_budgets = torch.tensor([[[[math.log(0.1), math.log(0.2), math.log(0.8)]]]])
    total, target = float(log_budgets.sum()), 3 * math.log(0.4)
    by_hand = log_budgets + (target - total) * (upper - log_budgets) / (3 * upper - total)  # §3.3, its first case
    torch.testing.assert_close(refine_volume(log_budgets, 0.4, lower, upper), by_hand)


def test_what_is_too_much_is_taken_from_each_pixel_by_its_distance_from_the_lower_end():
    lower, upper = math.log(0.1), math.log(0.8)
    log_budgets = torch.tensor([[[[math.log(0.2), math.log(0.8), math.log(0.8)]]]])
    total, target = float(log_budgets.sum()), 3 * math.log(0.4)
    by_hand = log_budgets - (total - target) * (log_budgets - lower) / (total - 3 * lower)  # §3.3, its second case
    torch.testing.assert_close(refine_volume(log_budgets, 0.4, lower, upper), by_hand)


@pytest.mark.parametrize("skew", [0.3, 5.0])
def test_gradients_are_those_of_finite_differences_in_both_directions(skew):
    lower, upper = budget_range(0.4, 0.5, 2.0)
    log_budgets = initial(lower, upper, skew, shape=(2, 1, 2, 3), dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda each: refine_volume(each, 0.4, lower, upper), log_budgets)


@pytest.mark.parametrize("end", [0, 1])
def test_no_nan_comes_back_through_the_branch_that_is_not_taken(end):
    lower, upper = budget_range(0.4, 0.5, 2.0)
    log_budgets = torch.full((2, 1, 3, 3), (lower, upper)[end], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(refine_volume(log_budgets, 0.4, lower, upper)[:, :, 0].sum(), log_budgets)
    assert gradient.isfinite().all() and gradient.abs().sum() > 0


def test_examples_of_one_batch_go_in_different_directions_alone():
    lower, upper = budget_range(0.4, 0.5, 2.0)
    small, large = (initial(lower, upper, skew, shape=(1, 1, 4, 4)) for skew in (0.1, 10.0))
    together = refine_volume(torch.cat([small, large]), 0.4, lower, upper)
    torch.testing.assert_close(together, torch.cat([refine_volume(each, 0.4, lower, upper) for each in (small, large)]))


@settings(max_examples=60, deadline=None)
@given(st.floats(0.01, 1.0), st.floats(0.01, 1.0), st.floats(1.0, 10.0), st.floats(0.05, 20.0), st.integers(0, 100))
def test_every_possible_range_is_met(volume, alpha, alpha_bar, skew, seed):
    found, lower, upper = refined((volume, alpha, alpha_bar), skew, seed=seed, shape=(2, 1, 5, 5))
    assert abs(found.double().flatten(1).mean(1) - math.log(volume)).max() < 1e-6 * max(1, -lower)
    assert (found >= torch.tensor(lower)).all() and (found <= torch.tensor(upper)).all()


def test_the_volume_of_budgets_is_their_geometric_mean():
    budgets = torch.tensor([[[[0.1, 0.4]]], [[[0.9, 0.9]]]])
    torch.testing.assert_close(log_volume(budgets).exp(), torch.tensor([0.2, 0.9]))


@pytest.mark.parametrize("value", [0.0, -0.1, math.nan, math.inf])
def test_budgets_that_are_no_budgets_have_no_volume(value):
    with pytest.raises(InvalidInput, match="above 0, got .* for 1 of 2 pixels"):
        log_volume(torch.tensor([[0.1, value]]))


@pytest.mark.parametrize(
    ("case", "words"),
    [((1.2, 0.5, 2.0), "volume = 1.2"), ((0.0, 0.5, 2.0), "volume = 0.0"), ((math.nan, 0.5, 2.0), "volume = nan"), ((0.4, 1.5, 2.0), "alpha = 1.5"),
     ((0.4, 0.5, 0.9), "alpha_bar = 0.9"), ((2.0, 0.0, 0.5), "volume = 2.0.*alpha = 0.0.*alpha_bar = 0.5")],
)  # fmt: skip
def test_a_volume_that_the_range_does_not_allow_is_refused_with_all_reasons(case, words):
    with pytest.raises(InvalidInput, match=words):
        budget_range(*case)


@pytest.mark.parametrize(("volume", "words"), [(0.05, "no budgets from 0.1 to 0.8 have the volume 0.05"), (0.9, "volume 0.9"), (0.0, "volume 0.0")])
def test_a_volume_outside_the_range_cannot_be_met(volume, words):
    with pytest.raises(InvalidInput, match=words):
        refine_volume(torch.full((1, 4), math.log(0.3)), volume, math.log(0.1), math.log(0.8))


@pytest.mark.parametrize(("budget", "words"), [(0.0, "must lie between 0.1 and 0.8"), (-1.0, "NaN"), (0.9, "Cut budgets")])
def test_budgets_outside_the_range_are_refused(budget, words):
    with pytest.raises(InvalidInput, match=words):
        refine_volume(torch.tensor([[0.3, budget]]).log(), 0.4, math.log(0.1), math.log(0.8))
