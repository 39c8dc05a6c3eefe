"""The VAE of images: sizes, and its ELBO by hand."""

import math

import pytest
import torch
from torch import nn

from explorer.errors import ConfigurationError
from explorer.models import VAE, build_model, elbo
from explorer.models.vae import LOG_SIGMA_LIMIT
from tests.tiny_vae import CONFIG, batch, tiny_vae


@pytest.mark.parametrize(("config", "units"), [({}, 3136), ({"channels": 3, "height": 32, "width": 32}, 4096)], ids=["mnist", "cifar10"])
def test_the_fully_connected_layer_has_the_papers_units(config, units):
    with torch.device("meta"):
        layers = [layer for layer in build_model("vae", config).encoder if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in layers] == [(units, units), (units, 100)]


def test_a_reconstruction_is_an_image_of_the_same_shape():
    model, (x, noise) = tiny_vae(), batch()
    decoded, posterior = model(x, noise)
    assert decoded.shape == x.shape and ((decoded >= 0) & (decoded <= 1)).all()
    assert posterior.mean.shape == (4, 3) and model.image_shape == (1, 8, 8)


class Given(nn.Module):
    """Returns the same values for every input."""

    def __init__(self, value: torch.Tensor):
        super().__init__()
        self.register_buffer("value", value)

    def forward(self, x):
        return self.value.expand(len(x), *self.value.shape)


def test_the_elbo_by_hand():
    model = VAE(Given(torch.tensor([2.0, math.log(3.0)])), Given(torch.full((1, 4, 4), 0.5)), 1, (1, 4, 4))
    kl = 0.5 * (4 + 9 - 1 - math.log(9))
    assert elbo(model, torch.zeros(1, 1, 4, 4), torch.zeros(1, 1)).item() == pytest.approx(-16 * 0.25 - kl, rel=1e-6)
    assert elbo(model, torch.zeros(1, 1, 4, 4), torch.zeros(1, 1), sigma0=1.0).item() == pytest.approx(-16 * 0.25 / 2 - kl, rel=1e-6)


def test_the_prior_as_posterior_costs_nothing():
    model = VAE(Given(torch.zeros(2)), Given(torch.full((1, 4, 4), 0.5)), 1, (1, 4, 4))
    assert elbo(model, torch.full((1, 1, 4, 4), 0.5), torch.zeros(1, 1)).item() == 0


def test_the_noise_moves_z_by_sigma():
    model = VAE(Given(torch.tensor([1.0, math.log(2.0)])), nn.Sequential(nn.Unflatten(1, (1, 1, 1))), 1, (1, 1, 1))
    assert model(torch.zeros(1, 1, 1, 1), torch.full((1, 1), 3.0))[0].item() == pytest.approx(7.0)


def test_an_extreme_sigma_stays_finite():
    model = VAE(Given(torch.tensor([0.0, 1e4])), Given(torch.zeros(1, 4, 4)), 1, (1, 4, 4))
    value = elbo(model, torch.zeros(1, 1, 4, 4), torch.zeros(1, 1))
    assert value.isfinite() and model.encode(torch.zeros(1, 1, 4, 4)).log_var.item() == 2 * LOG_SIGMA_LIMIT


@pytest.mark.parametrize(
    ("change", "message"),
    [({"height": 30}, "multiples of 4"), ({"widths": [0, 4]}, "widths"), ({"hidden_units": 0}, "hidden_units"), ({"latent_dim": 0}, "latent_dim")],
    ids=str,
)
def test_an_impossible_size_is_refused(change, message):
    with pytest.raises(ConfigurationError, match=message):
        build_model("vae", {**CONFIG, **change})
