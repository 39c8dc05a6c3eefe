"""The shipped classifiers are what their README and their headers say."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from explorer.checkpoints import describe, load
from explorer.data import load_dataset
from explorer.evaluation import certified_accuracy
from explorer.metrics import log_volume
from explorer.papers import EXPERIMENTS
from explorer.papers.contextual_budgets import trained_boxes

FOLDER = Path(__file__).parents[1] / "checkpoints" / "contextual_budgets"
SHIPPED = sorted(FOLDER.glob("*.safetensors"))
COLUMNS = ("clean", "attacked", "certified_crown_ibp", "certified_ibp")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_readme_repeats_the_header(path):
    header = describe(path)
    (row,) = re.findall(rf"^\| `{path.stem}` \|.*$", (FOLDER / "README.md").read_text(encoding="utf-8"), flags=re.M)
    assert [float(number) for number in re.findall(r"([\d.]+) %", row)] == pytest.approx([100 * header.metrics[name] for name in COLUMNS], abs=0.006)
    assert f"| {header.radius:g} |" in row and f"| {header.training['epochs']} |" in row


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_weights_are_stored_in_half_precision_and_run_in_float32(path):
    assert all(torch.equal(each, each.half().float()) for each in load(path).model.parameters())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_it_was_trained_as_its_experiment_says(path):
    header = describe(path)
    now, before = json.loads(json.dumps(asdict(EXPERIMENTS[header.name].config))), header.training
    assert header.name == path.stem and {key: before[key] for key in now.keys() & before.keys()} == {key: now[key] for key in now.keys() & before.keys()}
    assert header.radius == now["volume"] and header.dataset["name"] == now["dataset"]


def test_the_digits_are_still_those_they_were_trained_on():
    for path in SHIPPED:
        if (name := describe(path).dataset["name"]).endswith("digits"):
            assert describe(path).dataset["train_fingerprint"] == load_dataset(name, "train").fingerprint(), path.stem


@pytest.mark.parametrize("path", [path for path in SHIPPED if "digits" in path.stem], ids=lambda path: path.stem)
def test_accuracies_of_the_digits_are_measured_again(path):
    checkpoint = load(path)
    header, test = checkpoint.header, load_dataset(checkpoint.header.dataset["name"], "test")
    found = certified_accuracy(checkpoint.model, test.images, test.labels, trained_boxes(checkpoint.model, header.radius), steps=5)
    metrics = header.metrics
    assert found.clean == pytest.approx(metrics["clean"], abs=0.004)
    assert found.certified_ibp == pytest.approx(metrics["certified_ibp"], abs=0.004) and found.certified_crown_ibp == pytest.approx(metrics["certified_crown_ibp"], abs=0.004)
    assert found.certified_crown_ibp <= metrics["attacked"] <= found.attacked + 0.01  # five steps find no more than forty


@pytest.mark.parametrize("path", [path for path in SHIPPED if path.stem.startswith("budgets-") and "digits" in path.stem], ids=lambda path: path.stem)
def test_learned_budgets_have_the_volume_and_range_of_their_header(path):
    checkpoint = load(path)
    config, test = checkpoint.header.model_config, load_dataset(checkpoint.header.dataset["name"], "test")
    budgets = checkpoint.model.budgets(test.images)
    torch.testing.assert_close(log_volume(budgets).exp(), torch.full((len(test),), config["volume"]), rtol=1e-5, atol=0)
    low, high = config["alpha"] * config["volume"], min(config["alpha_bar"] * config["volume"], 1.0)
    assert budgets.min() >= low * 0.999999 and budgets.max() <= high * 1.000001 and budgets.std() > 0.1 * config["volume"]


@pytest.mark.parametrize(("learned", "uniform"), [("budgets-digits", "uniform-digits-0.2"), ("budgets-watermarked-digits", "uniform-watermarked-digits")])
def test_learned_budgets_are_certified_more_often_than_uniform_ones_of_their_volume(learned, uniform):
    headers = [describe(FOLDER / f"{name}.safetensors") for name in (learned, uniform)]
    assert headers[0].radius == headers[1].radius and headers[0].metrics["certified_crown_ibp"] > headers[1].metrics["certified_crown_ibp"] + 0.1
    assert headers[0].metrics["clean"] > headers[1].metrics["clean"]


def test_they_fit_into_six_megabytes():
    assert sum(path.stat().st_size for path in SHIPPED) <= 6_000_000
