import pytest
import torch
from torch.distributions import Independent, Normal
from torch.distributions import kl_divergence as reference

from explorer.models import BoundedLogVar, Gaussian, kl_divergence


def drawn(seed):
    draw = torch.Generator().manual_seed(seed)
    return Gaussian(torch.randn(5, 7, generator=draw), torch.randn(5, 7, generator=draw))


def test_the_divergence_is_that_of_torch():
    q, p = drawn(0), drawn(1)
    expected = reference(*(Independent(Normal(g.mean, g.std), 1) for g in (q, p)))
    assert torch.allclose(kl_divergence(q, p), expected, rtol=1e-4)


def test_the_divergence_of_equal_gaussians_is_zero():
    assert kl_divergence(drawn(0), drawn(0)).abs().max() < 1e-6


def test_one_nat_and_a_half_by_hand():
    q, p = Gaussian(torch.tensor([[3.0]]), torch.zeros(1, 1)), Gaussian(torch.zeros(1, 1), torch.zeros(1, 1))
    assert kl_divergence(q, p).item() == pytest.approx(4.5)


def test_the_mean_maps_to_zero_and_one_deviation_to_norm_one():
    g = drawn(0)
    assert g.standardise(g.mean).abs().max() == 0
    step = torch.zeros_like(g.mean)
    step[:, 2] = g.std[:, 2]
    assert torch.allclose(g.standardise(g.mean + step).norm(dim=1), torch.ones(5), atol=1e-4)


def test_reparameterise_and_standardise_are_inverse():
    g, u = drawn(0), torch.randn(5, 7)
    assert torch.allclose(g.standardise(g.reparameterise(u)), u, atol=1e-4)


def test_a_bounded_log_variance_has_slope_one_in_the_middle():
    bound = BoundedLogVar(-6.0, 2.0)
    x = torch.tensor([[-2.0]], requires_grad=True)
    bound(x).sum().backward()
    assert bound(x).item() == pytest.approx(-2) and x.grad.item() == pytest.approx(1)


def test_infinite_inputs_give_the_bounds():
    assert BoundedLogVar(-6.0, 2.0)(torch.tensor([[-torch.inf, torch.inf]])).tolist() == [[-6, 2]]
