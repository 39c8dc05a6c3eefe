"""The shipped image-to-image networks are what their README and their headers say."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from explorer.checkpoints import describe, load
from explorer.data import load_dataset
from explorer.papers import EXPERIMENTS
from explorer.papers.adversarial_augmentation.backbone_config import KIND
from explorer.papers.adversarial_augmentation.backbone_training import likeness

FOLDER = Path(__file__).parents[1] / "checkpoints" / "adversarial_augmentation"
SHIPPED = sorted(FOLDER.glob("backbone-*.safetensors"))
QUICK = ("backbone-unet-digits",)
ADDED_LATER = {"crop_size": 128}  # of ImageNet's pictures alone


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_readme_repeats_the_header(path):
    header = describe(path)
    (row,) = re.findall(rf"^\| `{path.stem}` \|.*$", (FOLDER / "README.md").read_text(encoding="utf-8"), flags=re.M)
    *_, training, parameters, ssim, error = [cell.strip() for cell in row.strip("|").split("|")]
    assert (float(ssim), float(error)) == pytest.approx((header.metrics["ssim"], header.metrics["absolute_error"]), abs=6e-4)
    assert f"{header.training['epochs']} epoch" in training and f"batches of {header.training['batch_size']}" in training
    assert int(parameters.replace(",", "")) == sum(each.numel() for each in load(path).model.parameters())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_it_is_a_network_of_an_experiment_rounded_to_half_precision(path):
    checkpoint = load(path)
    own = json.loads(json.dumps(asdict(EXPERIMENTS[path.stem].config)))
    training = {**ADDED_LATER, **checkpoint.header.training}
    assert checkpoint.header.kind == KIND and {name for name, value in own.items() if training[name] != value} <= {"epochs", "batch_size", "learning_rate"}
    assert all(torch.equal(each, each.half().float()) for each in checkpoint.model.state_dict().values())


@pytest.mark.parametrize("path", [pytest.param(path, marks=[] if path.stem in QUICK else pytest.mark.slow) for path in SHIPPED if "cifar10" not in path.stem], ids=lambda path: path.stem)
def test_its_likeness_is_measured_again(path):
    checkpoint = load(path)
    images = load_dataset(checkpoint.header.dataset["name"], "test").images
    found = likeness(checkpoint.model, images)
    assert {name: found[name] for name in found} == pytest.approx({name: checkpoint.header.metrics[name] for name in found}, rel=1e-3)
