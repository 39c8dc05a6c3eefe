"""The learned set around a prior."""

import math

import pytest
import torch

from explorer.errors import InvalidInput
from explorer.models import build_model
from explorer.sets import LatentBall

TINY = {"height": 8, "width": 8, "latent_dim": 3, "localization_widths": [4], "transformers": 1}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return build_model("rts_cvae", TINY).eval()


def test_the_centre_is_the_prior_mean_and_length_one_is_one_standard_deviation(model):
    x = torch.rand(2, 1, 8, 8)
    affine = LatentBall(model, 1.0).at(x).perturb[0]
    prior = model.prior(x)
    torch.testing.assert_close(affine(torch.zeros(2, 3)), prior.mean)
    torch.testing.assert_close(prior.standardise(affine(torch.eye(3)[:2])), torch.eye(3)[:2])


def test_delta_is_decoded_around_the_prior_mean(model):
    x = torch.rand(2, 1, 8, 8)
    torch.testing.assert_close(LatentBall(model, 1.0).at(x).perturb(torch.zeros(2, 3)), model.decode(x, model.prior(x).mean))


def test_a_model_in_training_mode_is_refused(model):
    with pytest.raises(InvalidInput, match=r"Call model\.eval\(\)"):
        LatentBall(model.train(), 1.0).at(torch.rand(1, 1, 8, 8))


@pytest.mark.parametrize(
    "x, message",
    [
        (torch.rand(1, 1, 9, 8), r"shape \(1, 8, 8\), got \(1, 9, 8\)"),
        (torch.full((1, 1, 8, 8), math.nan), "without NaN"),
        (torch.full((1, 1, 8, 8), 1.1), r"\[0, 1\]"),
    ],
)
def test_images_that_the_model_does_not_take_are_refused(model, x, message):
    with pytest.raises(InvalidInput, match=message):
        LatentBall(model, 1.0).at(x)


def test_impossible_radii_are_refused(model):
    with pytest.raises(InvalidInput, match="finite number of at least 0"):
        LatentBall(model, -1.0)


def test_the_decoder_shares_the_memory_of_the_model_and_leaves_it_trainable(model):
    decoder = LatentBall(model, 1.0).at(torch.rand(1, 1, 8, 8)).perturb[1].generator
    for ours, theirs in zip(decoder.parameters(), model.generator.parameters()):
        assert ours.data_ptr() == theirs.data_ptr() and theirs.requires_grad and not ours.requires_grad
