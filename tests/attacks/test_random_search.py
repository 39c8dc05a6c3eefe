import math

import pytest
import torch
from torch import nn

from explorer.attacks import random_search
from explorer.errors import InvalidInput
from explorer.randomness import Streams
from explorer.sets import L2Ball, LpBall, Perturbations

NORMS = [1, 2, math.inf]


def search(perturbations, objective, count, **options):
    return random_search(perturbations, objective, **{"steps": 300, "streams": Streams(0, range(count)), **options})


@pytest.mark.parametrize("norm", NORMS)
def test_a_linear_objective_comes_near_its_optimum(norm):
    radius, g = 0.3, torch.randn(1, 4, 4, generator=torch.Generator().manual_seed(0))
    dual = {1: g.abs().max(), 2: g.norm(), math.inf: g.abs().sum()}[norm]
    at = LpBall(norm, radius).at(torch.full((3, 1, 4, 4), 0.5))
    found = search(at, lambda x: ((x - 0.5) * g).flatten(1).sum(1), 3)
    assert (found.loss > 0.85 * radius * dual).all() and (found.loss <= radius * dual * (1 + 1e-5)).all()


def test_it_climbs_in_latents():
    plane, target = Perturbations(L2Ball(torch.ones(2), (5,)), nn.Identity()), torch.tensor([0.6, 0, 0, 0, 0.6])
    found = search(plane, lambda z: -(z - target).square().sum(1), 2)
    assert (found.loss > -0.02).all()


def test_it_leaves_its_start():
    at = LpBall(math.inf, 0.1).at(torch.full((2, 1, 6, 6), 0.5))
    losses = [search(at, lambda x: x.flatten(1).mean(1), 2, steps=steps, start="zero").loss for steps in (0, 100)]
    assert (losses[1] > losses[0]).all()


def test_negative_steps_are_refused():
    with pytest.raises(InvalidInput, match="steps must be at least 0"):
        search(LpBall(2, 1.0).at(torch.zeros(1, 1, 2, 2)), lambda x: x.flatten(1).sum(1), 1, steps=-1)
