"""Certified accuracy over radii, of a classifier whose smoothed radius is known."""

import pytest
import torch
from torch import nn

from benchmarks.certification import attack_certified
from explorer.errors import InvalidInput
from explorer.evaluation.certified import certified_curve, smoothing_columns
from explorer.randomness import Streams
from explorer.sets import LatentBall, LpBall
from explorer.smoothing import ABSTAIN, certify, count_votes, votes_as_they_come
from tests.sets.test_contract import tiny_cvae

SIGMAS = (0.25, 0.5)


class Half(nn.Module):
    """Two classes, by the sign of the first pixel − ½: the smoothed classifier's true radius is its distance from ½, for every σ."""

    def forward(self, x):
        return torch.stack([0.5 - x[:, 0, 0, 0], x[:, 0, 0, 0] - 0.5], 1)


@pytest.fixture(scope="module")
def x():
    return torch.linspace(0, 1, 21).view(-1, 1, 1, 1).expand(-1, 1, 2, 2).contiguous()


@pytest.fixture(scope="module")
def columns(x):
    labels = (x[:, 0, 0, 0] > 0.5).long()
    return smoothing_columns(Half(), LpBall(2, 1.0).at(x), labels, SIGMAS, Streams(0, range(len(x))), samples=1000, confidence=0.99)


@pytest.mark.parametrize("number", range(len(SIGMAS)))
def test_the_curve_falls_and_lies_below_the_true_one(number, columns, x):
    radii = [0.01, 0.1, 0.2, 0.3, 0.4]
    found = certified_curve(columns, number, radii)
    true = [float(((x[:, 0, 0, 0] - 0.5).abs() >= radius - 1e-6).double().mean()) for radius in radii]
    assert all(one >= other for one, other in zip(found.accuracy, found.accuracy[1:]))
    assert all(0 <= ours <= theirs for ours, theirs in zip(found.accuracy, true)) and found.accuracy[0] > 0.8


def test_shares_add_up(columns):
    found = certified_curve(columns, 0, [0.0])
    assert found.accuracy[0] + found.abstained + found.wrong == pytest.approx(1) and found.wrong == 0


def test_a_class_that_is_not_the_label_is_never_certified_accuracy(columns):
    swapped = {**columns, "target": 1 - columns["target"]}
    assert certified_curve(swapped, 1, [0.0]).accuracy == (0.0,) and certified_curve(swapped, 1, [0.0]).wrong > 0.8


def test_a_larger_sigma_certifies_farther(columns):
    assert columns["radius"][0, 1] >= columns["radius"][0, 0] - 0.05 and columns["label"][10, 0] in (ABSTAIN, 0, 1)


def test_votes_as_they_come_end_at_the_count(x):
    common = {"sigma": 0.5, "samples": 300, "batch_size": 128}
    path = list(votes_as_they_come(Half(), LpBall(2, 1.0).at(x[:2]), streams=Streams(0, [0, 1]), **common))
    assert torch.equal(path[-1].votes, count_votes(Half(), LpBall(2, 1.0).at(x[:2]), streams=Streams(0, [0, 1]), **common))
    assert [int(each.votes.sum()) for each in path] == [int(each.drawn.sum()) for each in path] and int(path[-1].drawn.sum()) == 600


def test_without_a_sigma_there_is_nothing_to_certify(x):
    with pytest.raises(InvalidInput, match="at least one sigma"):
        smoothing_columns(Half(), LpBall(2, 1.0).at(x), torch.zeros(len(x), dtype=torch.long), (), Streams(0, range(len(x))))


@pytest.mark.parametrize("latent", [False, True], ids=["pixels", "latents"])
def test_no_attack_on_the_smoothed_classifier_succeeds_within_a_certified_radius(latent):
    """A sample of benchmarks/certification.py."""
    torch.manual_seed(5)
    classifier = nn.Sequential(nn.Flatten(), nn.Linear(144, 8), nn.ReLU(), nn.Linear(8, 3)).requires_grad_(False)
    images = torch.rand(12, 1, 12, 12, generator=torch.Generator().manual_seed(1))
    at = (LatentBall(tiny_cvae(), 1.0) if latent else LpBall(2, 1.0)).at(images)
    found = certify(classifier, at, sigma=0.5, streams=Streams(0, range(12)), samples=500, confidence=0.999)
    assert (found.labels != ABSTAIN).sum() > 3
    assert attack_certified(classifier, at, found, sigma=0.5, restarts=2, steps=3, votes=500).broken == 0
