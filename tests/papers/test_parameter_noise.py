"""Noise on a classifier's parameters, and the tables that stand beside the paper's."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch import nn

from explorer.evaluation.corruption_error import corruption_errors
from explorer.papers import PAPERS, RESULTS, Results, read_results, save_result
from explorer.papers.adversarial_augmentation.backbone_tables import ORDER, TABLE_4, figure_2, figure_3, table_4
from explorer.papers.adversarial_augmentation.parameter_noise import (
    NOISE_KIND,
    NoiseSettings,
    noise_problems,
    noise_table,
    noisy_parameters,
    noisy_probabilities,
)
from explorer.papers.adversarial_augmentation.reconstruction import (
    RECONSTRUCTION_KIND,
    ReconstructionSettings,
    ReconstructionTable,
)
from explorer.papers.adversarial_augmentation.similarity import SIMILARITY_KIND, SimilaritySettings, SimilarityTable
from explorer.papers.report import find_item
from explorer.randomness import generator
from explorer.studies.classifiers import open_classifier
from explorer.types import Silent
from tests.tiny_budgets import save_tiny


def test_noise_is_relative_to_the_largest_value_of_each_block():
    model = nn.Linear(200, 200)
    nn.init.uniform_(model.weight, -1, 1)
    nn.init.uniform_(model.bias, -5, 5)
    added = {name: noisy_parameters(model, 0.1, generator("test", 0))[name] - each for name, each in model.named_parameters()}
    assert added["weight"].std().item() == pytest.approx(0.1 * model.weight.abs().max().item(), rel=0.03)
    assert added["bias"].std().item() == pytest.approx(0.1 * model.bias.abs().max().item(), rel=0.2)


def test_probabilities_are_the_mean_over_the_draws():
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)), torch.rand(5, 1, 2, 2)
    by_hand = torch.stack([torch.func.functional_call(model, noisy_parameters(model, 0.3, generator("parameter-noise", 7, 2, draw)), (x,)).softmax(1) for draw in range(3)]).mean(0)
    torch.testing.assert_close(noisy_probabilities(model, x, 0.3, 3, seed=7, number=2), by_hand)
    torch.testing.assert_close(noisy_probabilities(model, x, 0.0, 3), model(x).softmax(1))


def test_each_image_has_draws_of_its_own_whatever_the_batch(tmp_path):
    opened = open_classifier(save_tiny(tmp_path, learned=False))
    assert not torch.equal(*(noisy_probabilities(opened.model, opened.images.images[:1], 1.0, 1, number=number) for number in (0, 1)))
    settings = NoiseSettings(levels=(0.0, 1.0), draws=1, severities=(5,), limit=6)
    found = [list(noise_table(opened, "digest", replace(settings, batch_size=size), tmp_path / str(size), Silent()))[-1] for size in (2, 6)]
    assert found[0].errors == found[1].errors
    plain = corruption_errors(opened.model, opened.images.images[:6], opened.images.labels[:6], names=found[0].corruptions, severities=(5,))
    assert found[0].clean[0] == pytest.approx(plain.clean) and found[0].errors[0] == pytest.approx([plain.mean(name) for name in found[0].corruptions])


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    opened = open_classifier(save_tiny(folder, learned=False))
    settings = NoiseSettings(levels=(0.0, 2.0), draws=2, severities=(1,), limit=30, batch_size=20)
    found = list(noise_table(opened, "digest", settings, folder, Silent()))
    assert [each.images for each in found] == [20, 30]
    return found[-1]


def test_grey_images_have_no_mean_over_all_corruptions(table):
    assert "frost" not in table.corruptions and len(table.corruptions) == 14 and table.mce(0) is None


def test_all_that_is_wrong_is_told_at_once():
    found = "\n".join(noise_problems(NoiseSettings(levels=(-1.0,), draws=0, severities=(9,), limit=0)))
    assert all(each in found for each in ("levels", "draws", "severities", "limit"))


def results(kind, *tables):
    return Results(tuple((kind, each, Path(f"{each.checkpoint}.json")) for each in tables))


def test_table_4_has_the_papers_lines_and_ours_below(table):
    filled = table_4(results(NOISE_KIND, table))
    assert len(filled.columns) == 17 and all(len(row) == 17 for row in TABLE_4.values())
    assert all(sum(row[2:]) / 15 == pytest.approx(row[1], abs=0.06) for row in TABLE_4.values())  # the mCE is the mean of the 15
    assert [row.measured is None for row in filled.rows] == [True] * 6 + [False] * 2 and all(row.own for row in filled.rows[6:])
    trained = replace(table, checkpoint="ada-cifar10-edsr-augmix")
    first = table_4(results(NOISE_KIND, trained)).rows[0]
    assert first.measured[0] == pytest.approx(100 * table.clean[0]) and first.measured[2 + ORDER.index("frost")] is None
    assert {"first 30 of 300 test images", "draws 2 (paper 50)", "measured on digits"} <= set(first.differences)


COMMON = {"settings": {}, "training": {}, "dataset": "scenes", "digest": "d", "images": 4, "available": 9}


def test_figure_2_puts_each_network_and_radius_in_its_line():
    one = {name: (0.5,) for name in ("means", "deviations", "guarded_means", "guarded_shares", "adversarial", "guarded", "random", "random_means")}
    made = SimilarityTable(checkpoint="c", networks=("backbone-edsr-cifar10-compact",), radii=(0.015,), counts=((4,),), clean=0.9, **one, **{**COMMON, "settings": asdict(SimilaritySettings())})
    filled = figure_2(results(SIMILARITY_KIND, made))
    assert [row.label for row in filled.rows if row.measured] == ["EDSR, ν = 0.015"] and len(filled.rows) == 10
    other = figure_2(results(SIMILARITY_KIND, replace(made, networks=("backbone-unet-scenes",)))).rows[-1]
    assert other.own and other.measured == (0.5, 0.5, 50.0, 50.0)


def test_figure_3_compares_the_mean_over_all():
    made = ReconstructionTable(checkpoint="backbone-cae-cifar10-compact", corruptions=("contrast",), means=(0.7,), standard_errors=(0.1,), clean_means=(0.6,), overall=0.7, overall_deviation=0.2, **{**COMMON, "settings": json.loads(json.dumps(asdict(ReconstructionSettings())))})
    edsr, cae = figure_3(results(RECONSTRUCTION_KIND, made)).rows
    assert edsr.measured is None and cae.measured[0] == 0.7 and cae.paper[0] == 0.84 and "first 4 of 640 test images" in cae.differences


def test_the_paper_lists_them(table, tmp_path):
    assert all(find_item(PAPERS["adversarial_augmentation"], *key).fill for key in (("table", 4), ("figure", 2), ("figure", 3)))
    save_result(NOISE_KIND, table, tmp_path / "noise.json")
    assert read_results(RESULTS, (tmp_path,)).of(NOISE_KIND)[0][0] == table
