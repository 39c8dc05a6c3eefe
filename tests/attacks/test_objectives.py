"""Objectives by hand."""

import math

import torch

from explorer.attacks import cross_entropy, elbo, squared_distance
from explorer.models import elbo as sampled_elbo
from tests.tiny_vae import batch, tiny_vae


def test_equal_logits_cost_the_logarithm_of_the_number_of_classes():
    objective = cross_entropy(lambda x: x, torch.tensor([0, 2]))
    torch.testing.assert_close(objective(torch.zeros(2, 3)), torch.full((2,), math.log(3)))


def test_the_squared_distance_is_summed_for_each_example():
    objective = squared_distance(torch.zeros(2, 1, 1, 2))
    assert objective(torch.tensor([3.0, 4.0, 0.0, 1.0]).view(2, 1, 1, 2)).tolist() == [25.0, 1.0]


def test_the_elbo_is_the_models_with_the_same_noise():
    model, (x, noise) = tiny_vae(), batch()
    assert torch.equal(elbo(model, noise, 0.8)(x), sampled_elbo(model, x, noise, 0.8))
