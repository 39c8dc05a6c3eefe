import math

import pytest
import torch

from explorer.errors import Cancelled, ExplorerError
from explorer.evaluation.approximation import METRICS, pair_metrics
from tests.stopping import Stopped


def measured(model, pairs, radius, **changes):
    return pair_metrics(model, *pairs, radius=radius, distance="squared_error", **changes)


def test_the_closest_member_of_a_linear_set_is_the_orthogonal_projection(linear, pairs):
    model, columns = linear
    residual = (pairs[1] - pairs[0]).flatten(1)
    expected = residual - (residual @ torch.linalg.pinv(columns).T) @ columns.T
    found = measured(model, pairs, radius=100.0)
    assert torch.allclose(found.pgd_error, expected.square().mean(1), atol=1e-6)
    assert torch.allclose(found.encoder_error, expected.square().mean(1), atol=1e-6)


def test_a_small_ball_leaves_the_known_distance(linear, pairs):
    model, columns = linear
    residual = (pairs[1] - pairs[0]).flatten(1)
    along = (residual @ columns / 0.3).norm(dim=1)
    reach = 0.1 * 0.3 * 0.5
    expected = residual.square().sum(1) - along.square() + (along - reach).clamp(min=0).square()
    assert torch.allclose(measured(model, pairs, radius=0.5).pgd_error, expected / 4, atol=1e-5)


def test_the_farthest_member_is_opposite_to_the_residual(linear, pairs):
    model, columns = linear
    residual = (pairs[1] - pairs[0]).flatten(1)
    along = (residual @ columns / 0.3).norm(dim=1)
    expected = residual.square().sum(1) - along.square() + (along + 0.1 * 0.3 * 2).square()
    found = measured(model, pairs, radius=2.0, steps=200).over_error
    assert (found <= expected / 4 * (1 + 1e-4)).all() and torch.allclose(found, expected / 4, rtol=0.02)


def test_the_expected_error_is_that_of_the_truncated_prior(linear, pairs):
    model, columns = linear
    several = [measured(model, pairs, radius=100.0, seed=seed, steps=1).expected_error for seed in range(60)]
    residual = (pairs[1] - pairs[0]).flatten(1).square().sum(1)
    expected = (residual + 3 * (0.1 * 0.3) ** 2) / 4
    assert torch.stack(several).mean().item() == pytest.approx(expected.mean().item(), rel=0.03)


def test_the_reconstruction_error_adds_the_posteriors_variance(linear, pairs):
    model, columns = linear
    several = [measured(model, pairs, radius=1.0, seed=seed, steps=1).reconstruction_error for seed in range(60)]
    residual = (pairs[1] - pairs[0]).flatten(1)
    across = residual.square().sum(1) - (residual @ columns / 0.3).square().sum(1)
    expected = (across + 3 * (0.05 * 0.3) ** 2) / 4
    assert torch.stack(several).mean().item() == pytest.approx(expected.mean().item(), rel=0.05)


def test_the_divergence_is_known_in_closed_form(linear, pairs):
    model, columns = linear
    mean = (pairs[1] - pairs[0]).flatten(1) @ torch.linalg.pinv(columns).T
    expected = 3 * (math.log(0.1 / 0.05) + 0.5 * (0.05 / 0.1) ** 2 - 0.5) + 0.5 * (mean / 0.1).square().sum(1)
    assert torch.allclose(measured(model, pairs, radius=1.0, steps=0).kl_nats, expected, rtol=1e-4)


@pytest.mark.parametrize("distance", ["cross_entropy", "squared_error"])
def test_errors_are_in_their_order(tiny_model, distance):
    draw = torch.Generator().manual_seed(0)
    clean, perturbed = (torch.rand(6, 1, 16, 16, generator=draw) for _ in range(2))
    found = pair_metrics(tiny_model, clean, perturbed, radius=3.0, distance=distance)
    assert (found.pgd_error <= found.encoder_error).all()
    assert (found.pgd_error <= found.expected_error).all() and (found.expected_error <= found.over_error).all()


def test_a_pair_has_the_same_metrics_in_every_batch(tiny_model):
    draw = torch.Generator().manual_seed(0)
    clean, perturbed = (torch.rand(6, 1, 16, 16, generator=draw) for _ in range(2))
    whole = pair_metrics(tiny_model, clean, perturbed, radius=3.0, steps=5)
    part = pair_metrics(tiny_model, clean[4:], perturbed[4:], radius=3.0, steps=5, first=4)
    for name in METRICS:
        assert torch.allclose(getattr(whole, name)[4:], getattr(part, name), rtol=1e-4), name


def test_a_metric_that_is_not_finite_is_named(linear, pairs):
    model, columns = linear
    model.recognition.weight[:] = torch.nan
    with pytest.raises(ExplorerError, match="kl_nats on 40 pairs"):
        measured(model, pairs, radius=1.0, steps=0)


def test_a_measurement_stops_in_the_middle_of_a_batch(linear, pairs):
    with pytest.raises(Cancelled):
        measured(linear[0], pairs, radius=1.0, progress=Stopped())
