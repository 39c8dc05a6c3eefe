import math

import pytest
import torch

from explorer.errors import Cancelled, ExplorerError, InvalidInput
from explorer.evaluation import likelihood
from tests.stopping import Stopped


def measured(model, pairs, radius=100.0, samples=300, **changes):
    return likelihood(model, *pairs, radius=radius, samples=samples, **changes)


def test_a_linear_sets_likelihood_is_the_marginal_normal(linear, pairs):
    model, columns = linear
    residual = (pairs[1] - pairs[0]).flatten(1).double()
    covariance = torch.eye(4).double() + 0.1**2 * columns.double() @ columns.double().T
    expected = torch.distributions.MultivariateNormal(torch.zeros(4).double(), covariance).log_prob(residual)
    assert torch.allclose(measured(model, pairs).log_likelihood, expected, atol=3e-3)


def test_a_ball_of_radius_zero_leaves_the_density_of_the_centre(linear, pairs):
    model, _ = linear
    expected = -((pairs[1] - pairs[0]).flatten(1).square().sum(1) + 4 * math.log(2 * math.pi)) / 2
    assert torch.allclose(measured(model, pairs, radius=0.0, samples=2).log_likelihood, expected.double(), atol=1e-5)


def test_the_expected_logarithm_is_that_of_the_expected_error(linear, pairs):
    model, _ = linear
    error = (pairs[1] - pairs[0]).flatten(1).square().sum(1) + 3 * (0.1 * 0.3) ** 2
    expected = -(error + 4 * math.log(2 * math.pi)) / 2
    assert torch.allclose(measured(model, pairs).expected_log, expected.double(), atol=3e-3)


@pytest.mark.parametrize("density", ["gaussian", "bernoulli"])
def test_the_expected_logarithm_is_below_the_likelihood(tiny_model, density):
    clean, perturbed = torch.rand(2, 5, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    found = likelihood(tiny_model, clean, perturbed, radius=3.0, samples=20, density=density)
    assert (found.expected_log <= found.log_likelihood + 1e-9).all()
    assert ((1 - 1e-9 <= found.effective_samples) & (found.effective_samples <= 20 + 1e-9)).all()


def test_a_pair_has_the_same_likelihood_in_every_batch(tiny_model):
    clean, perturbed = torch.rand(2, 5, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    whole = likelihood(tiny_model, clean, perturbed, radius=3.0, samples=10)
    part = likelihood(tiny_model, clean[3:], perturbed[3:], radius=3.0, samples=10, first=3)
    assert torch.allclose(whole.log_likelihood[3:], part.log_likelihood, rtol=1e-5)


def test_unlikely_pairs_do_not_underflow(linear, pairs):
    model, _ = linear
    far = (torch.zeros(2, 1, 2, 2), torch.full((2, 1, 2, 2), 50.0))
    assert (measured(model, far, samples=10).log_likelihood < -4000).all()


def test_impossible_arguments_are_refused(linear, pairs):
    model, _ = linear
    with pytest.raises(InvalidInput, match="at least 1"):
        measured(model, pairs, samples=0)


def test_a_diverged_model_is_named(linear, pairs):
    model, _ = linear
    model.generator.weight[:] = torch.nan
    with pytest.raises(ExplorerError, match="40 of 40 pairs"):
        measured(model, pairs, samples=2)


def test_it_stops_on_request(linear, pairs):
    with pytest.raises(Cancelled):
        measured(linear[0], pairs, progress=Stopped())
