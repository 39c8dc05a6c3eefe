"""The loop, on objectives whose answer is known."""

import math

import pytest
import torch
from torch import nn

from explorer.attacks import cross_entropy, pgd, squared_distance
from explorer.errors import Cancelled, InvalidInput, UnknownName
from explorer.models import build_model
from explorer.randomness import Streams
from explorer.sets import L2Ball, LatentBall, LpBall, Perturbations
from explorer.types import Silent
from tests.stopping import Stopped

NORMS = [1, 2, math.inf]
PLANE = Perturbations(L2Ball(torch.ones(3), (2,)), nn.Identity())


def attack(objective, perturbations=PLANE, **options):
    defaults = {"steps": 10, "step_size": 0.3, "streams": Streams(0, range(3))}
    return pgd(perturbations, objective, **{**defaults, **options})


def grey(count=3):
    return torch.full((count, 1, 4, 4), 0.5)


def slope():
    return torch.randn(1, 4, 4, generator=torch.Generator().manual_seed(0))


def first_coordinate(delta):
    return delta[:, 0]


class Losses:
    """Returns each of the given losses in turn, whatever the input."""

    def __init__(self, *losses):
        self.losses, self.seen = list(losses), []

    def __call__(self, delta):
        self.seen.append(delta.detach())
        return self.losses[len(self.seen) - 1] + 0 * delta.sum(1)


@pytest.mark.parametrize("start", ["zero", "uniform"])
@pytest.mark.parametrize("norm", NORMS)
def test_a_linear_objective_reaches_its_exact_optimum(norm, start):
    radius, g = 0.3, slope()
    dual = {1: g.abs().max(), 2: g.norm(), math.inf: g.abs().sum()}[norm]
    at = LpBall(norm, radius).at(grey())
    found = attack(lambda x: ((x - 0.5) * g).flatten(1).sum(1), at, steps=60, step_size=1.0, start=start)
    torch.testing.assert_close(found.loss, (radius * dual).expand(3))


@pytest.mark.parametrize("step, size", [("region", 0.2), ("sign", 0.05), ("gradient", 0.2)])
def test_every_step_rule_climbs(step, size):
    found = attack(first_coordinate, step=step, step_size=size, start="zero", steps=30)
    torch.testing.assert_close(found.loss, torch.ones(3))


def test_a_region_step_is_a_fraction_of_the_region():
    small = Perturbations(L2Ball(torch.full((3,), 0.1), (2,)), nn.Identity())
    torch.testing.assert_close(attack(first_coordinate, small, steps=1, start="zero").delta[:, 0], torch.full((3,), 0.03))


def test_a_sign_step_moves_each_coordinate_by_its_size():
    found = attack(lambda delta: delta @ torch.tensor([5.0, -0.1]), step="sign", steps=1, start="zero")
    torch.testing.assert_close(found.delta, torch.tensor([[0.3, -0.3]]).expand(3, 2))


def test_a_gradient_step_has_its_size_as_length():
    found = attack(lambda delta: delta @ torch.tensor([3.0, -4.0]), step="gradient", steps=1, start="zero")
    torch.testing.assert_close(found.delta, torch.tensor([[0.18, -0.24]]).expand(3, 2))


@pytest.mark.parametrize("maximise, losses", [(True, (3.0, 1.0, 2.0)), (False, (1.0, 3.0, 2.0))])
def test_the_best_iterate_is_kept_and_not_the_last(maximise, losses):
    objective = Losses(*losses)
    found = attack(objective, steps=2, maximise=maximise)
    assert found.loss.tolist() == [losses[0]] * 3 and torch.equal(found.delta, objective.seen[0])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("maximise", [True, False])
def test_losses_that_are_not_finite_never_win(bad, maximise):
    found = attack(Losses(bad, 1.0, bad), steps=2, maximise=maximise)
    assert found.loss.tolist() == [1.0] * 3 and found.delta.isfinite().all()


def test_one_example_without_a_finite_loss_leaves_the_others_alone():
    spoiled = attack(lambda delta: delta[:, 0] * torch.tensor([1.0, math.nan, 1.0]), start="zero")
    assert spoiled.loss[[0, 2]].tolist() == pytest.approx([1, 1]) and spoiled.delta.isfinite().all()


def test_an_attack_on_one_example_is_unchanged_when_another_is_added():
    torch.manual_seed(0)
    classifier = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    x = torch.rand(2, 1, 4, 4)
    both = attack(cross_entropy(classifier, torch.tensor([0, 1])), LpBall(2, 1.0).at(x), streams=Streams(0, [7, 8]))
    alone = attack(cross_entropy(classifier, torch.tensor([1])), LpBall(2, 1.0).at(x[1:]), streams=Streams(0, [8]))
    torch.testing.assert_close(alone.perturbed, both.perturbed[1:])


def test_minimising_the_distance_finds_a_member_of_the_set():
    torch.manual_seed(0)
    tiny = {"height": 12, "width": 12, "latent_dim": 4, "localization_widths": [8, 4], "transformers": 2}
    model = build_model("rts_cvae", tiny).eval()
    for transformer in model.generator.transformers:
        nn.init.normal_(transformer.affine.weight, std=0.2)
    at = LatentBall(model, 2.0).at(torch.rand(3, 1, 12, 12))
    target = at.perturb(at.region.sample(Streams(5, range(3)), "uniform")).detach()
    options = {"maximise": False, "step_size": 0.05, "steps": 100, "start": "zero"}
    start = attack(squared_distance(target), at, **{**options, "steps": 0}).loss
    assert (attack(squared_distance(target), at, **options).loss < 0.1 * start).all()


def test_restarts_never_hurt():
    def wavy(delta):
        return (7 * delta).sin().sum(1)

    losses = [attack(wavy, restarts=restarts, steps=3, step_size=0.05).loss for restarts in (1, 2, 5)]
    assert (losses[0] <= losses[1]).all() and (losses[1] <= losses[2]).all() and (losses[0] < losses[2]).any()


def test_a_tensor_start_is_projected_first():
    objective = Losses(0.0, 0.0)
    attack(objective, steps=1, start=torch.full((3, 2), 9.0))
    torch.testing.assert_close(objective.seen[0].norm(dim=1), torch.ones(3))


def test_parameters_receive_no_gradient():
    classifier = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    attack(cross_entropy(classifier, torch.zeros(3, dtype=torch.long)), LpBall(2, 1.0).at(grey()))
    assert all(parameter.grad is None for parameter in classifier.parameters())


def test_an_attack_works_where_gradients_are_switched_off():
    with torch.no_grad():
        torch.testing.assert_close(attack(first_coordinate, steps=30).loss, torch.ones(3))


def test_it_costs_one_gradient_a_step_and_one_forward_a_restart():
    objective = Losses(*[0.0] * 100)
    attack(objective, steps=4, restarts=3)
    assert len(objective.seen) == 3 * (4 + 1)


def test_progress_counts_all_steps():
    class Watcher(Silent):
        seen = []

        def advance(self, done, total, note=""):
            self.seen.append((done, total))

    attack(first_coordinate, steps=2, restarts=2, progress=Watcher())
    assert Watcher.seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_cancelled_attack_raises():
    with pytest.raises(Cancelled):
        attack(first_coordinate, progress=Stopped())


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"steps": -1}, InvalidInput, "steps must be at least 0, got -1"),
        ({"step_size": 0.0}, InvalidInput, "finite number above 0, got 0.0"),
        ({"step_size": -0.1}, InvalidInput, "For descent give maximise=False"),
        ({"step_size": math.nan}, InvalidInput, "finite number above 0, got nan"),
        ({"restarts": 0}, InvalidInput, "restarts must be at least 1, got 0"),
        ({"restarts": 2, "start": "zero"}, InvalidInput, "same start"),
        ({"step": "regoin"}, UnknownName, "Did you mean 'region'"),
        ({"start": torch.zeros(3, 2), "streams": Streams(0, [0])}, InvalidInput, "one random stream for each of 3"),
        ({"streams": Streams(0, [0])}, InvalidInput, "one random stream for each of 3"),
    ],
)
def test_bad_arguments_are_refused_with_help(options, error, message):
    with pytest.raises(error, match=message):
        attack(first_coordinate, **options)


def test_a_loss_that_is_summed_too_early_is_refused():
    with pytest.raises(InvalidInput, match="one loss for each of 3 examples"):
        attack(lambda delta: delta.sum())


def test_an_observer_sees_every_iterate_and_changes_nothing():
    perturbations, seen = LpBall(2, 1.0).at(torch.full((2, 1, 2, 2), 0.5)), []
    arguments = {"steps": 3, "step_size": 0.2, "restarts": 2}

    def objective(perturbed):
        return perturbed.flatten(1).sum(1)

    watched = pgd(perturbations, objective, streams=Streams(0, range(2)), observe=lambda delta, loss: seen.append((delta, loss)), **arguments)
    alone = pgd(perturbations, objective, streams=Streams(0, range(2)), **arguments)
    assert torch.equal(watched.delta, alone.delta) and len(seen) == 2 * 4
    assert torch.equal(torch.stack([loss for _, loss in seen]).amax(0), watched.loss)
