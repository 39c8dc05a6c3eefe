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

RADIUS, STEPS = 0.1, 40
IMAGES, TOLERANCE = 2000, 0.003
PEER_ENDS = "last"  # the other libraries return the last iterate; ours the best one, unless told otherwise


@pytest.fixture(scope="module")
def opened():
    """The LeNet-5 that was trained on PGD: of MNIST where that is at hand, else of the embedded digits, where ± 0.3 % is one image."""
    candidates = (open_classifier(SHIPPED / "manifold_directions" / f"lenet-{data}-pgd.safetensors") for data in ("mnist", "digits"))
    return next(each for each in candidates if each.note is None)


@pytest.fixture(scope="module")
def data(opened):
    return opened.images.images[:IMAGES], opened.images.labels[:IMAGES]


def accuracy(model, x, labels) -> float:
    with torch.no_grad():
        return float((model(x).argmax(1) == labels).double().mean())


def allowed(data) -> float:
    return max(TOLERANCE, 1.01 / len(data[0]))


@pytest.fixture(scope="module")
def ours(opened, data):
    x, labels = data
    streams = Streams(0, range(len(x)))
    found = pgd(LpBall(math.inf, RADIUS).at(x), cross_entropy(opened.model, labels), steps=STEPS, step_size=0.1, keep=PEER_ENDS, streams=streams)
    return accuracy(opened.model, found.perturbed, labels)


def test_pgd_finds_what_that_of_torchattacks_finds(opened, data, ours):
    torchattacks = pytest.importorskip("torchattacks")
    theirs = accuracy(opened.model, torchattacks.PGD(opened.model, eps=RADIUS, alpha=RADIUS / 10, steps=STEPS, random_start=True)(*data), data[1])
    assert abs(ours - theirs) <= allowed(data)


def test_pgd_finds_what_that_of_foolbox_finds(opened, data, ours):
    foolbox = pytest.importorskip("foolbox")
    attack = foolbox.attacks.LinfPGD(rel_stepsize=0.1, steps=STEPS)
    theirs = accuracy(opened.model, attack(foolbox.PyTorchModel(opened.model, bounds=(0, 1), device="cpu"), *data, epsilons=RADIUS)[1], data[1])
    assert abs(ours - theirs) <= allowed(data)


def test_auto_pgd_finds_what_autoattacks_finds(opened, data):
    torchattacks = pytest.importorskip("torchattacks")
    theirs = accuracy(opened.model, torchattacks.APGD(opened.model, norm="Linf", eps=RADIUS, steps=STEPS, n_restarts=1, loss="ce")(*data), data[1])
    attack = replace(ATTACKS["apgd-ce"], steps=STEPS, restarts=1)
    found = find_adversarial(LpBall(math.inf, RADIUS).at(data[0]), opened.model, data[1], attack, streams=Streams(0, range(len(data[0]))))
    mine = 1 - float(found.fooled.double().mean())
    assert abs(mine - theirs) <= allowed(data)
