import math

import pytest
import torch
from scipy import stats
from torch import nn

from explorer.errors import Cancelled, InvalidInput
from explorer.randomness import Streams, generator
from explorer.sets import LatentBall, LpBall
from explorer.smoothing import ABSTAIN, best_batch_size, certify, count_votes, predict
from explorer.smoothing.sampling import BLOCK
from tests.stopping import Stopped

SIGMA = 0.5


class Half(nn.Module):
    """Two classes, by the sign of the first pixel − ½: under noise the second has the share Φ((x − ½)/σ)."""

    def forward(self, x):
        return torch.stack([0.5 - x[:, 0, 0, 0], x[:, 0, 0, 0] - 0.5], 1)


class Pixels(nn.Module):
    """The same for every pixel."""

    def forward(self, x):
        return torch.cat([0.5 - x, x - 0.5], 1)


def images(*values):
    return torch.tensor(values).view(-1, 1, 1, 1).expand(-1, 1, 2, 2).contiguous()


def smooth(x, classifier=None, **options):
    options = {"sigma": SIGMA, "samples": 500, "confidence": 0.99, "streams": Streams(0, range(len(x))), **options}
    return certify(classifier or Half(), LpBall(2, 1.0).at(x), **options)


def test_certified_radii_lie_below_the_true_ones():
    x = images(0.9, 0.1, 0.75, 0.2)
    found = smooth(x, samples=2000)
    assert found.labels.tolist() == [1, 0, 1, 0]
    assert (found.radius <= (x[:, 0, 0, 0] - 0.5).abs()).all() and (found.radius > 0.7 * (x[:, 0, 0, 0] - 0.5).abs()).all()


def test_a_certificate_errs_at_most_as_often_as_promised():
    x, confidence = images(*[0.6] * 400), 0.9
    found = smooth(x, samples=100, confidence=confidence)
    wrong = int((found.radius > 0.1 + 1e-9).sum())  # the true radius is 0.6 − 0.5
    assert 0 < wrong <= stats.binom.ppf(0.9999, len(x), 1 - confidence)


def test_where_the_classes_are_even_it_abstains():
    found = smooth(images(0.5))
    assert found.labels.item() == ABSTAIN and found.radius.item() == found.probability.item() == 0


@pytest.mark.parametrize("batch_size", [1, 100, 333, 4096])
def test_results_do_not_depend_on_the_batch_size(batch_size):
    x = images(0.9, 0.55, 0.5, 0.2)
    expected, found = smooth(x), smooth(x, batch_size=batch_size)
    assert torch.equal(found.labels, expected.labels) and torch.equal(found.radius, expected.radius)


def test_images_do_not_influence_each_other():
    x = images(0.9, 0.55, 0.5, 0.2)
    together = smooth(x)
    for number in range(4):
        alone = smooth(x[number : number + 1], streams=Streams(0, [number]))
        assert alone.labels == together.labels[number] and alone.radius == together.radius[number]


def test_giving_up_early_saves_samples_and_changes_no_result():
    x, seen = images(0.5, 0.9, 0.52, 0.48), []

    class Counting(Half):
        def forward(self, x):
            seen.append(len(x))
            return super().forward(x)

    results = []
    for early in (False, True):
        seen.clear()
        results.append((smooth(x, Counting(), early=early, samples=2000, batch_size=BLOCK), sum(seen)))
    (whole, all_of_them), (early, fewer) = results
    assert torch.equal(whole.labels, early.labels) and torch.equal(whole.radius, early.radius) and fewer < all_of_them


def test_pixels_are_certified_one_by_one():
    x = torch.tensor([[[[0.9, 0.1], [0.5, 0.8]]]])
    found = smooth(x, Pixels(), confidence=0.9999)
    assert found.labels.tolist() == [[[1, 0], [ABSTAIN, 1]]] and found.radius.shape == (1, 2, 2)


def test_predictions_abstain_where_the_votes_may_be_a_coin():
    found = predict(Half(), LpBall(2, 1.0).at(images(0.9, 0.5)), sigma=SIGMA, samples=200, confidence=0.99, streams=Streams(0, range(2)))
    assert found.labels.tolist() == [1, ABSTAIN] and found.votes.sum(1).tolist() == [200, 200]


def test_votes_in_a_latent_space_are_those_of_decoded_noise(tiny_model):
    x = torch.rand(3, 1, 16, 16)
    perturbations, streams = LatentBall(tiny_model, 1.0).at(x), Streams(0, range(3))
    classifier = nn.Sequential(nn.Flatten(), nn.Linear(256, 4))
    votes = count_votes(classifier, perturbations, sigma=1.0, samples=BLOCK, streams=streams)
    noise = torch.stack([torch.randn(BLOCK, 6, generator=generator("search", 0, image, 0, 0)) for image in range(3)])
    with torch.no_grad():
        expected = torch.stack([classifier(perturbations.perturb(noise[:, one])).argmax(1) for one in range(BLOCK)])
    assert votes.tolist() == [torch.bincount(column, minlength=4).tolist() for column in expected.T]


def test_a_classifier_that_answers_nan_is_an_error():
    with pytest.raises(InvalidInput, match="NaN"):
        smooth(images(0.5), lambda x: torch.full((len(x), 2), math.nan))


@pytest.mark.parametrize(("options", "message"), [({"sigma": 0.0}, "sigma"), ({"sigma": math.inf}, "sigma"), ({"samples": 3}, "unanimous"), ({"selection": 0}, "samples")])
def test_impossible_settings_are_errors(options, message):
    with pytest.raises(InvalidInput, match=message):
        smooth(images(0.5), **options)


def test_it_stops_when_asked():
    with pytest.raises(Cancelled):
        smooth(images(0.5), progress=Stopped())


def test_the_best_batch_size_is_one_of_those_tried():
    assert best_batch_size(Half(), LpBall(2, 1.0).at(images(0.5)), sigma=SIGMA, streams=Streams(0, [0]), repetitions=1) >= 64
