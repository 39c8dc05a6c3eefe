"""Severity curves beside an implementation of their own, image by image."""

import numpy as np
import pytest
import torch

from explorer.data import load_dataset
from explorer.data.corruptions import CORRUPTIONS, SEVERITIES
from explorer.data.corruptions.frost_textures import frost_textures
from explorer.errors import Cancelled, InvalidInput
from explorer.evaluation.corruption_statistics import STATISTICS, CorruptionStatistics, applicable, severity_curves, statistics
from tests.evaluation.published_corruptions import published
from tests.stopping import Stopped

WITHIN = 0.10
FLOOR = 0.004  # one byte, below which a share of a change says nothing


def reference(images, name, severity):
    textures = frost_textures((32, 32)).movedim(1, -1).double().numpy()
    made = [published(image, name, severity, np.random.default_rng([index, severity]), textures) for index, image in enumerate(images.movedim(1, -1).double().numpy())]
    return statistics(images, torch.from_numpy(np.stack(made)).movedim(-1, 1).float() / 255)


def apart(ours: CorruptionStatistics, theirs: CorruptionStatistics) -> dict[str, float]:
    """How far each is from the reference, over it; the signed change over the absolute one, for it can vanish."""
    over = {each: abs(getattr(theirs, each)) for each in STATISTICS} | {"signed": theirs.absolute}
    return {each: abs(getattr(ours, each) - getattr(theirs, each)) / max(over[each], FLOOR) for each in STATISTICS}


@pytest.fixture(scope="module")
def pictures():
    return load_dataset("scenes", "test", limit=8).images


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_severity_curves_are_those_of_the_published_algorithm(pictures, name):
    """Few pictures, so each is taken several times where numbers are drawn; the strict comparison is the slow one."""
    several = pictures.repeat(2, 1, 1, 1)
    curve = severity_curves(several, names=(name,), severities=(1, 5))[name]
    for severity, ours in curve.items():
        assert max(apart(ours, reference(several, name, severity)).values()) < 2.5 * WITHIN, severity


@pytest.mark.slow
@pytest.mark.parametrize("name", CORRUPTIONS)
def test_severity_curves_of_cifar10_are_within_a_tenth(real_data, name):
    images = load_dataset("cifar10", "test", real_data, limit=400).images
    curve = severity_curves(images, names=(name,))[name]
    for severity, ours in curve.items():
        assert max(apart(ours, reference(images, name, severity)).values()) < WITHIN, severity


def test_statistics_by_hand():
    clean, corrupted = torch.zeros(1, 1, 12, 12), torch.zeros(1, 1, 12, 12)
    corrupted[..., ::2] = 0.5  # stripes: half of the pixels, a step at each of the 11 places across, none down
    found = statistics(clean, corrupted)
    assert (found.absolute, found.signed, found.deviation, found.variation) == pytest.approx((0.25, 0.25, 0.25, 0.5))
    assert statistics(clean, clean) == CorruptionStatistics(1.0, 0.0, 0.0, 0.0, 0.0)


def test_grey_pictures_have_the_corruptions_without_colour(pictures):
    assert set(CORRUPTIONS) - set(applicable(1)) == {"frost", "spatter", "saturate"}
    assert severity_curves(pictures[:2, :1], severities=(1,)).keys() == set(applicable(1))


def test_what_has_no_statistics_is_refused(pictures):
    with pytest.raises(InvalidInput, match="at least one"):
        severity_curves(pictures[:0], names=("fog",))
    with pytest.raises(InvalidInput, match="11"):
        severity_curves(pictures[:1, :, :10, :10], names=("contrast",))


def test_curves_stop_on_request(pictures):
    with pytest.raises(Cancelled):
        severity_curves(pictures, progress=Stopped())


def test_severities_are_those_of_the_benchmark(pictures):
    assert tuple(severity_curves(pictures[:1], names=("contrast",))["contrast"]) == SEVERITIES
