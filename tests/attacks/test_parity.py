"""Accuracies under attack beside those of other libraries, where these are installed. They are no requirement."""

import math
from dataclasses import replace

import pytest
import torch

from explorer.attacks import ATTACKS, cross_entropy, find_adversarial, pgd
from explorer.papers.results import SHIPPED
from explorer.randomness import Streams
from explorer.sets import LpBall
from explorer.studies.classifiers import open_classifier

RADIUS, STEPS, IMAGES = 0.1, 20, 300
TOLERANCE = 1.01 / IMAGES  # one image: 0.33 %


@pytest.fixture(scope="module")
def opened():
    found = sorted(SHIPPED.glob("manifold_directions/lenet-digits-pgd*.safetensors")) or [SHIPPED / "contextual_budgets" / "uniform-digits.safetensors"]
    return open_classifier(found[0])


@pytest.fixture(scope="module")
def data(opened):
    return opened.images.images[:IMAGES], opened.images.labels[:IMAGES]


def accuracy(model, x, labels) -> float:
    with torch.no_grad():
        return float((model(x).argmax(1) == labels).double().mean())


@pytest.fixture(scope="module")
def ours(opened, data):
    x, labels = data
    found = pgd(LpBall(math.inf, RADIUS).at(x), cross_entropy(opened.model, labels), steps=STEPS, step_size=0.1, streams=Streams(0, range(len(x))))
    return accuracy(opened.model, found.perturbed, labels)


def test_pgd_is_as_strong_as_that_of_torchattacks(opened, data, ours):
    torchattacks = pytest.importorskip("torchattacks")
    theirs = accuracy(opened.model, torchattacks.PGD(opened.model, eps=RADIUS, alpha=RADIUS / 10, steps=STEPS, random_start=True)(*data), data[1])
    assert ours <= theirs + TOLERANCE and abs(ours - theirs) <= 2 * TOLERANCE


def test_pgd_is_as_strong_as_that_of_foolbox(opened, data, ours):
    foolbox = pytest.importorskip("foolbox")
    attack = foolbox.attacks.LinfPGD(rel_stepsize=0.1, steps=STEPS)
    theirs = accuracy(opened.model, attack(foolbox.PyTorchModel(opened.model, bounds=(0, 1), device="cpu"), *data, epsilons=RADIUS)[1], data[1])
    assert ours <= theirs + TOLERANCE and abs(ours - theirs) <= 2 * TOLERANCE


def test_auto_pgd_is_as_strong_as_autoattacks(opened, data):
    torchattacks = pytest.importorskip("torchattacks")
    theirs = accuracy(opened.model, torchattacks.APGD(opened.model, norm="Linf", eps=RADIUS, steps=STEPS, n_restarts=1, loss="ce")(*data), data[1])
    attack = replace(ATTACKS["apgd-ce"], steps=STEPS, restarts=1)
    found = find_adversarial(LpBall(math.inf, RADIUS).at(data[0]), opened.model, data[1], attack, streams=Streams(0, range(IMAGES)))
    mine = 1 - float(found.fooled.double().mean())
    assert mine <= theirs + TOLERANCE and abs(mine - theirs) <= 2 * TOLERANCE
