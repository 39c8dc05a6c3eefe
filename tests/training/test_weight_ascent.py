import pytest
import torch
from torch import nn

from explorer.training import WeightAscent


@pytest.fixture
def line():
    """y = 3·a·x with the weight a = 2 and the bias b = 1 beside it."""
    model = nn.Linear(1, 1)
    with torch.no_grad():
        model.weight.fill_(2.0)
        model.bias.fill_(1.0)
    return model


def gradient_of(model):
    return [each.grad.clone() for each in model.parameters()]


def test_sam_takes_the_gradient_rho_up_the_loss(line):
    """L = a² + b² at (2, 1): the gradient (4, 2) of length √20; at (2, 1) + ρ(4, 2)/√20 it is twice that point."""
    with WeightAscent(0.5, "whole").worse(line, lambda: line.weight.square().sum() + line.bias.square().sum()):
        (line.weight.square().sum() + line.bias.square().sum()).backward()
    weight, bias = gradient_of(line)
    assert weight.item() == pytest.approx(2 * (2 + 0.5 * 4 / 20**0.5)) and bias.item() == pytest.approx(2 * (1 + 0.5 * 2 / 20**0.5))


def test_awp_moves_each_weight_by_a_share_of_its_length_and_no_bias(line):
    """a moves by γ·|a| up; b stays, for it has one dimension."""
    with WeightAscent(0.01, "relative").worse(line, lambda: 7 * line.weight.sum() - 100 * line.bias.sum()):
        assert line.weight.item() == pytest.approx(2 * 1.01) and line.bias.item() == 1


def test_weights_come_back_exactly(line):
    before = [each.detach().clone() for each in line.parameters()]
    for rule in ("whole", "relative"):
        with WeightAscent(0.3, rule).worse(line, lambda: line(torch.ones(1, 1)).sum()):
            pass
        assert all(torch.equal(a, b) for a, b in zip(before, line.parameters()))
    with pytest.raises(RuntimeError), WeightAscent(0.3, "whole").worse(line, lambda: line(torch.ones(1, 1)).sum()):
        raise RuntimeError
    assert all(torch.equal(a, b) for a, b in zip(before, line.parameters()))


def test_the_loss_is_larger_at_the_worse_weights():
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1)), torch.rand(5, 4)
    before = model(x).square().mean().item()
    for rule in ("whole", "relative"):
        with WeightAscent(0.05, rule).worse(model, lambda: model(x).square().mean()):
            assert model(x).square().mean().item() > before


def test_batch_norm_does_not_learn_from_the_search():
    model, x = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 1)).train(), torch.rand(6, 3) + 2
    with WeightAscent(0.05, "whole").worse(model, lambda: model(x).sum()):
        pass
    assert model[0].num_batches_tracked == 0 and torch.equal(model[0].running_mean, torch.zeros(3)) and model[0].momentum == 0.1
