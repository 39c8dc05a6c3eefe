import math

import pytest
import torch

from explorer.metrics import binary_cross_entropy, squared_error

HALF, ONE = torch.full((1, 1, 2, 2), 0.5), torch.ones(1, 1, 2, 2)


def test_four_undecided_pixels_cost_four_bits():
    assert binary_cross_entropy(HALF, ONE).item() == pytest.approx(4 * math.log(2))


def test_four_pixels_half_an_edge_away():
    assert squared_error(HALF, ONE).item() == 1


def test_a_saturated_mean_has_a_finite_gradient():
    mean = ONE.clone().requires_grad_()
    binary_cross_entropy(mean, HALF).sum().backward()
    assert mean.grad.isfinite().all()


def test_nan_stays_with_its_example():
    mean = torch.cat([HALF, HALF])
    mean[0, 0, 0, 0] = torch.nan
    values = binary_cross_entropy(mean, torch.cat([ONE, ONE]))
    assert values[0].isnan() and values[1].isfinite()
