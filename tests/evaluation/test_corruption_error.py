"""Errors under corruptions and their means."""

import pytest
import torch

from explorer.data.corruptions import CORRUPTIONS, SEVERITIES, STANDARD
from explorer.errors import Cancelled, InvalidInput
from explorer.evaluation import CorruptionErrors, corruption_errors
from explorer.evaluation.corruption_error import ALEXNET
from explorer.types import Silent


def bright(x):
    """Class 1 where the image is brighter than ½."""
    mean = x.flatten(1).mean(1)
    return torch.stack([0.5 - mean, mean - 0.5], 1)


def images(count=20):
    levels = torch.linspace(0.05, 0.95, count)
    return levels[:, None, None, None].expand(-1, 3, 16, 16).contiguous(), (levels > 0.5).long()


def test_an_error_is_the_share_of_wrong_answers():
    x, labels = images()
    found = corruption_errors(bright, x, labels, names=("brightness", "contrast"))
    assert found.clean == 0
    assert found.errors["contrast"] == dict.fromkeys(SEVERITIES, 0.0), "a flat image has no contrast to lose"
    expected = [((x.flatten(1).mean(1) <= 0.5) & ((255 * (x.flatten(1).mean(1) + added) + 1e-3).floor() / 255 > 0.5)).float().mean().item() for added in (0.05, 0.1, 0.15, 0.2, 0.3)]
    assert list(found.errors["brightness"].values()) == pytest.approx(expected)


def test_results_do_not_depend_on_the_batch_size():
    x, labels = images()
    found = [corruption_errors(bright, x, labels, names=("gaussian_noise", "snow"), severities=(5,), batch_size=size) for size in (3, 20)]
    assert found[0] == found[1]


def test_means_are_those_of_the_benchmarks():
    errors = CorruptionErrors(0.0, {name: dict.fromkeys(SEVERITIES, 0.1 * (index + 1)) for index, name in enumerate(CORRUPTIONS)})
    assert errors.absolute == pytest.approx(0.8) and errors.mean("shot_noise") == pytest.approx(0.2)
    same = CorruptionErrors(0.0, {name: dict.fromkeys(SEVERITIES, ALEXNET[name]) for name in STANDARD})
    assert same.relative == pytest.approx(1)


def test_a_mean_over_less_than_all_is_refused():
    with pytest.raises(InvalidInput, match="gaussian_noise"):
        _ = CorruptionErrors(0.0, {name: dict.fromkeys(SEVERITIES, 0.1) for name in STANDARD[1:]}).absolute


def test_grey_images_leave_out_what_needs_colours():
    x, labels = images(2)
    assert set(corruption_errors(bright, x[:, :1], labels, severities=(1,)).errors) == {name for name, each in CORRUPTIONS.items() if not each.coloured}


def test_it_can_be_cancelled_and_tells_how_far_it_is():
    class Watch(Silent):
        seen = ()

        def advance(self, done, total, note=""):
            self.seen = (*self.seen, (done, total))
            self.cancelled = done == 2

    x, labels = images(2)
    watch = Watch()
    with pytest.raises(Cancelled):
        corruption_errors(bright, x, labels, names=("brightness",), progress=watch)
    assert watch.seen == ((1, 5), (2, 5))


def test_nan_is_told():
    x, labels = images(2)
    with pytest.raises(InvalidInput, match="NaN"):
        corruption_errors(lambda batch: bright(batch) * torch.nan, x, labels)
