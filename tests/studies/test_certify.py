import pytest
import torch
from torch import nn

from explorer.errors import Cancelled
from explorer.randomness import Streams
from explorer.sets import LpBall
from explorer.smoothing import ABSTAIN, certify, predict
from explorer.studies.certify import CertifySettings, certify_problems, certify_table, usual_radii, voting
from explorer.studies.classifiers import open_classifier
from explorer.types import Silent
from tests.stopping import Stopped
from tests.tiny_budgets import save_tiny

QUICK = {"samples": 100, "selection": 10, "limit": 6, "batch_size": 4, "sigmas": (0.1, 0.3), "confidence": 0.99}


class Half(nn.Module):
    def forward(self, x):
        return torch.stack([0.5 - x[:, 0, 0, 0], x[:, 0, 0, 0] - 0.5], 1)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    return open_classifier(save_tiny(tmp_path_factory.mktemp("tiny"), learned=False))


def votes_of(value: float, **options):
    image = torch.full((1, 1, 2, 2), value)
    given = {"samples": 600, "confidence": 0.99, "progress": Silent(), **options}
    return list(voting(Half(), LpBall(2, 1.0), image, 1, 0.5, **given))


def test_the_tables_grow_and_their_curves_fall(opened, tmp_path):
    found = list(certify_table(opened, "digest", CertifySettings(**QUICK), tmp_path, Silent()))
    assert [each.images for each in found] == [4, 6]
    for shares in found[-1].accuracy:
        assert list(shares) == sorted(shares, reverse=True) and len(shares) == len(found[-1].radii)
    assert all(first + none + wrong == pytest.approx(1) for (first, *_), none, wrong in zip(found[-1].accuracy, found[-1].abstained, found[-1].wrong))


def test_batches_do_not_change_the_result(opened, tmp_path):
    one, other = (list(certify_table(opened, "digest", CertifySettings(**{**QUICK, "batch_size": size, "noisy_batch": noisy}), tmp_path / str(size), Silent()))[-1] for size, noisy in ((2, 64), (6, 500)))
    assert one.accuracy == other.accuracy and one.mean_radius == other.mean_radius


def test_the_radii_reach_what_unanimous_votes_certify():
    settings = CertifySettings(samples=1000, sigmas=(0.001, 0.0005), confidence=0.999)
    unanimous = certify(Half(), LpBall(2, 1.0).at(torch.ones(1, 1, 2, 2)), sigma=0.001, streams=Streams(0, [0]), samples=1000, confidence=0.999)
    assert usual_radii(settings)[-1] == pytest.approx(float(unanimous.radius)) and usual_radii(settings)[0] == 0


def test_the_last_votes_are_those_of_certify():
    path = votes_of(0.8)
    image = torch.full((1, 1, 2, 2), 0.8)
    found = certify(Half(), LpBall(2, 1.0).at(image), sigma=0.5, streams=Streams(0, [0]), samples=600, confidence=0.99)
    assert path[-1].label == int(found.labels) and path[-1].radius == pytest.approx(float(found.radius)) and int(path[-1].own[-1]) == int(found.votes)


def test_the_interval_closes_around_the_share():
    path = votes_of(0.6)
    lower, upper, share = path[-1].lower, path[-1].upper, path[-1].own.double() / path[-1].drawn
    assert (lower <= share).all() and (share <= upper).all() and (upper - lower)[-1] < (upper - lower)[0] / 1.3
    assert [len(each.drawn) for each in path] == list(range(1, len(path) + 1))


def test_nothing_is_certified_before_the_last_vote():
    path = votes_of(0.99)
    assert not any(each.certified or each.radius for each in path[:-1]) and path[-1].certified and path[-1].radius > 0


def test_the_prediction_is_that_of_predict():
    for value, want in ((0.9, 1), (0.5, ABSTAIN)):
        assert votes_of(value)[-1].predicted == want
    assert int(predict(Half(), LpBall(2, 1.0).at(torch.full((1, 1, 2, 2), 0.9)), sigma=0.5, streams=Streams(0, [0]), samples=600, confidence=0.99).labels) == 1


def test_voting_can_be_cancelled():
    with pytest.raises(Cancelled):
        votes_of(0.9, progress=Stopped())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"samples": 5}, "at least 10 are needed"),
        ({"confidence": 1.0}, "confidence = 1.0"),
        ({"sigmas": ()}, "sigmas = none"),
        ({"sigmas": (0.0,)}, "sigmas = 0"),
        ({"radii": (0.2, 0.1)}, "radii = 0.2, 0.1"),
        ({"threat": "latent"}, "expected the file of a trained model"),
    ],
)
def test_impossible_settings_are_told(changes, words):
    assert words in "|".join(certify_problems(CertifySettings(**changes)))
