import math

import pytest
import torch

from explorer.errors import InvalidInput
from explorer.evaluation.found_margins import found_margins, other_classes
from explorer.sets import BudgetBox, LpBall
from explorer.sets.budget_box import DrawnBudgets


class Brightness(torch.nn.Module):
    """Three classes: bright, dark, and one that never wins; margins of the first are 2·mean − 1 and mean + 1."""

    def forward(self, x):
        mean = x.flatten(1).mean(1, keepdim=True)
        return torch.cat([mean, 1 - mean, torch.full_like(mean, -1.0)], 1)


IMAGE = torch.full((1, 1, 2, 2), 0.6)


def test_the_smallest_margins_of_a_linear_classifier_are_found():
    found = found_margins(Brightness(), IMAGE, 0, LpBall(math.inf, 0.25))
    assert found.margins.tolist() == pytest.approx([-0.3, 1.35], abs=1e-6) and found.succeeded
    torch.testing.assert_close(found.worst, IMAGE - 0.25)


def test_every_pixel_goes_as_far_as_its_own_budget():
    budgets = torch.tensor([0.01, 0.02, 0.1, 0.3]).view(1, 1, 2, 2)
    torch.testing.assert_close(found_margins(Brightness(), IMAGE, 0, BudgetBox(DrawnBudgets(budgets))).worst, IMAGE - budgets)


def test_the_worst_of_a_box_that_is_a_point_is_the_image():
    found = found_margins(Brightness(), IMAGE, 0, LpBall(math.inf, 0.0))
    assert torch.equal(found.worst, IMAGE) and found.margins.tolist() == pytest.approx([0.2, 1.6]) and not found.succeeded


def test_other_classes_are_all_but_the_label():
    assert other_classes(1, 4).tolist() == [0, 2, 3]


@pytest.mark.parametrize("label", [-1, 4])
def test_a_label_outside_the_classes_is_refused(label):
    with pytest.raises(InvalidInput, match=f"label = {label}: expected 0 to 3"):
        other_classes(label, 4)
