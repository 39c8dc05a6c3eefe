"""Bounds of the ELBO: by hand, by sampling, at radius 0; and the certificate against a known expectation."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from explorer.bounds.elbo import elbo_bounds, elbo_lower_bound, kl_interval, latent_interval, pixel_box, record, squared_residual_interval
from explorer.bounds.elbo_certificate import elbo_certificate, empirical_bernstein
from explorer.bounds.interval import Interval
from explorer.errors import Cancelled, InvalidInput
from explorer.models import VAE, Gaussian, elbo
from explorer.models.vae import SIGMA0, kl_to_standard_normal
from explorer.randomness import Streams
from tests.stopping import Stopped
from tests.tiny_vae import batch, tiny_vae


def interval(lower: float, upper: float) -> Interval:
    return Interval(torch.tensor([[lower]]), torch.tensor([[upper]]))


def random_interval(seed: int, shape=(64, 5)) -> Interval:
    draw = torch.Generator().manual_seed(seed)
    ends = torch.randn(2, *shape, generator=draw) * 1.5
    return Interval(ends.amin(0), ends.amax(0))


def inside(box: Interval, seed: int) -> torch.Tensor:
    return box.lower + box.width * torch.rand(box.lower.shape, generator=torch.Generator().manual_seed(seed))


def test_a_recorded_model_has_the_same_bounds():
    model, (x, noise) = tiny_vae(), batch()[:2]
    graphs = record(model, x)
    for radius in (0.0, 0.1):
        found, expected = elbo_bounds(model, x, radius, noise, graphs=graphs), elbo_bounds(model, x, radius, noise)
        assert torch.equal(found.elbo.lower, expected.elbo.lower) and torch.equal(found.elbo.upper, expected.elbo.upper)


def test_the_kl_is_smallest_at_the_prior_where_the_intervals_hold_it():
    assert kl_interval(interval(-1.0, 2.0), interval(-0.5, 0.5)).lower.item() == 0


@pytest.mark.parametrize(
    ("mean", "log_sigma", "lower", "upper"),
    [
        ((1.0, 2.0), (0.0, 0.0), 0.5, 2.0),
        ((0.0, 0.0), (math.log(2), math.log(3)), (4 - 1 - math.log(4)) / 2, (9 - 1 - math.log(9)) / 2),
        ((0.0, 0.0), (-math.log(3), -math.log(2)), (0.25 - 1 + math.log(4)) / 2, (1 / 9 - 1 + math.log(9)) / 2),
        ((-3.0, 1.0), (-math.log(2), math.log(2)), 0.0, (9 + 4 - 1 - math.log(4)) / 2),
    ],
)
def test_the_kl_by_hand(mean, log_sigma, lower, upper):
    found = kl_interval(interval(*mean), interval(*log_sigma))
    assert found.lower.item() == pytest.approx(lower, rel=1e-5) and found.upper.item() == pytest.approx(upper, rel=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_the_kl_of_any_point_lies_in_its_interval(seed):
    mean, log_sigma = random_interval(seed), random_interval(seed + 100)
    bound = kl_interval(mean, log_sigma)
    kl = kl_to_standard_normal(Gaussian(inside(mean, seed), 2 * inside(log_sigma, seed + 1)))
    assert (kl >= bound.lower - 1e-4).all() and (kl <= bound.upper + 1e-4).all()


def test_the_kl_is_never_negative_in_float32():
    tiny = Interval(torch.full((1, 50), -1e-6), torch.full((1, 50), -1e-7))
    assert kl_interval(Interval(torch.zeros(1, 50), torch.zeros(1, 50)), tiny).lower.item() >= 0


def test_the_residual_by_hand():
    x, decoded = Interval(torch.full((1, 1, 1, 2), 0.4), torch.full((1, 1, 1, 2), 0.6)), Interval(torch.tensor([[[[0.0, 0.5]]]]), torch.tensor([[[[0.1, 0.9]]]]))
    found = squared_residual_interval(x, decoded)
    assert found.lower.item() == pytest.approx(0.3**2) and found.upper.item() == pytest.approx(0.6**2 + 0.5**2)


def test_the_latent_by_hand():
    found = latent_interval(Interval(torch.zeros(1, 2), torch.ones(1, 2)), Interval(torch.zeros(1, 2), torch.full((1, 2), math.log(2))), torch.tensor([[3.0, -3.0]]))
    assert found.lower.tolist() == [[3.0, -6.0]] and found.upper.tolist() == [[7.0, -2.0]]


@pytest.mark.parametrize("clip", [False, True])
def test_at_radius_0_both_bounds_are_the_elbo(clip):
    model, (x, noise) = tiny_vae(), batch()
    found, value = elbo_bounds(model, x, 0.0, noise, clip=clip), elbo(model, x, noise)
    torch.testing.assert_close(found.elbo.lower, value)
    torch.testing.assert_close(found.elbo.upper, value)


@pytest.mark.parametrize("clip", [False, True], ids=["whole box", "clipped"])
@pytest.mark.parametrize("seed", range(8))
def test_no_input_in_the_box_leaves_the_bounds(seed, clip):
    model, (x, noise) = tiny_vae(seed), batch(32, seed)
    bound = elbo_bounds(model, x, 0.1, noise, clip=clip)
    box = pixel_box(x, 0.1, clip)
    for other in range(5):
        draw = torch.rand(x.shape, generator=torch.Generator().manual_seed(other))
        inner = box.lower + box.width * (draw if other % 2 else draw.round())
        value = elbo(model, inner, noise)
        assert (value >= bound.elbo.lower - 1e-4).all() and (value <= bound.elbo.upper + 1e-4).all()
        assert bound.mean.holds(model.encode(inner).mean, 1e-5).all() and bound.decoded.holds(model(inner, noise)[0], 1e-5).all()


def test_the_clipped_box_has_the_higher_bound():
    model, (x, noise) = tiny_vae(), batch()
    assert (elbo_lower_bound(model, x, 0.3, noise, clip=True) >= elbo_lower_bound(model, x, 0.3, noise)).all()


def test_the_bound_falls_with_the_radius():
    model, (x, noise) = tiny_vae(), batch()
    lower = torch.stack([elbo_lower_bound(model, x, radius, noise) for radius in (0.0, 0.02, 0.05, 0.1, 0.5)])
    assert (lower.diff(dim=0) <= 0).all()


def test_each_example_may_have_its_own_radius():
    model, (x, noise) = tiny_vae(), batch(2)
    together = elbo_lower_bound(model, x, torch.tensor([0.0, 0.1]), noise)
    apart = [elbo_lower_bound(model, x[i : i + 1], radius, noise[i : i + 1]) for i, radius in enumerate((0.0, 0.1))]
    torch.testing.assert_close(together, torch.cat(apart))


def test_gradients_are_finite_at_radius_0_and_beyond():
    model, (x, noise) = tiny_vae().requires_grad_(True), batch()
    for radius in (0.0, 0.1):
        model.zero_grad()
        elbo_lower_bound(model, x, radius, noise).sum().backward()
        assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_a_huge_radius_stays_finite():
    model, (x, noise) = tiny_vae(), batch()
    assert elbo_lower_bound(model, x, 100.0, noise).isfinite().all()


@pytest.mark.parametrize("radius", [-0.1, math.nan, math.inf])
def test_an_impossible_radius_is_refused(radius):
    model, (x, noise) = tiny_vae(), batch()
    with pytest.raises(InvalidInput, match="finite and at least 0"):
        elbo_lower_bound(model, x, radius, noise)


def test_noise_of_another_shape_is_refused():
    model, (x, noise) = tiny_vae(), batch()
    with pytest.raises(InvalidInput, match="4 × 3"):
        elbo_lower_bound(model, x, 0.1, noise[:, :2])


def constant_decoder(value: float) -> VAE:
    """A VAE whose encoder says N(0, I) and whose decoder paints one grey."""
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 2))
    decoder = nn.Sequential(nn.Linear(1, 784), nn.Unflatten(1, (1, 28, 28)), nn.Sigmoid())
    model = VAE(encoder, decoder, 1, (1, 28, 28)).requires_grad_(False)
    for layer in (encoder[1], decoder[0]):
        layer.weight.zero_(), layer.bias.zero_()
    decoder[0].bias.fill_(math.log(value / (1 - value)))
    return model


@pytest.mark.parametrize(("clip", "expected"), [(False, 784 * 0.6**2), (True, 784 * 0.5**2)])
def test_a_constant_decoder_on_black_by_hand(clip, expected):
    lower = elbo_lower_bound(constant_decoder(0.5), torch.zeros(1, 1, 28, 28), 0.1, torch.zeros(1, 1), clip=clip)
    assert lower.item() == pytest.approx(-expected, rel=1e-5)


def one_latent() -> VAE:
    """Mean 0.3, σ = 0.8 for every image, and a decoder of one pixel, sigmoid(2z): its expected ELBO is an integral over one normal."""
    encoder, decoder = nn.Sequential(nn.Flatten(), nn.Linear(1, 2)), nn.Sequential(nn.Linear(1, 1), nn.Unflatten(1, (1, 1, 1)), nn.Sigmoid())
    model = VAE(encoder, decoder, 1, (1, 1, 1)).requires_grad_(False)
    encoder[1].weight.zero_(), encoder[1].bias.copy_(torch.tensor([0.3, math.log(0.8)]))
    decoder[0].weight.fill_(2.0), decoder[0].bias.zero_()
    return model


def expected_elbo(x: float) -> float:
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    residual = (weights / weights.sum() * (x - 1 / (1 + np.exp(-2 * (0.3 + 0.8 * nodes)))) ** 2).sum()
    return -residual - 0.5 * (0.09 + 0.64 - 1 - math.log(0.64))


def test_the_certificate_lies_below_a_known_expectation_and_close_to_it():
    x = torch.full((1, 1, 1, 1), 0.4)
    found = [elbo_certificate(one_latent(), x, 0.0, Streams(seed, [0]), draws=20_000, chunk=20_000) for seed in range(10)]
    assert all(each.lower.item() < expected_elbo(0.4) < each.lower.item() + 0.01 for each in found)


def test_the_certificate_holds_for_every_input_in_the_box():
    x = torch.full((1, 1, 1, 1), 0.4)
    found = elbo_certificate(one_latent(), x, 0.2, Streams(0, [0]), draws=20_000, chunk=7_000)
    assert found.lower.item() < min(expected_elbo(0.2), expected_elbo(0.6)) and found.lower < found.estimate


def test_the_bernstein_bound_misses_a_known_mean_no_more_often_than_it_says():
    draw, failure, draws = torch.Generator().manual_seed(0), 0.1, 300
    samples = (torch.rand(4000, draws, generator=draw) < 0.05).double() * 2
    bound = empirical_bernstein(samples.mean(1), samples.var(1), torch.full((4000,), 2.0), draws, failure)
    assert (bound < 0.1).double().mean() <= failure


def test_a_certificate_does_not_depend_on_its_batch():
    model, (x, _) = tiny_vae(), batch(3)
    together = elbo_certificate(model, x, 0.05, Streams(0, range(3)), draws=400, chunk=100)
    alone = elbo_certificate(model, x[1:2], 0.05, Streams(0, [1]), draws=400, chunk=100)
    torch.testing.assert_close(together.lower[1:2], alone.lower, rtol=1e-5, atol=1e-4)


def test_more_statements_lower_each_certificate():
    model, (x, _) = tiny_vae(), batch(1)
    one, ten = (elbo_certificate(model, x, 0.05, Streams(0, [0]), draws=400, statements=count) for count in (1, 10))
    assert ten.lower < one.lower and ten.estimate == one.estimate


def test_a_certificate_never_falls_below_what_always_holds():
    model, (x, _) = tiny_vae(), batch(1)
    assert elbo_certificate(model, x, 0.05, Streams(0, [0]), draws=2).lower >= -(1.05**2) * 64 - 1e9 * SIGMA0


def test_a_certificate_can_be_cancelled():
    model, (x, _) = tiny_vae(), batch(1)
    with pytest.raises(Cancelled):
        elbo_certificate(model, x, 0.05, Streams(0, [0]), progress=Stopped())


@pytest.mark.parametrize(("options", "message"), [({"confidence": 1.0}, "confidence"), ({"draws": 1}, "draws"), ({"statements": 0}, "statements")])
def test_impossible_certificates_are_refused(options, message):
    model, (x, _) = tiny_vae(), batch(1)
    with pytest.raises(InvalidInput, match=message):
        elbo_certificate(model, x, 0.05, Streams(0, [0]), **options)
