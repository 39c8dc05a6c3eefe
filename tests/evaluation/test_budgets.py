"""Errors under budgets stand in order, and what the budgets follow is what it says."""

import math

import pytest
import torch
from scipy import stats

from explorer.attacks import cross_entropy, pgd
from explorer.errors import InvalidInput
from explorer.evaluation.budgets import (
    agreement_columns,
    class_means,
    error_columns,
    half_widths,
    margin_gradient,
    rank_correlation,
    region_mean,
    verified,
    volume_columns,
)
from explorer.models import build_model
from explorer.randomness import Streams
from explorer.sets import BudgetBox, LpBall
from tests.few import few

CONFIG = {"classifier_config": {"height": 12, "width": 12, "widths": [3, 4], "hidden_units": [6], "classes": 4}, "rank": 3, "volume": 0.02, "alpha": 0.25}


def case(seed: int = 0, count: int = 6):
    """A random classifier with budgets, its own predictions as labels but for one, and images."""
    torch.manual_seed(seed)
    model = build_model("budgeted_classifier", CONFIG).eval().requires_grad_(False)
    for parameter in (*model.classifier.head[-1].parameters(), *model.generator.head[0].parameters(), *model.generator.head[1].parameters()):
        parameter.mul_(5)
    x = torch.rand(count, 1, 12, 12, generator=torch.Generator().manual_seed(seed))
    labels = model(x).argmax(1)
    labels[-1] = (labels[-1] + 1) % 4
    return model, x, labels


def boxes(model, volume):
    return {"learned": BudgetBox(model, volume), "uniform": LpBall(math.inf, volume)}


@pytest.mark.parametrize("kind", ["learned", "uniform"])
@pytest.mark.parametrize("seed", range(3))
def test_clean_attacked_and_verified_errors_stand_in_order(seed, kind):
    model, x, labels = case(seed)
    for volume in (0.005, 0.02, 0.1):
        found = error_columns(model, x, labels, boxes(model, volume)[kind], Streams(0, range(6)), steps=10)
        assert (found["clean"] <= found["attacked"]).all() and (found["attacked"] <= found["crown-ibp"]).all() and (found["crown-ibp"] <= found["ibp"]).all()
        assert found["clean"].tolist() == [0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize("seed", few(2, range(5)))
def test_no_start_of_a_search_leaves_the_verified_class(seed):
    model, x, labels = case(seed)
    for volume in (0.005, 0.01, 0.02):
        box = BudgetBox(model, volume)
        proved = torch.stack(list(verified(model, x, labels, box).values())).any(0)
        found = pgd(box.at(x), cross_entropy(model, labels), steps=5, step_size=0.3, restarts=20, streams=Streams(seed, range(6)))
        assert (model(found.perturbed).argmax(1) == labels)[proved].all()


def test_at_volume_zero_verified_is_right_and_unverified_is_wrong():
    model, x, labels = case()
    found = error_columns(model, x, labels, BudgetBox(model, 0), Streams(0, range(6)), steps=1)
    assert all(torch.equal(found[name], found["clean"]) for name in ("attacked", "ibp", "crown-ibp"))


def test_uniform_budgets_are_learned_ones_of_no_range():
    model, x, labels = case()
    learned, uniform = (error_columns(model, x, labels, each, Streams(0, range(6)), steps=5) for each in (BudgetBox(model, 0.03, 1.0, 1.0), LpBall(math.inf, 0.03)))
    assert all(torch.equal(learned[name], uniform[name]) for name in learned)


def test_an_example_does_not_depend_on_the_others_of_its_batch():
    model, x, labels = case()
    whole = error_columns(model, x, labels, BudgetBox(model), Streams(0, range(6)), steps=5)
    parts = [error_columns(model, x[[i]], labels[[i]], BudgetBox(model), Streams(0, [i]), steps=5) for i in range(6)]
    assert all(torch.equal(whole[name], torch.cat([part[name] for part in parts])) for name in whole)


def test_the_half_widths_are_the_budgets_before_the_cut():
    model, x, _ = case()
    torch.testing.assert_close(half_widths(BudgetBox(model), x), model.budgets(x))
    assert (half_widths(LpBall(math.inf, 0.3), x) == 0.3).all()


def test_a_set_that_is_no_box_is_refused():
    model, x, labels = case()
    with pytest.raises(InvalidInput, match="expected boxes of pixels"):
        verified(model, x, labels, LpBall(2, 0.3))


def test_the_largest_volume_is_at_least_the_largest_radius_and_what_is_verified():
    model, x, labels = case()
    found = volume_columns(model, x, labels, warm_start=model.budgets(x), iterations=5)
    assert (found["log_volume"] >= found["log_radius"]).all() and found["correct"].tolist() == [1, 1, 1, 1, 1, 0]
    proved = verified(model, x, labels, BudgetBox(model), ("ibp",))["ibp"]
    assert (found["log_volume"] >= math.log(CONFIG["volume"]) - 1e-6)[proved].all() and found["log_volume"][-1] == -math.inf


def test_the_mean_of_a_region_takes_its_pixels_alone():
    budgets = torch.arange(8.0).view(1, 2, 2, 2)
    mask = torch.tensor([[[True, False], [False, True]]])
    assert region_mean(budgets, mask) == pytest.approx((0 + 3 + 4 + 7) / 4) and region_mean(budgets, mask & False).isnan()


def test_the_rank_correlation_is_scipys_with_ties():
    draw = torch.Generator().manual_seed(0)
    one, other = torch.randint(5, (4, 50), generator=draw).double(), torch.randn(4, 50, generator=draw).double()
    expected = [stats.spearmanr(a, b).statistic for a, b in zip(one.numpy(), other.numpy())]
    assert rank_correlation(one, other).tolist() == pytest.approx(expected)


def test_budgets_that_shrink_with_the_gradient_correlate_with_it_at_minus_1():
    model, x, labels = case()
    gradient = margin_gradient(model, x, labels).abs()
    found = agreement_columns(model, x, labels, 1 / (1 + gradient), {"all": torch.ones(6, 12, 12, dtype=torch.bool)})
    assert found["gradient"].tolist() == pytest.approx([-1.0] * 6) and set(found) == {"all", "gradient", "brightness"}


def test_the_margins_gradient_is_that_of_finite_differences():
    model, x, labels = case()
    model, x = model.double(), x.double()

    def margin(at):
        logits = model(at)
        own = logits.gather(1, labels[:, None]).squeeze(1)
        return own - logits.scatter(1, labels[:, None], -math.inf).amax(1)

    step = 1e-6 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    change = (margin(x + step) - margin(x - step)) / 2
    torch.testing.assert_close((margin_gradient(model, x, labels) * step).flatten(1).sum(1), change, rtol=1e-4, atol=1e-12)


def test_the_mean_of_a_class_is_of_its_images():
    images, labels = torch.rand(4, 1, 2, 2), torch.tensor([0, 2, 0, 2])
    found = class_means(images, labels, 3)
    torch.testing.assert_close(found[0], (images[0] + images[2]) / 2)
    assert found[1].isnan().all()
