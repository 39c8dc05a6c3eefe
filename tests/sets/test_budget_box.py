import pytest
import torch

from explorer.attacks import cross_entropy, pgd
from explorer.bounds import bounds, enclosing, margin_rows
from explorer.errors import InvalidInput
from explorer.models import build_model
from explorer.randomness import Streams
from explorer.sets import BudgetBox, Budgeted, DrawnBudgets, LpBall

TINY = {"classifier_config": {"height": 10, "width": 10, "classes": 3, "widths": [2, 2], "hidden_units": [4]}}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return build_model("budgeted_classifier", TINY).eval()


@pytest.fixture
def x():
    return torch.rand(4, 1, 10, 10, generator=torch.Generator().manual_seed(0))


def test_a_model_and_drawn_budgets_know_the_budgets_of_images(model):
    assert isinstance(model, Budgeted) and isinstance(DrawnBudgets(torch.ones(1, 1, 10, 10)), Budgeted)


def test_its_box_is_that_of_the_models_budgets_cut_to_the_range_of_pixels(model, x):
    box = enclosing(x, BudgetBox(model, 0.1).at(x).region)
    budgets = model.budgets(x, 0.1).detach()
    torch.testing.assert_close(box.lower, (x - budgets).clamp(0, 1))
    torch.testing.assert_close(box.upper, (x + budgets).clamp(0, 1))


def test_equal_budgets_are_the_ball_of_the_largest_change(x):
    drawn, ball = BudgetBox(DrawnBudgets(torch.full((1, 1, 10, 10), 0.2))).at(x), LpBall(float("inf"), 0.2).at(x)
    streams = Streams(0, range(4))
    torch.testing.assert_close(drawn.region.sample(streams), ball.region.sample(Streams(0, range(4))))
    far = torch.randn(4, 1, 10, 10)
    torch.testing.assert_close(drawn.region.project(far), ball.region.project(far))


def test_one_drawn_budget_of_a_tenth_lets_one_pixel_change_by_a_tenth():
    budgets = torch.full((1, 1, 2, 2), 1e-6)
    budgets[0, 0, 0, 1] = 0.1
    region = BudgetBox(DrawnBudgets(budgets)).at(torch.full((1, 1, 2, 2), 0.5)).region
    assert region.project(torch.ones(1, 1, 2, 2))[0, 0, 0].tolist() == pytest.approx([1e-6, 0.1])


def test_what_is_certified_in_the_box_no_search_of_it_changes(model, x):
    at, labels = BudgetBox(model, 0.02, 0.1, 3.0).at(x), model(x).argmax(1)
    margins = bounds(model, enclosing(x, at.region), "crown-ibp", margin_rows(labels, 3))
    certified = (margins.lower > 0).all(1)
    found = pgd(at, cross_entropy(model, labels), steps=20, step_size=0.1, streams=Streams(0, range(4)), restarts=5)
    assert certified.any() and (model(found.perturbed).argmax(1) == labels)[certified].all()


@pytest.mark.parametrize("value", [0.0, -0.1, float("nan")])
def test_drawn_budgets_that_are_none_are_refused(value):
    with pytest.raises(InvalidInput, match="finite and above 0"):
        DrawnBudgets(torch.full((1, 1, 2, 2), value))


def test_budgets_drawn_for_another_size_are_refused(x):
    with pytest.raises(InvalidInput, match="were drawn for images of shape"):
        BudgetBox(DrawnBudgets(torch.ones(1, 1, 28, 28))).at(x)


def test_drawn_budgets_are_of_their_own_volume(x):
    with pytest.raises(InvalidInput, match="refine_volume"):
        BudgetBox(DrawnBudgets(torch.ones(1, 1, 10, 10)), volume=0.3).at(x)


def test_a_negative_volume_is_refused(model):
    with pytest.raises(InvalidInput, match="volume must be"):
        BudgetBox(model, -0.1)
