"""Attacks by name: laws that hold for each of them, over every kind of region."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from explorer.attacks import ATTACKS, Attack, changed_attack, cross_entropy, find_adversarial, label_margin, parts_of
from explorer.attacks.catalogue import Hunt
from explorer.errors import Cancelled, ConfigurationError, InvalidInput
from explorer.randomness import Streams
from explorer.sets import BudgetBox, LatentBall, LpBall, ManifoldLatent
from explorer.types import Silent
from tests.sets.test_contract import tiny_budgeted, tiny_class_cvae, tiny_cvae
from tests.stopping import Stopped

IMAGES = 6
SETS = {
    "linf": lambda: LpBall(math.inf, 0.2),
    "l2": lambda: LpBall(2, 2.0),
    "l1": lambda: LpBall(1, 15.0),
    "budgets": lambda: BudgetBox(tiny_budgeted(), 0.2),
    "latent": lambda: LatentBall(tiny_cvae(), 2.0),
    "manifold": lambda: ManifoldLatent(tiny_class_cvae(), 2.0),
}


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(3)
    return nn.Sequential(nn.Flatten(), nn.Linear(144, 16), nn.ReLU(), nn.Linear(16, 5)).requires_grad_(False)


def quick(attack: Attack) -> Attack:
    return attack if attack.parts else replace(attack, steps=min(attack.steps, 40 if attack.method == "random_search" else 5), restarts=min(attack.restarts, 2), targets=2)


def images(count: int = IMAGES) -> torch.Tensor:
    return torch.rand(count, 1, 12, 12, generator=torch.Generator().manual_seed(1))


def hunt(classifier, name="pgd", made=None, count=IMAGES, first_example=0, labels=None, **options):
    x = images()[first_example : first_example + count]
    labels = classifier(x).argmax(1) if labels is None else labels
    at = (made or LpBall(math.inf, 0.05)).at(x, labels % 3)
    attack = name if isinstance(name, Attack) else quick(ATTACKS[name])
    return at, labels, find_adversarial(at, classifier, labels, attack, streams=Streams(0, range(first_example, first_example + count)), **options)


@pytest.fixture
def short_parts(monkeypatch):
    """The worst of all, of shorter searches."""
    for name, attack in ATTACKS.items():
        monkeypatch.setitem(ATTACKS, name, quick(attack))


@pytest.mark.parametrize("made", SETS)
@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_found_lies_in_the_set_and_has_the_margin_it_says(name, made, classifier, short_parts):
    at, labels, found = hunt(classifier, name, SETS[made]())
    assert (at.region.gauge(found.delta) <= 1).all()
    torch.testing.assert_close(label_margin(classifier(found.perturbed), labels), found.margin, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ATTACKS)
def test_no_attack_ends_below_the_centre_of_the_set(name, classifier, short_parts):
    at, labels, found = hunt(classifier, name)
    assert (found.margin >= label_margin(classifier(at.perturb(torch.zeros_like(found.delta))), labels)).all()


@pytest.mark.parametrize("name", [name for name in ATTACKS if name != "fgsm"])
def test_every_attack_improves_on_most_images(name, classifier, short_parts):
    _, labels, found = hunt(classifier, name)
    assert (found.margin > label_margin(classifier(images()), labels)).float().mean() > 0.5


@pytest.mark.parametrize("name", ATTACKS)
def test_examples_do_not_influence_each_other(name, classifier, short_parts):
    _, _, together = hunt(classifier, name, first=True)
    _, _, alone = hunt(classifier, name, count=2, first_example=3, first=True)
    torch.testing.assert_close(alone.margin, together.margin[3:5], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["pgd", "apgd-ce", "multi-targeted", "worst-of-all"])
def test_stopping_at_the_first_that_fools_changes_no_count(name, classifier, short_parts):
    box = LpBall(math.inf, 0.1)
    _, _, whole = hunt(classifier, name, box)
    _, _, first = hunt(classifier, name, box, first=True)
    assert whole.fooled.any() and torch.equal(whole.fooled, first.fooled) and (first.margin <= whole.margin + 1e-5).all()


def test_the_worst_of_all_is_at_least_as_strong_as_each_of_its_parts(classifier, short_parts):
    _, _, worst = hunt(classifier, "worst-of-all")
    for name in ATTACKS["worst-of-all"].parts:
        assert (worst.margin >= hunt(classifier, name)[2].margin - 1e-5).all()


def test_a_point_that_fools_is_kept_where_another_has_the_larger_loss():
    """Among many classes the cross-entropy can be larger where the label still wins."""
    answers = iter([torch.tensor([[3.0, 0, 0, 0]]), torch.tensor([[1.0, 1.4, -3, -3]]), torch.tensor([[1.0, 0.99, 0.99, 0.99]])])
    hunted = Hunt(LpBall(2, 1.0).at(torch.zeros(1, 1, 1, 1)), lambda x: next(answers), torch.tensor([0]))
    losses = []
    for point in (0.25, 0.5):
        losses.append(cross_entropy(hunted, hunted.labels)(torch.full((1, 1, 1, 1), point)))
        hunted.observe(torch.full((1, 1, 1, 1), point), losses[-1])
    assert losses[1] > losses[0] and hunted.delta.item() == 0.25 and hunted.margin.item() == pytest.approx(0.4)


def test_a_dead_network_is_fooled_nowhere():
    class Dead(nn.Module):
        def forward(self, x):
            return torch.zeros(len(x), 4) + 0 * x.flatten(1).sum(1)[:, None]

    _, _, found = hunt(Dead(), "pgd", labels=torch.zeros(IMAGES, dtype=torch.long))
    assert not found.fooled.any()


def test_random_search_needs_no_gradient(classifier):
    class Opaque(nn.Module):
        def forward(self, x):
            return classifier((255 * x).round().detach() / 255)

    _, _, found = hunt(Opaque(), replace(ATTACKS["random-search"], steps=60))
    before = label_margin(classifier(images()), classifier(images()).argmax(1))
    assert (found.margin > before).all()


def test_every_point_is_observed(classifier):
    seen = []
    hunt(classifier, Attack("", steps=5, restarts=2), observe=lambda delta, loss: seen.append(delta))
    assert len(seen) == 2 * 6


def test_nan_is_refused():
    with pytest.raises(InvalidInput, match="answers with NaN"):
        hunt(lambda x: x.flatten(1)[:, :5] * math.nan, labels=torch.zeros(IMAGES, dtype=torch.long))


def test_a_search_can_be_cancelled(classifier):
    for name in ("pgd", "apgd-targeted", "multi-targeted", "random-search"):
        with pytest.raises(Cancelled):
            hunt(classifier, name, progress=Stopped())


def test_progress_reaches_its_end_once(classifier, short_parts):
    class Watch(Silent):
        def advance(self, done, total, note=""):
            self.seen.append(done / total)

    for name in ("pgd", "apgd-targeted", "worst-of-all"):
        watch = Watch()
        watch.seen = []
        hunt(classifier, name, progress=watch)
        assert watch.seen == sorted(watch.seen) and watch.seen[-1] == 1


def test_impossible_settings_are_all_told():
    with pytest.raises(ConfigurationError) as told:
        Attack("", steps=0, restarts=0, step_size=-1.0)
    assert len(told.value.problems) == 3


def test_the_worst_of_all_keeps_the_settings_of_its_parts():
    with pytest.raises(ConfigurationError, match="takes each of its attacks as it is"):
        changed_attack(ATTACKS["worst-of-all"], steps=3)
    assert len(parts_of(ATTACKS["worst-of-all"])) == 3 and changed_attack(ATTACKS["pgd"], steps=3).steps == 3
