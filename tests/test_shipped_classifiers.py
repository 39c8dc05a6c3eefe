"""The shipped classifiers are what their README and their headers say."""

import re
from pathlib import Path

import pytest
import torch

from explorer.checkpoints import describe, load
from explorer.data import load_dataset
from explorer.evaluation import certified_accuracy

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


def test_the_digits_are_still_those_it_was_trained_on():
    assert describe(FOLDER / "uniform-digits.safetensors").dataset["train_fingerprint"] == load_dataset("digits", "train").fingerprint()


def test_accuracies_of_the_digits_are_measured_again():
    checkpoint, test = load(FOLDER / "uniform-digits.safetensors"), load_dataset("digits", "test")
    found = certified_accuracy(checkpoint.model, test.images, test.labels, checkpoint.header.radius, steps=5)
    metrics = checkpoint.header.metrics
    assert found.clean == pytest.approx(metrics["clean"], abs=1e-6)
    assert found.certified_ibp == pytest.approx(metrics["certified_ibp"], abs=0.004) and found.certified_crown_ibp == pytest.approx(metrics["certified_crown_ibp"], abs=0.004)
    assert found.certified_crown_ibp <= metrics["attacked"] <= found.attacked + 0.01  # five steps find no more than forty


def test_classifiers_fit_into_one_megabyte():
    assert sum(path.stat().st_size for path in SHIPPED) <= 1_000_000
