"""The closed forms, against numerical optimisation and sampling."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from explorer.errors import InvalidInput
from explorer.evaluation.gaussian_directions import (
    GaussianClass,
    augmented,
    latent_excess_risk,
    latent_multiplier,
    latent_saddle,
    original_excess_risk,
    original_multiplier,
    original_saddle,
)

VALUES = torch.tensor([4.0, 2.0, 1.0, 0.3, 0.1], dtype=torch.float64)
DATA = GaussianClass(VALUES, 3)
MANIFOLD = GaussianClass(torch.tensor([4.0, 2.0, 0.0, 0.0], dtype=torch.float64), 2)


def numerical_risk(spread, width, values, multiplier):
    """max over linear perturbations a·v of E[½(1 + w·a)²λ⁽ʲ⁾/λ − L·a²λ⁽ʲ⁾/2], direction by direction, minus the loss without, plus the penalty."""
    total = 0.0
    for s, w, value in zip(spread, width, values, strict=True):
        found = minimize(lambda a: -(0.5 * (1 + w * a[0]) ** 2 * s / value - 0.5 * multiplier * a[0] ** 2 * s), [0.0], tol=1e-14)  # noqa: B023
        total += 0.5 * ((1 + w * found.x[0]) ** 2 - 1) * s / value
    return total


@pytest.mark.parametrize("strategy", [1, 2, 3])
def test_the_excess_risk_in_the_latent_space_is_that_of_the_best_perturbation(strategy):
    found = latent_excess_risk(DATA, 2.5, strategy).perturbation
    expected = numerical_risk(DATA.decoded(strategy).tolist(), DATA.stretch.sqrt().tolist(), VALUES.tolist(), 2.5)
    assert found == pytest.approx(expected, abs=1e-6)


def test_the_excess_risk_of_the_data_is_that_of_the_best_perturbation():
    assert original_excess_risk(DATA, 15.0).perturbation == pytest.approx(numerical_risk(VALUES.tolist(), [1.0] * 5, VALUES.tolist(), 15.0), abs=1e-6)


@pytest.mark.parametrize("strategy", [1, 2, 3])
def test_the_change_of_distribution_is_the_difference_of_the_losses(strategy):
    expected = 0.5 * float((DATA.decoded(strategy) / VALUES).sum() - len(VALUES))
    assert latent_excess_risk(DATA, 2.0, strategy).change_of_distribution == pytest.approx(expected)


def saddle_by_optimisation(spread, width, multiplier):
    """min over s of max over linear perturbations of E[½(v + w·a·v)²/s − L(a·v)²/2] + ½·log s, for each direction."""
    found = []
    for variance, w in zip(spread, width, strict=True):

        def worst(s, variance=variance, w=w):
            a = w / (multiplier * s - w**2)  # the maximum over a, which exists where L·s > w²
            return 0.5 * (1 + w * a) ** 2 * variance / s - 0.5 * multiplier * a**2 * variance + 0.5 * math.log(s)

        grid = np.exp(np.linspace(math.log(w**2 / multiplier + 1e-9), math.log(100), 4000)[1:])
        start = grid[np.argmin([worst(s) for s in grid])]
        found.append(minimize(lambda p: worst(math.exp(p[0])), [math.log(start)], method="Nelder-Mead", options={"xatol": 1e-11, "fatol": 1e-15}).x[0])
    return torch.tensor(found, dtype=torch.float64).exp()


@pytest.mark.parametrize("multiplier", [0.4, 2.0, 30.0])
def test_the_saddle_point_of_the_data_is_found_by_optimisation(multiplier):
    assert torch.allclose(original_saddle(DATA, multiplier), saddle_by_optimisation(VALUES.tolist(), [1.0] * 5, multiplier), rtol=1e-6)


@pytest.mark.parametrize("strategy", [1, 2, 3])
@pytest.mark.parametrize("multiplier", [0.4, 2.0, 30.0])
def test_the_saddle_point_in_the_latent_space_is_found_by_optimisation(strategy, multiplier):
    first = slice(0, 3)
    expected = saddle_by_optimisation(DATA.decoded(strategy)[first].tolist(), DATA.stretch[first].sqrt().tolist(), multiplier)
    found = latent_saddle(DATA, multiplier, strategy)
    assert torch.allclose(found[first], expected, rtol=1e-6) and torch.equal(found[3:], DATA.decoded(strategy)[3:])


@pytest.mark.parametrize("radius", [0.05, 0.5, 3.0])
def test_the_multipliers_give_the_radius(radius):
    L = latent_multiplier(DATA, radius)
    assert float((DATA.stretch * DATA.decoded(3) / (L * VALUES - DATA.stretch) ** 2)[:3].sum()) == pytest.approx(radius**2)
    L = original_multiplier(DATA, radius)
    assert float((VALUES / (L * VALUES - 1) ** 2).sum()) == pytest.approx(radius**2)
    L = latent_multiplier(DATA, radius, saddle=True)
    assert float((DATA.stretch * DATA.decoded(3) / (L * latent_saddle(DATA, L) - DATA.stretch) ** 2)[:3].sum()) == pytest.approx(radius**2)
    L = original_multiplier(DATA, radius, saddle=True)
    assert float((VALUES / (L * original_saddle(DATA, L) - 1) ** 2).sum()) == pytest.approx(radius**2)


@pytest.mark.parametrize("strategy", [1, 2, 3])
def test_what_is_decoded_has_the_covariance_of_its_strategy(strategy):
    generator, count = torch.Generator().manual_seed(strategy), 200_000
    w, sigma = DATA.stretch[:3].sqrt(), math.sqrt(DATA.noise)
    x = torch.randn(count, 5, generator=generator, dtype=torch.float64) * VALUES.sqrt()
    p = w**2 + sigma**2
    z = x[:, :3] * w / p if strategy < 3 else torch.randn(count, 3, generator=generator, dtype=torch.float64)
    if strategy == 2:
        z = z + sigma / p.sqrt() * torch.randn(count, 3, generator=generator, dtype=torch.float64)
    decoded = torch.nn.functional.pad(z * w, (0, 2))
    if strategy > 1:
        decoded = decoded + sigma * torch.randn(count, 5, generator=generator, dtype=torch.float64)
    assert torch.allclose(decoded.var(0), DATA.decoded(strategy), rtol=0.02, atol=1e-12)


def test_on_a_manifold_the_strategies_are_one_and_nothing_changes():
    assert torch.equal(MANIFOLD.decoded(1), MANIFOLD.eigenvalues) and torch.equal(MANIFOLD.decoded(2), MANIFOLD.eigenvalues)
    assert latent_excess_risk(MANIFOLD, 3.0, 1).change_of_distribution == 0


def test_on_a_manifold_latent_attacks_amplify_all_directions_alike_and_attacks_on_the_data_leave_it():
    ratios = latent_saddle(MANIFOLD, 2.0)[:2] / MANIFOLD.eigenvalues[:2]
    assert torch.allclose(ratios, torch.full((2,), 0.5 + 1 / 2 + math.sqrt(0.25 + 1 / 2), dtype=torch.float64))
    assert original_excess_risk(MANIFOLD, 1e9).total == math.inf and (original_saddle(MANIFOLD, 2.0)[2:] > 0).all()


def test_attacks_on_the_data_amplify_small_eigenvalues_most():
    ratios = original_saddle(DATA, 2.0) / VALUES
    assert (ratios[1:] > ratios[:-1]).all()


def test_on_a_manifold_the_excess_risk_falls_like_one_over_the_multiplier():
    small, smaller = (latent_excess_risk(MANIFOLD, multiplier).perturbation for multiplier in (1e4, 1e5))
    assert small / smaller == pytest.approx(10, rel=1e-3) and small == pytest.approx(2 / 1e4, rel=1e-3)


def test_generated_samples_pull_the_small_eigenvalues_to_their_mean():
    found = augmented(DATA, 30, 10)
    assert torch.allclose(found[:3], VALUES[:3]) and torch.allclose(found[3:], 0.75 * VALUES[3:] + 0.25 * 0.2)


@pytest.mark.parametrize("values", [[1.0, 2.0], [1.0, -1.0], [0.0, 0.0], [math.nan, 0.0]])
def test_impossible_eigenvalues_are_errors(values):
    with pytest.raises(InvalidInput, match="eigenvalues"):
        GaussianClass(torch.tensor(values, dtype=torch.float64), 1)


@pytest.mark.parametrize("call", [lambda: GaussianClass(VALUES, 6), lambda: DATA.decoded(4), lambda: latent_saddle(DATA, 0.0), lambda: latent_multiplier(DATA, -1.0), lambda: original_multiplier(MANIFOLD, 1.0), lambda: augmented(DATA, 0, 0)])
def test_impossible_settings_are_errors(call):
    with pytest.raises(InvalidInput):
        call()
