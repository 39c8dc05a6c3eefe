"""Attacks over test images: tables that grow, resume and add up; and the path of one attack."""

import math
from dataclasses import replace

import pytest
import torch

from explorer.attacks import ATTACKS, Attack
from explorer.errors import Cancelled, ConfigurationError
from explorer.sets import LpBall
from explorer.studies import attack
from explorer.studies.attack import AttackSettings, CrossSettings, CurveSettings, attack_path, attack_table, cross_table, curve_table, evaluations, search_problems
from explorer.studies.classifiers import open_classifier
from explorer.types import Silent
from tests.stopping import StopAt
from tests.tiny_budgets import save_tiny

QUICK = {"steps": 2, "limit": 12, "batch_size": 5}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    return save_tiny(folder), save_tiny(folder, learned=False)


@pytest.fixture(scope="module")
def opened(files):
    return open_classifier(files[1])


def tables(measure, opened, settings, folder, progress=None):
    return list(measure(opened, "digest", settings, folder, progress or Silent()))


def test_the_counts_grow_and_add_up(opened, tmp_path):
    found = tables(attack_table, opened, AttackSettings(**QUICK, threat="linf:0.02"), tmp_path)
    assert [each.images for each in found] == [5, 10, 12]
    assert all(each.attempted == each.clean_correct == each.fooled + each.survived for each in found) and found[-1].attempted > 0


def test_neither_batches_nor_an_interruption_change_the_result(opened, tmp_path):
    settings = AttackSettings(**QUICK, threat="linf:0.02")
    with pytest.raises(Cancelled):
        tables(attack_table, opened, settings, tmp_path / "a", StopAt(5))
    assert len(list((tmp_path / "a").rglob("*.safetensors"))) == 1
    resumed = tables(attack_table, opened, settings, tmp_path / "a")[-1]
    other = tables(attack_table, opened, replace(settings, batch_size=12), tmp_path / "b")[-1]
    assert replace(other, settings=resumed.settings) == resumed


def test_a_curve_falls_and_ends_below_the_attack_at_its_largest_radius(opened, tmp_path):
    quick = {**QUICK, "limit": 80, "batch_size": 80}
    curve = tables(curve_table, opened, CurveSettings(**quick, threat="linf", radii=(0.005, 0.1, 0.5)), tmp_path)[-1]
    assert list(curve.survived) == sorted(curve.survived, reverse=True) and curve.clean_correct >= curve.survived[0] > curve.survived[-1]
    assert curve.survived[-1] <= tables(attack_table, opened, AttackSettings(**quick, threat="linf:0.5"), tmp_path)[-1].survived


def test_the_matrix_fills_cell_by_cell(files, opened, tmp_path):
    settings = CrossSettings(**QUICK, models=(str(files[0]),), threats=("linf:0.02", "l2:0.3"))
    found = tables(cross_table, opened, settings, tmp_path)
    filled = [sum(cell is not None for row in each.robust for cell in row) for each in found]
    assert filled == [1, 2, 3, 4] and found[-1].models == ("tiny-uniform", "tiny-budgets")
    assert all(0 <= cell <= clean <= 1 for row, clean in zip(found[-1].robust, found[-1].clean) for cell in row)


def test_a_cell_is_the_attack_alone(opened, tmp_path):
    cross = tables(cross_table, opened, CrossSettings(**QUICK, threats=("linf:0.02",)), tmp_path)[-1]
    alone = tables(attack_table, opened, AttackSettings(**QUICK, threat="linf:0.02"), tmp_path)[-1]
    assert cross.robust[0][0] == alone.survived / alone.images and cross.images == 12


def test_a_set_that_does_not_fit_leaves_its_cell_empty_and_says_why(opened, tmp_path):
    found = tables(cross_table, opened, CrossSettings(**QUICK, threats=("budgets:0.02", "linf:0.02")), tmp_path)[-1]
    assert found.robust[0][0] is None and found.robust[0][1] is not None and any("expected a BudgetedClassifier" in each for each in found.warnings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (AttackSettings(attack="pdg"), "Did you mean 'pgd'"),
        (AttackSettings(attack="worst-of-all", steps=3), "takes each of its attacks as it is"),
        (AttackSettings(steps=0, limit=0, threat="linf:inf"), "limit = 0.*steps = 0.*radius inf"),
        (CurveSettings(radii=(0.2, 0.1)), "expected rising numbers"),
        (CurveSettings(radii=(0.0, 0.1)), "expected finite numbers above 0"),
        (CrossSettings(models=("nowhere",), threats=()), "at least one set.*no file nowhere"),
    ],
)
def test_all_that_is_wrong_is_told_at_once(settings, words):
    import re

    assert re.search(words, "|".join(search_problems(settings)))


def test_nothing_is_done_with_impossible_settings(opened, tmp_path):
    with pytest.raises(ConfigurationError):
        tables(attack_table, opened, AttackSettings(steps=0), tmp_path)
    assert not list(tmp_path.iterdir())


def path_of(opened, attack=None, radius=0.05):
    image, label = opened.images.images[:1], int(opened.logits(opened.images.images[:1]).argmax())
    return attack_path(opened.model, LpBall(math.inf, radius), image, label, attack or Attack("", steps=6)), image, label


def test_a_path_begins_at_the_image_and_stays_inside(opened):
    found, image, _ = path_of(opened)
    assert torch.equal(found.frames[:1], image) and len(found.frames) == 1 + 7 and (found.gauge <= 1).all()
    torch.testing.assert_close(opened.model(found.frames), found.logits)


def test_the_best_frame_has_the_largest_margin(opened):
    found, _, label = path_of(opened)
    others = found.logits.scatter(1, torch.full((len(found.logits), 1), label), -math.inf).amax(1)
    assert found.best == int((others - found.logits[:, label]).argmax()) and found.fooled == (found.margin.max() > 0)


def test_a_long_path_is_shortened_and_keeps_its_best(opened, monkeypatch):
    monkeypatch.setattr(attack, "MOST_FRAMES", 22)
    found, _, _ = path_of(opened, replace(ATTACKS["random-search"], steps=50))
    assert len(found.frames) <= 22 and found.every == 3 and found.margin[-1] >= found.margin.max() - 1e-5


def test_the_cost_of_an_attack_is_counted_in_evaluations():
    assert evaluations(ATTACKS["pgd"], 10) == 40 and evaluations(ATTACKS["worst-of-all"], 10) == 500 + 900 + 1000


