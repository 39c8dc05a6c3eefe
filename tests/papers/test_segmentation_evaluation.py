from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from explorer.errors import ConfigurationError, InvalidInput
from explorer.evaluation.segmentation import ious, mean_iou, pixel_columns
from explorer.papers.learned_sets.segmentation_evaluation import adversarial_light, certified_table, robust_table
from explorer.papers.learned_sets.segmentation_measured import CertifiedSettings, CertifiedTable, RobustSettings
from explorer.papers.learned_sets.segmentation_opening import lighting_of, open_segmenter
from explorer.papers.learned_sets.segmentation_training import lit_pictures
from explorer.sets import L2Ball, Perturbations
from explorer.smoothing.shifting import shifted
from explorer.types import Silent
from tests.tiny_light import save_lighting_set, save_segmenter, small_scenes

ROBUST = RobustSettings(steps=3, step_size=0.4, limit=3, batch_size=2)
CERTIFIED = CertifiedSettings(samples=40, selection=10, confidence=0.9, steps=2, limit=1)


@pytest.fixture
def opened(tmp_path, monkeypatch):
    small_scenes(monkeypatch, tmp_path)
    return open_segmenter(save_segmenter(tmp_path / "segmenter.safetensors", save_lighting_set(tmp_path / "set.safetensors")))


def test_shares_and_unions_by_hand():
    materials = torch.tensor([[[0, 0], [1, 1]]])
    columns = pixel_columns(torch.tensor([[[0, 1], [1, -1]]]), materials, 3)
    assert columns["right"].tolist() == [0.5]
    assert ious(columns)[:2].tolist() == [0.5, pytest.approx(1 / 3)] and ious(columns)[2].isnan() and mean_iou(columns) == pytest.approx(5 / 12)


def test_an_attack_of_no_size_changes_nothing_and_a_larger_set_never_has_a_smaller_loss(opened):
    lighting, (pictures, materials) = lighting_of(opened, None), lit_pictures(opened.pairs, range(2))
    model = opened.checkpoint.model
    losses = []
    for radius in (0.0, 2.0):
        delta, attacked = adversarial_light(model, lighting, pictures, materials, radius, 4, 0.3)
        assert (delta.norm(dim=1) <= radius * (1 + 1e-5)).all()
        with torch.no_grad():
            losses.append(torch.nn.functional.cross_entropy(model(attacked), materials, reduction="none").mean((1, 2)))
    assert (losses[1] >= losses[0] - 1e-6).all()


def test_a_measurement_that_was_stopped_goes_on_without_redoing_any_picture(opened, tmp_path):
    whole = list(robust_table(opened, "d", ROBUST, tmp_path / "a", Silent()))
    assert [table.images for table in whole] == [2, 3] and whole[-1].radii == (1.0, 1.5, 2.0)
    part = replace(ROBUST, limit=2)
    list(robust_table(opened, "d", part, tmp_path / "b", Silent()))
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "b").rglob("*.safetensors")}
    assert list(robust_table(opened, "d", ROBUST, tmp_path / "b", Silent()))[-1].robust == whole[-1].robust
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())


def test_certified_shares_fall_with_the_radius_and_are_never_above_the_empirical_ones(opened, tmp_path):
    (table,) = certified_table(opened, "d", CERTIFIED, tmp_path, Silent())
    assert list(table.certified) == sorted(table.certified, reverse=True) and 0 < table.radii[-1] < table.epsilon
    assert all(table.at(radius) is None or table.at(radius) <= share for radius, share in zip(table.attacked_radii, table.empirical))
    assert table.certified[0] <= table.accuracy + 1e-9


def test_a_certified_curve_is_read_at_the_next_radius():
    table = SimpleNamespace(radii=(0.0, 1.0, 2.0), certified=(0.9, 0.5, 0.1))
    assert [CertifiedTable.at(table, radius) for radius in (0.0, 0.5, 1.0, 2.5)] == [0.9, 0.5, 0.5, None]


def test_a_shifted_map_is_the_map_elsewhere():
    perturbations = Perturbations(L2Ball(torch.ones(2), (3,)), torch.nn.Sequential(torch.nn.Identity()))
    point, delta = torch.randn(2, 3), torch.randn(2, 3)
    assert torch.equal(shifted(perturbations, point).perturb(delta), point + delta)


@pytest.mark.parametrize("wrong", [replace(ROBUST, radii=(-1.0,)), replace(ROBUST, steps=0), replace(CERTIFIED, samples=2), replace(CERTIFIED, sigma=0.0)])
def test_impossible_settings_are_refused(opened, tmp_path, wrong):
    measure = robust_table if isinstance(wrong, RobustSettings) else certified_table
    with pytest.raises(ConfigurationError):
        list(measure(opened, "d", wrong, tmp_path, Silent()))


def test_a_learned_set_is_no_segmenter(tmp_path):
    with pytest.raises(InvalidInput, match="expected a 'segmenter'"):
        open_segmenter(save_lighting_set(tmp_path / "set.safetensors"))
