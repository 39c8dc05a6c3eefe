"""The shipped classifiers of AdA are what their README, their headers and their results files say."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from explorer.checkpoints import describe, load
from explorer.data import load_dataset
from explorer.data.corruptions import corrupt
from explorer.evaluation.corruption_error import wrong_share
from explorer.measuring import file_digest
from explorer.papers import EXPERIMENTS, RESULTS, read_results
from explorer.papers.adversarial_augmentation.measured import CORRUPTIONS_KIND
from explorer.papers.adversarial_augmentation.search import adversarial_corruptions, random_corruptions
from explorer.papers.trained import trained_path
from explorer.randomness import Streams
from explorer.sets import WeightBall

FOLDER = Path(__file__).parents[1] / "checkpoints" / "adversarial_augmentation"
SHIPPED = [path for path in sorted(FOLDER.glob("*.safetensors")) if describe(path).kind == "classifier"]
EMBEDDED = [path for path in SHIPPED if describe(path).dataset["name"] in ("digits", "scenes")]
TABLES = {table.digest: table for table, _ in read_results(RESULTS, (FOLDER,)).of(CORRUPTIONS_KIND)}
README = (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_readme_repeats_the_results(path):
    table = TABLES[file_digest(path)]
    (row,) = re.findall(rf"^\| `{path.stem}` \|.*$", README, flags=re.M)
    shown = [float(number) for number in re.findall(r"([\d.]+) %", row)]
    groups = ("noise", "blur", "weather", "digital") if table.mce else ("noise", "blur", "digital")  # frost needs colours
    expected = [table.clean, table.mean_of_measured, *(table.group(name) for name in groups)]
    assert shown == pytest.approx([100 * value for value in expected], abs=0.006)


def test_the_readme_has_a_line_for_each_training_that_is_measured_and_not_shipped():
    lines = README.splitlines()
    for table in TABLES.values():
        numbers = [f"{100 * value:.2f} %" for value in (table.clean, table.mean_of_measured)]
        assert any(all(number in line for number in numbers) for line in lines), (table.checkpoint, table.progress, numbers)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_it_was_trained_as_its_experiment_says_or_shorter(path):
    header = describe(path)
    assert header.name == path.stem
    now = json.loads(json.dumps(asdict(EXPERIMENTS[header.name].config)))
    assert {key for key, value in now.items() if key in header.training and header.training[key] != value} <= {"limit"}
    assert all(torch.equal(each, each.half().float()) for each in load(path).model.parameters())


@pytest.mark.parametrize("path", EMBEDDED, ids=lambda path: path.stem)
def test_errors_are_measured_again(path):
    table = TABLES[file_digest(path)]
    model, test = load(path).model, load_dataset(table.dataset, "test", limit=200)
    images = corrupt(test.images, "contrast", 3, Streams(0, range(200), purpose="corruption"))
    assert wrong_share(model, images, test.labels) == pytest.approx(table.errors["contrast"][2], abs=0.1)


def test_adversarial_weights_fool_a_classifier_more_than_random_ones_and_least_the_one_that_they_trained():
    test = load_dataset("scenes", "test", limit=48)
    ball, wrong = WeightBall(load(trained_path("backbone-unet-scenes")).model, 0.015, 16), {}
    for name in ("nominal-scenes", "ada-scenes-unet"):
        model = load(FOLDER / f"{name}.safetensors").model
        found = random_corruptions(model, ball, test.images, test.labels, streams=Streams(0, range(48)))
        worst = adversarial_corruptions(model, ball, test.images, test.labels, streams=Streams(0, range(48)), steps=3)
        wrong[name] = tuple((model(each.perturbed).argmax(1) != test.labels).float().mean().item() for each in (found, worst))
    assert all(adversarial > drawn for drawn, adversarial in wrong.values())
    assert wrong["ada-scenes-unet"][1] < wrong["nominal-scenes"][1]


def test_they_fit_into_their_share():
    assert sum(path.stat().st_size for path in SHIPPED) <= 1_300_000
