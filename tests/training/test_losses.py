import math

import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Normal

from explorer.models import kl_divergence
from explorer.training import State, cvae_loss


def state(beta):
    return State(0.0, {"beta": beta}, torch.Generator().manual_seed(0))


@pytest.fixture
def pair():
    draw = torch.Generator().manual_seed(1)
    return torch.rand(3, 1, 16, 16, generator=draw), torch.rand(3, 1, 16, 16, generator=draw)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_beta_weighs_the_divergence(tiny_model, pair, likelihood):
    loss = cvae_loss(likelihood)
    without, half, whole = (loss(tiny_model, pair, state(beta)) for beta in (0.0, 0.5, 1.0))
    kl = kl_divergence(tiny_model.encode(*pair), tiny_model.prior(pair[0]))
    assert torch.allclose(whole - without, kl, rtol=1e-3)
    assert torch.allclose(half, (without + whole) / 2, rtol=1e-5)


def test_the_bernoulli_term_is_torchs_cross_entropy_summed_over_the_pixels(tiny_model, pair):
    noise = torch.randn(3, 6, generator=state(0.0).generator)
    decoded = tiny_model(*pair, noise)[0]
    expected = [F.binary_cross_entropy(a, b, reduction="sum") for a, b in zip(decoded, pair[1])]
    assert torch.allclose(cvae_loss("bernoulli")(tiny_model, pair, state(0.0)), torch.stack(expected), rtol=1e-5)


def test_examples_do_not_influence_each_other(tiny_model, pair):
    changed = pair[0].clone(), pair[1].clone()
    changed[1][2] = 0
    first, second = (cvae_loss("gaussian")(tiny_model, each, state(1.0)) for each in (pair, changed))
    assert torch.allclose(first[:2], second[:2]) and not torch.allclose(first[2], second[2])


def test_the_gaussian_term_is_a_unit_normals_log_density(tiny_model, pair):
    noise = torch.randn(3, 6, generator=state(0.0).generator)
    decoded = tiny_model(*pair, noise)[0]
    density = Normal(decoded, 1.0).log_prob(pair[1]).flatten(1).sum(1)
    constant = 128 * math.log(2 * math.pi)
    assert torch.allclose(cvae_loss("gaussian")(tiny_model, pair, state(0.0)), -density - constant, rtol=1e-3)
