import math

import pytest
import torch
from torch import nn

from explorer.attacks import auto_pgd, cross_entropy, difference_of_logits_ratio, pgd
from explorer.attacks.auto_pgd import checkpoints
from explorer.errors import Cancelled, InvalidInput
from explorer.models import build_model
from explorer.randomness import Streams
from explorer.sets import LatentBall, LpBall, Perturbations
from explorer.sets.regions import L2Ball
from tests.stopping import Stopped


@pytest.fixture
def classifier():
    torch.manual_seed(0)
    return build_model("dm_small", {}).eval()


def attack(classifier, radius=0.1, norm=math.inf, images=4, **options):
    x = torch.rand(images, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    labels = classifier(x).argmax(1)
    at = LpBall(norm, radius).at(x)
    return at, cross_entropy(classifier, labels), auto_pgd(at, cross_entropy(classifier, labels), steps=20, streams=Streams(0, range(images)), **options)


def test_the_checkpoints_are_those_of_the_paper():
    assert checkpoints(100)[:6] == [22, 41, 57, 70, 80, 87] and checkpoints(100)[-1] <= 100


@pytest.mark.parametrize("norm", [2, math.inf, 1])
def test_what_is_found_lies_in_the_set_and_has_the_loss_it_says(classifier, norm):
    at, objective, found = attack(classifier, norm=norm, radius=0.1 if norm == math.inf else 2.0)
    assert (at.region.gauge(found.delta) <= 1).all()
    assert torch.allclose(objective(found.perturbed), found.loss, atol=1e-5)


def test_it_ends_above_its_start(classifier):
    at, objective, found = attack(classifier, start="zero")
    assert (found.loss > objective(at.perturb(torch.zeros_like(found.delta)))).all()


def test_it_finds_at_least_what_as_many_fixed_steps_find_on_average(classifier):
    at, objective, found = attack(classifier, images=16)
    fixed = pgd(at, objective, steps=20, step_size=0.1, streams=Streams(0, range(16)))
    assert found.loss.mean() > 0.99 * fixed.loss.mean()


def test_it_comes_closer_to_a_maximum_than_its_first_step_would():
    """−‖δ − (0.3, 0.1)‖² over the unit disc: steps of length 2 fly over it."""
    plane, target = Perturbations(L2Ball(torch.ones(2), (2,)), nn.Identity()), torch.tensor([0.3, 0.1])
    found = auto_pgd(plane, lambda x: -(x - target).square().sum(1), steps=100, streams=Streams(0, range(2)))
    assert torch.allclose(found.delta, target.expand(2, 2), atol=1e-2)


def test_examples_do_not_influence_each_other(classifier):
    _, _, together = attack(classifier)
    x = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    labels = classifier(x).argmax(1)
    alone = auto_pgd(LpBall(math.inf, 0.1).at(x[2:3]), cross_entropy(classifier, labels[2:3]), steps=20, streams=Streams(0, [2]))
    assert torch.allclose(alone.loss, together.loss[2:3], rtol=1e-4)


def test_the_best_restart_wins(classifier):
    at, objective, once = attack(classifier)
    again = auto_pgd(at, objective, steps=20, restarts=3, streams=Streams(0, range(4)))
    assert (again.loss >= once.loss).all()


def test_it_searches_a_learned_set(tiny_model):
    x = torch.rand(3, 1, 16, 16)
    at = LatentBall(tiny_model, 2.0).at(x)
    found = auto_pgd(at, lambda y: (y - x).square().flatten(1).sum(1), steps=10, streams=Streams(0, range(3)))
    assert (at.region.gauge(found.delta) <= 1).all()


def test_a_loss_that_is_not_finite_never_wins():
    plane = Perturbations(L2Ball(torch.ones(1), (2,)), nn.Identity())
    found = auto_pgd(plane, lambda x: torch.where(x[:, 0] > 0, torch.nan, x[:, 0] + 0 * x[:, 1]), steps=10, start="zero", streams=Streams(0, [0]))
    assert found.loss.isfinite().all()


def test_the_difference_of_logits_ratio_ignores_shift_and_scale():
    logits, labels = torch.randn(50, 5), torch.randint(5, (50,))
    plain, moved = (difference_of_logits_ratio(lambda x, f=f: f(x), labels)(logits) for f in (lambda z: z, lambda z: 7 * z + 3))
    assert torch.allclose(plain, moved, atol=1e-5)


def test_the_difference_of_logits_ratio_is_above_zero_exactly_for_other_classes():
    logits, labels = torch.randn(50, 5), torch.randint(5, (50,))
    assert torch.equal(difference_of_logits_ratio(lambda x: x, labels)(logits) > 0, logits.argmax(1) != labels)


def test_two_classes_have_no_such_ratio():
    with pytest.raises(InvalidInput, match="three classes"):
        difference_of_logits_ratio(lambda x: x, torch.zeros(1, dtype=torch.long))(torch.zeros(1, 2))


def test_impossible_settings_are_errors(classifier):
    for options in ({"restarts": 0}, {"restarts": 2, "start": "zero"}):
        with pytest.raises(InvalidInput):
            attack(classifier, **options)


def test_it_stops_when_asked(classifier):
    with pytest.raises(Cancelled):
        attack(classifier, progress=Stopped())
