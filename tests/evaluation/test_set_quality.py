import pytest
import torch

from explorer.evaluation import encode_pairs, percentile_radii, set_quality
from explorer.metrics import binary_cross_entropy, squared_error
from explorer.models import kl_divergence
from explorer.randomness import Streams


@pytest.fixture
def pairs():
    draw = torch.Generator().manual_seed(0)
    return tuple(torch.rand(7, 1, 16, 16, generator=draw) for _ in range(2))


def test_the_largest_norm_is_the_hundredth_percentile():
    radii = percentile_radii(torch.tensor([3.0, 1.0, 2.0, 5.0, 4.0]))
    assert radii == {"25": 2, "50": 3, "75": 4, "100": 5}


def test_encodings_are_posterior_means_in_deviations_of_the_prior(tiny_model, pairs):
    prior, posterior = tiny_model.prior(pairs[0]), tiny_model.encode(*pairs)
    expected = (posterior.mean - prior.mean) / prior.log_var.div(2).exp()
    assert torch.allclose(encode_pairs(tiny_model, *pairs).delta, expected, atol=1e-5)


def test_quality_does_not_depend_on_the_batch_size(tiny_model, pairs):
    first, second = (set_quality(tiny_model, *pairs, seed=0, batch_size=size) for size in (3, 7))
    assert first.kl_nats == pytest.approx(second.kl_nats) and first.squared_error_per_pixel == pytest.approx(second.squared_error_per_pixel)


def test_quality_is_the_mean_of_its_definition(tiny_model, pairs):
    noise = Streams(0, range(7)).normal((6,))
    decoded, posterior, prior = tiny_model(*pairs, noise)
    quality = set_quality(tiny_model, *pairs, seed=0)
    assert quality.squared_error_per_pixel == pytest.approx((decoded - pairs[1]).square().mean().item(), rel=1e-4)
    assert quality.cross_entropy_per_pixel == pytest.approx(binary_cross_entropy(decoded, pairs[1]).mean().item() / 256, rel=1e-4)
    assert quality.kl_nats == pytest.approx(kl_divergence(posterior, prior).mean().item(), rel=1e-4)


def test_errors_are_zero_for_equal_images(pairs):
    assert squared_error(pairs[0], pairs[0]).abs().max() == 0
    certain = pairs[0].round()
    assert binary_cross_entropy(certain, certain).abs().max() == 0
