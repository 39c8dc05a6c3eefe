"""A CVAE whose metrics are known in closed form."""

import math

import pytest
import torch
from torch import nn

from explorer.models import ConditionalVAE, Gaussian

SIDE, LATENT = 2, 3


class LinearEncoder(nn.Module):
    """A Gaussian with a constant deviation and a mean that is linear in the image."""

    def __init__(self, weight, std):
        super().__init__()
        self.register_buffer("weight", weight)
        self.std = std

    def forward(self, x):
        mean = x.flatten(1) @ self.weight.T
        return Gaussian(mean, torch.full_like(mean, 2 * math.log(self.std)))


class LinearGenerator(nn.Module):
    """clean + A·z, for small z inside [0, 1]."""

    def __init__(self, weight):
        super().__init__()
        self.register_buffer("weight", weight)

    def forward(self, clean, z):
        return clean + (z @ self.weight.T).view_as(clean)


@pytest.fixture
def linear():
    """A CVAE with orthogonal columns: A'A = s²I, prior N(0, 0.1²), posterior mean A⁺(perturbed − clean) and deviation 0.05."""
    torch.manual_seed(0)
    columns = 0.3 * torch.linalg.qr(torch.randn(SIDE * SIDE, LATENT))[0]
    inverse = torch.linalg.pinv(columns)
    prior = LinearEncoder(torch.zeros(LATENT, SIDE * SIDE), 0.1)
    recognition = LinearEncoder(torch.cat([-inverse, inverse], 1), 0.05)
    model = ConditionalVAE(prior, recognition, LinearGenerator(columns), LATENT, (1, SIDE, SIDE)).eval()
    return model, columns


@pytest.fixture
def pairs():
    draw = torch.Generator().manual_seed(1)
    clean = 0.4 + 0.2 * torch.rand(40, 1, SIDE, SIDE, generator=draw)
    return clean, clean + 0.05 * torch.randn(40, 1, SIDE, SIDE, generator=draw)
