"""Classifiers whose robust accuracy would mislead are told."""

import math

import pytest
import torch
from torch import nn

from explorer.errors import InvalidInput
from explorer.evaluation.attackable import attack_warnings


@pytest.fixture(scope="module")
def linear():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 4)).requires_grad_(False)


@pytest.fixture(scope="module")
def x():
    return torch.rand(20, 1, 4, 4, generator=torch.Generator().manual_seed(1))


def told(classifier, x):
    with torch.no_grad():
        labels = classifier(x).argmax(1)
    return "\n".join(attack_warnings(classifier, x, labels))


def test_of_a_plain_classifier_nothing_is_said(linear, x):
    assert told(linear, x) == ""


def test_a_gradient_that_vanishes_is_told(linear, x):
    assert "gradient vanishes at 20 of 20 images" in told(lambda y: linear((255 * y).round() / 255) + 0 * y.sum(), x)


def test_a_classifier_without_any_gradient_is_told(linear, x):
    assert "gradient vanishes at 20 of 20 images" in told(lambda y: linear(y.detach()), x)


def test_a_cross_entropy_that_is_saturated_is_told(linear, x):
    words = told(lambda y: 1e6 * linear(y), x)
    assert "so close to 0 that its gradient vanishes" in words and "difference of logits ratio" in words


def test_chance_is_told(linear, x):
    assert "differently each time" in told(lambda y: linear(y) + torch.randn(len(y), 4), x)
    noisy = nn.Sequential(linear, nn.Dropout(0.5))
    noisy.train()
    assert "training mode" in told(noisy, x)


def test_probabilities_are_told(linear, x):
    assert "probabilities" in told(lambda y: linear(y).softmax(1), x)


@pytest.mark.parametrize(
    ("classifier", "words"),
    [
        (lambda y: y.flatten(1)[:, :3], "knows 3 classes, the images have a label 3"),
        (lambda y: y.flatten(1)[:, :4] * math.nan, "NaN or infinite"),
        (lambda y: y.flatten(1).sum(1), "one row of logits for each"),
        (nn.Linear(7, 4), "does not take images of shape"),
    ],
)
def test_answers_that_are_no_logits_of_these_classes_are_refused(classifier, words, x):
    with pytest.raises(InvalidInput, match=words):
        attack_warnings(classifier, x, torch.full((20,), 3))
