"""The certified loss with learned budgets: its gradient, its soundness, and that uniform budgets are a special case to the last bit."""

import pytest
import torch
import torch.nn.functional as F

from explorer.bounds import Interval, mixed_cross_entropy
from explorer.models import build_model
from explorer.training import State, certified_cross_entropy

TINY = {"classifier_config": {"height": 10, "width": 10, "classes": 3, "widths": [2, 3], "hidden_units": [4]}}


def model(**changes):
    torch.manual_seed(0)
    return build_model("budgeted_classifier", {**TINY, **changes})


def batch(dtype=torch.float32):
    return torch.rand(4, 1, 10, 10, generator=torch.Generator().manual_seed(1), dtype=dtype), torch.tensor([0, 1, 2, 0])


def loss(model, batch, volume=0.1, crown_share=0.5):
    return certified_cross_entropy(model, batch, State(0.0, {"volume": volume, "crown_share": crown_share, "clean_share": 0.0}, torch.Generator()))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_gradient_with_respect_to_budgets_is_that_of_finite_differences(share):
    classifier, (x, labels) = model().double().classifier, batch(torch.float64)
    budgets = 0.02 + 0.1 * torch.rand(4, 1, 10, 10, generator=torch.Generator().manual_seed(2), dtype=torch.float64)

    def bound(budgets):
        return mixed_cross_entropy(classifier, Interval.around(x, budgets, 0.0, 1.0), labels, share)

    assert torch.autograd.gradcheck(bound, budgets.requires_grad_(), fast_mode=True)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_step_against_the_gradient_lowers_the_loss_through_the_generator_alone(share):
    trained, data = model(), batch()
    before = loss(trained, data, crown_share=share).mean()
    parameters = list(trained.generator.parameters())
    gradients = torch.autograd.grad(before, parameters)
    length = torch.cat([each.flatten() for each in gradients]).norm()
    assert length > 0
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients):
            parameter -= 0.05 * gradient / length
    assert loss(trained, data, crown_share=share).mean() < before


def test_no_sampled_image_of_the_learned_box_has_a_larger_loss():
    trained, (x, labels) = model(), batch()
    worst, budgets = loss(trained, (x, labels)), trained.budgets(x, 0.1)
    for seed in range(50):
        noise = (2 * torch.rand(x.shape, generator=torch.Generator().manual_seed(seed)) - 1) * budgets
        assert (F.cross_entropy(trained((x + noise).clamp(0, 1)), labels, reduction="none") <= worst + 1e-5).all()


@pytest.mark.parametrize("volume", [0.05, 0.1, 0.3, 0.4])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_budgets_of_a_range_of_one_point_give_the_uniform_loss_to_the_last_bit(volume, share):
    trained, data = model(alpha=1.0, alpha_bar=1.0), batch()
    assert torch.equal(loss(trained, data, volume, share), loss(trained.classifier, data, volume, share))


def test_at_volume_zero_the_loss_is_the_clean_cross_entropy():
    trained, (x, labels) = model(), batch()
    torch.testing.assert_close(loss(trained, (x, labels), volume=0.0), F.cross_entropy(trained(x), labels, reduction="none"))
