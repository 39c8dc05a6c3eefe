"""Counts of an attack, and the accuracy over a curve of radii, of a linear classifier whose robustness is known exactly."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from explorer.attacks import ATTACKS, Attack, find_adversarial
from explorer.errors import Cancelled, InvalidInput
from explorer.evaluation.attacks import AttackCounts, attack_columns, counts, curve_columns, curve_counts
from explorer.randomness import Streams
from explorer.sets import LatentBall, LpBall, ManifoldLatent
from tests.sets.test_contract import tiny_class_cvae, tiny_cvae
from tests.stopping import Stopped

COUNT, RADIUS = 40, 0.3
SHARES = tuple(number / 10 for number in range(1, 11))
PGD = Attack("", steps=20, step_size=0.2)


@pytest.fixture(scope="module")
def linear():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(144, 4)).requires_grad_(False)
    model[1].bias.copy_(-0.5 * model[1].weight.sum(1))
    return model


@pytest.fixture(scope="module")
def grey():
    return 0.5 + 0.1 * torch.randn(COUNT, 1, 12, 12, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def labels(linear, grey):
    """Those that it sees, but for the first four."""
    seen = linear(grey).argmax(1)
    return torch.where(torch.arange(COUNT) < 4, (seen + 1) % 4, seen)


def exact_radius(linear, x, labels) -> torch.Tensor:
    """The distance in ℓ2 to the nearest other class."""
    logits, weight = linear(x), linear[1].weight
    gaps = logits.gather(1, labels[:, None]) - logits
    distances = gaps / (weight[labels][:, None] - weight).norm(dim=2)
    return distances.scatter(1, labels[:, None], math.inf).amin(1)


def streams(count=COUNT, first=0):
    return Streams(0, range(first, first + count))


def curve(linear, x, labels, norm=2, attack=PGD, **options):
    return curve_columns(linear, x, labels, LpBall(norm, RADIUS), SHARES, attack, options.pop("streams", streams(len(x))), **options)


def test_the_counts_add_up(linear, grey, labels):
    found = counts(attack_columns(linear, grey, labels, LpBall(2, 0.1), PGD, streams()))
    assert found.clean_correct == found.attempted == COUNT - 4 and found.fooled + found.survived == found.attempted
    assert found.images == COUNT and found.robust == found.survived / COUNT and 0 < found.fooled < found.attempted


def test_images_that_are_classified_wrong_are_not_attacked(linear, grey, labels):
    columns = attack_columns(linear, grey, labels, LpBall(2, 10.0), PGD, streams())
    assert columns["margin"][:4].isnan().all() and not columns["fooled"][:4].any() and columns["fooled"][4:].all()


def test_of_a_linear_classifier_the_fooled_are_those_within_reach(linear, grey, labels):
    columns = attack_columns(linear, grey, labels, LpBall(2, 0.1), Attack("", goal="targeted_margin", steps=20, restarts=3, step_size=0.5, targets=3), streams())
    assert torch.equal(columns["fooled"][4:] > 0, exact_radius(linear, grey, labels)[4:] < 0.1)


def test_the_curve_of_a_linear_classifier_is_exact(linear, grey, labels):
    strong = Attack("", goal="targeted_margin", steps=20, restarts=3, step_size=0.5, targets=3)
    falls = curve(linear, grey, labels, attack=strong)["falls"][4:]
    distances, radii = exact_radius(linear, grey, labels)[4:, None], RADIUS * torch.tensor(SHARES)
    clear = ((distances - radii).abs() > 1e-4).all(1)  # the others are within rounding of a radius
    assert torch.equal(falls.long()[clear], (distances >= radii).sum(1)[clear]) and clear.double().mean() > 0.9 and falls.std() > 0


def test_an_image_needs_few_searches(linear, grey, labels):
    columns = curve(linear, grey, labels)
    assert columns["searches"][:4].sum() == 0 and columns["searches"][4:].mean() < 1.5


def test_the_curve_is_at_least_as_strong_as_the_attack_at_each_radius(linear, grey, labels):
    found = curve_counts(curve(linear, grey, labels), len(SHARES))
    for share, at in list(zip(SHARES, found))[::3]:
        assert at.survived <= counts(attack_columns(linear, grey, labels, LpBall(2, share * RADIUS), PGD, streams())).survived


def test_who_falls_stays_fallen(linear, grey, labels):
    found = curve_counts(curve(linear, grey, labels), len(SHARES))
    assert all(one.survived >= other.survived for one, other in zip(found, found[1:])) and found[0].survived > found[-1].survived
    assert all(each.fooled + each.survived == each.attempted == COUNT - 4 for each in found)


@pytest.mark.parametrize("norm", [2, math.inf])
def test_no_row_depends_on_the_others(norm, linear, grey, labels):
    whole = curve(linear, grey, labels, norm)
    part = curve(linear, grey[10:15], labels[10:15], norm, streams=streams(5, 10))
    assert torch.equal(whole["falls"][10:15], part["falls"]) and torch.equal(whole["searches"][10:15], part["searches"])


def test_the_worst_of_all_goes_on_with_the_survivors(linear, grey, labels, monkeypatch):
    weak, strong = Attack("", steps=1, step_size=0.05, start="zero"), PGD
    monkeypatch.setitem(ATTACKS, "weak", weak)
    monkeypatch.setitem(ATTACKS, "strong", strong)
    box, worst = LpBall(2, 0.1), replace(ATTACKS["worst-of-all"], parts=("weak", "strong"))
    fooled = [attack_columns(linear, grey, labels, box, attack, streams())["fooled"] > 0 for attack in (weak, strong, worst)]
    assert torch.equal(fooled[0] | fooled[1], fooled[2]) and fooled[0].sum() < fooled[2].sum()


@pytest.mark.parametrize("made", [lambda: ManifoldLatent(tiny_class_cvae(), 3.0), lambda: LatentBall(tiny_cvae(), 3.0)])
def test_sets_of_latents_have_a_curve(made, linear, grey):
    labels = linear(grey).argmax(1) % 3
    columns = curve_columns(linear, grey, labels, made(), (0.2, 1.0), Attack("", steps=3), streams())
    at = made().at(grey, labels)
    fell = (columns["falls"] < 2) & (columns["correct"] > 0)
    alone = find_adversarial(at, linear, labels, Attack("", steps=3), streams=streams())
    assert fell[alone.fooled & (columns["correct"] > 0)].all()


@pytest.mark.parametrize("shares", [(), (0.0, 1.0), (0.5, 0.5), (0.5, 1.5), (0.5, math.nan)])
def test_impossible_shares_are_refused(shares, linear, grey, labels):
    with pytest.raises(InvalidInput, match="rising shares"):
        curve_columns(linear, grey, labels, LpBall(2, 1.0), shares, PGD, streams())


def test_nan_is_refused(grey, labels):
    with pytest.raises(InvalidInput, match="NaN"):
        attack_columns(lambda x: x.flatten(1)[:, :4] * math.nan, grey, labels, LpBall(2, 1.0), PGD, streams())


def test_a_batch_can_be_cancelled(linear, grey, labels):
    with pytest.raises(Cancelled):
        curve(linear, grey, labels, progress=Stopped())


def test_of_no_images_there_is_no_share():
    assert math.isnan(AttackCounts(0, 0, 0, 0, 0).robust)
