"""The largest certified box: certified, never smaller than a uniform one, and the optimum where that is known."""

import math

import pytest
import torch
from torch import nn

from explorer.attacks import cross_entropy, pgd
from explorer.bounds import Interval, bounds, margin_rows
from explorer.errors import Cancelled, ConfigurationError, UnknownName
from explorer.evaluation import largest_certified_radius, largest_certified_volume
from explorer.evaluation.volume_ascent import separable_optimum
from explorer.models import build_model
from explorer.randomness import Streams
from explorer.sets import BudgetBox
from explorer.sets.budget_box import DrawnBudgets
from tests.stopping import Stopped

TINY = {"height": 12, "width": 12, "widths": [3, 4], "hidden_units": [6], "classes": 4}
PIXELS = 144


def case(seed: int = 0, count: int = 5):
    """A random classifier with room around its own predictions, which are the labels, but for one."""
    torch.manual_seed(seed)
    classifier = build_model("dm_small", TINY).eval().requires_grad_(False)
    for parameter in classifier.head[-1].parameters():
        parameter.mul_(5)
    x = torch.rand(count, 1, 12, 12, generator=torch.Generator().manual_seed(seed))
    labels = classifier(x).argmax(1)
    labels[-1] = (labels[-1] + 1) % 4
    return classifier, x, labels


def margins(classifier, x, labels, budgets, method):
    rows = margin_rows(labels, classifier(x).shape[1])
    return bounds(classifier, Interval.around(x, budgets, 0.0, 1.0), method, rows).lower


@pytest.mark.parametrize("method", ["ibp", "crown-ibp", "crown"])
@pytest.mark.parametrize("seed", range(2))
def test_what_is_returned_is_certified_by_bounds_of_their_own(method, seed):
    classifier, x, labels = case(seed)
    found = largest_certified_volume(classifier, x, labels, method=method, iterations=8)
    assert found.certified.sum() == 4
    assert (margins(classifier, x, labels, found.budgets, method)[found.certified] > 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_no_start_of_a_search_leaves_the_class_in_the_largest_box(seed):
    classifier, x, labels = case(seed)
    found = largest_certified_volume(classifier, x, labels, iterations=40)
    kept = found.certified
    box = BudgetBox(DrawnBudgets(found.budgets[kept]))
    reached = pgd(box.at(x[kept]), cross_entropy(classifier, labels[kept]), steps=5, step_size=0.3, restarts=20, streams=Streams(seed, range(int(kept.sum()))))
    assert (classifier(reached.perturbed).argmax(1) == labels[kept]).all()


@pytest.mark.parametrize("method", ["ibp", "crown-ibp"])
def test_the_volume_is_larger_than_the_largest_uniform_boxs(method):
    classifier, x, labels = case()
    found = largest_certified_volume(classifier, x, labels, method=method)
    uniform = largest_certified_radius(classifier, x, labels, method=method)
    assert (found.volume >= uniform)[found.certified].all() and (found.volume > 1.2 * uniform)[found.certified].any()


def test_one_iteration_is_never_worse_than_the_start():
    classifier, x, labels = case()
    found = largest_certified_volume(classifier, x, labels, iterations=1)
    assert (found.volume >= largest_certified_radius(classifier, x, labels) * (1 - 1e-6)).all()


def test_the_largest_radius_is_certified_and_a_little_more_is_not():
    classifier, x, labels = case()
    radius = largest_certified_radius(classifier, x, labels)[:4]
    held, missed = (margins(classifier, x[:4], labels[:4], (factor * radius).view(-1, 1, 1, 1).expand(4, 1, 12, 12), "ibp").amin(1) for factor in (1.0, 1.01))
    assert (held > 0).all() and (missed <= 0).all()


def linear_case(count: int = 3):
    """Two classes and a margin that no cut box reaches: the optimum is ε = margin/(n·|w|)."""
    draw = torch.Generator().manual_seed(1)
    weight = 0.2 + torch.rand(PIXELS, generator=draw)
    layer = nn.Linear(PIXELS, 2)
    layer.weight.data, layer.bias.data = torch.stack([weight, -weight]), torch.tensor([0.5, -0.5])
    x = 0.4 + 0.2 * torch.rand(count, 1, 12, 12, generator=draw)
    layer.bias.data -= (layer.weight.data @ torch.full((PIXELS,), 0.5))
    classifier = nn.Sequential(nn.Flatten(), layer).requires_grad_(False)
    logits = classifier(x)
    margin = (logits[:, 0] - logits[:, 1]).abs()
    return classifier, x, logits.argmax(1), margin.view(-1, 1, 1, 1) / (PIXELS * 2 * weight.view(1, 1, 12, 12))


@pytest.mark.parametrize("method", ["ibp", "crown-ibp"])
def test_the_optimum_of_a_linear_classifier_is_reached(method):
    classifier, x, labels, expected = linear_case()
    assert (expected < 0.4).all()
    found = largest_certified_volume(classifier, x, labels, method=method)
    torch.testing.assert_close(found.budgets, expected, rtol=0.01, atol=0.0)


def test_the_limit_is_kept_and_the_rest_of_a_linear_optimum_shared():
    classifier, x, labels, free = linear_case(1)
    limit = float(1.2 * free.median())
    found = largest_certified_volume(classifier, x, labels, limit=limit).budgets
    lost = found / (free * PIXELS)  # by each pixel, in units of the margin
    assert found.max() <= limit and float(lost.sum()) == pytest.approx(1, abs=0.01)
    below = found < 0.98 * limit
    assert 5 < below.sum() < PIXELS - 5
    assert float(lost[below].std() / lost[below].mean()) < 0.02, "pixels below the limit lose the same each"


def test_no_element_has_a_better_budget_than_the_separable_optimum():
    draw = torch.Generator().manual_seed(0)
    x, below, above = (scale * torch.rand(500, generator=draw, dtype=torch.float64) for scale in (1, 8, 8))
    x[:20], x[20:40], above[40:60], below[60:80] = 0.0, 1.0, 0.0, 0.0

    def worth(budget):
        return budget.log() - below * torch.minimum(budget, x) - above * torch.minimum(budget, 1 - x)

    for limit in (1.0, 0.3):
        grid = torch.linspace(1e-4, limit, 4001, dtype=torch.float64).view(-1, 1)
        assert (worth(separable_optimum(x, below, above, limit)) >= worth(grid).amax(0) - 1e-12).all()


def test_an_example_does_not_depend_on_the_others_of_its_batch():
    classifier, x, labels = case()
    together = largest_certified_volume(classifier, x, labels, iterations=12).log_volume
    alone = torch.cat([largest_certified_volume(classifier, x[[i]], labels[[i]], iterations=12).log_volume for i in range(5)])
    torch.testing.assert_close(together, alone, atol=2e-3, rtol=0.0)


def test_an_image_that_is_classified_otherwise_has_no_volume_and_says_so():
    classifier, x, labels = case()
    found = largest_certified_volume(classifier, x, labels, iterations=2)
    assert found.correct.tolist() == [True] * 4 + [False] and found.log_volume[-1] == -math.inf
    assert not found.certified[-1] and not found.budgets[-1].any() and found.volume[-1] == 0


def test_a_good_start_is_not_lost():
    classifier, x, labels = case()
    best = largest_certified_volume(classifier, x, labels)
    again = largest_certified_volume(classifier, x, labels, warm_start=best.budgets.clamp(min=1e-6), iterations=1)
    assert (again.log_volume >= best.log_volume - 1e-6)[best.certified].all()


def test_an_example_whose_volume_is_enough_ends():
    classifier, x, labels = case()
    whole = largest_certified_volume(classifier, x, labels)
    target = 0.9 * float(whole.volume[whole.certified].min())
    ended = largest_certified_volume(classifier, x, labels, enough=target)
    assert (ended.volume >= target)[whole.certified].all() and ended.iterations.sum() < whole.iterations.sum()


def test_a_classifier_that_never_changes_its_mind_gets_the_whole_range():
    classifier = nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 2))
    classifier[1].weight.data.zero_()
    classifier[1].bias.data = torch.tensor([1.0, 0.0])
    found = largest_certified_volume(classifier, torch.rand(2, 1, 12, 12), torch.tensor([0, 0]), limit=0.5)
    torch.testing.assert_close(found.budgets, torch.full((2, 1, 12, 12), 0.5))


def test_it_stops_on_request():
    classifier, x, labels = case()

    with pytest.raises(Cancelled):
        largest_certified_volume(classifier, x, labels, progress=Stopped())


def test_all_that_is_impossible_is_said_at_once():
    classifier, x, labels = case()
    with pytest.raises(ConfigurationError) as error:
        largest_certified_volume(classifier, x, labels + 4, limit=1.5, iterations=0, warm_start=torch.zeros_like(x))
    assert all(word in str(error.value) for word in ("labels", "limit = 1.5", "iterations = 0", "warm_start"))
    with pytest.raises(UnknownName, match="method of bounds"):
        largest_certified_volume(classifier, x, labels, method="cron")
