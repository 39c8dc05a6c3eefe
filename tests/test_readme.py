"""The README's promises hold."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from explorer.data import PAIRS
from explorer.data.illumination import PUBLISHED_MATERIALS
from explorer.data.scenes import MATERIALS
from explorer.models import build_model
from explorer.papers import EXPERIMENTS
from explorer.papers.adversarial_augmentation.backbone_config import BackboneConfig
from explorer.papers.adversarial_augmentation.config import AugmentedConfig
from explorer.papers.contextual_budgets.config import BudgetsConfig
from explorer.papers.learned_sets.segmentation_config import SegmenterConfig
from explorer.papers.manifold_directions import ClassifierConfig, ClassVaeConfig

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_quick_start_runs():
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.S)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "tensor" in done.stdout


def test_the_lines_on_bounds_run():
    (code,) = [block for block in re.findall(r"```py\n(.*?)```", README, re.DOTALL) if "cross_entropy_bound" in block]
    classifier = build_model("dm_small", {"widths": [2, 2], "hidden_units": [8]}).eval()
    names = {"classifier": classifier, "images": torch.rand(2, 1, 28, 28), "labels": torch.tensor([3, 4])}
    exec(code, names)
    assert names["margins"].lower.shape == (2, 9) and names["loss"].shape == (2,) and names["exact"].upper.shape == (2, 10)


def model_config(config) -> dict:
    """Of the model that an experiment trains, for the images of its data set."""
    shape = {"cifar10": (3, 32, 32), "scenes": (3, 32, 32), "doubled_cifar10": (3, 36, 64), "framed_digits": (1, 42, 42), "lit_scenes": (3, 64, 64), "imagenet": (3, 224, 224)}.get(config.dataset, (3, 125, 187) if config.dataset.startswith("multi_illumination") else (1, 28, 28))
    classes = {"watermarked_mnist": 20, "watermarked_digits": 20, "organamnist": 11, "scenes": 8, "imagenet": 1000}.get(config.dataset, 10)
    if isinstance(config, BackboneConfig):
        return config.model_config(shape[0])
    if hasattr(config, "pairs"):
        return config.model_config(PAIRS[config.pairs]().image_shape(shape) if config.pairs in PAIRS else shape)
    if isinstance(config, SegmenterConfig):
        return config.model_config(shape, len(MATERIALS) if config.dataset == "lit_scenes" else len(PUBLISHED_MATERIALS))
    return config.model_config(shape, classes) if isinstance(config, AugmentedConfig | BudgetsConfig | ClassifierConfig | ClassVaeConfig) else config.model_config(shape)


def test_every_experiment_is_listed_with_its_number_of_parameters():
    rows = [line.strip("|").split("|") for line in README.splitlines() if line.startswith("| `")]
    listed = {name: int(count.replace(",", "")) for names, *_, count in rows if re.fullmatch(r" [\d,]+ ", count) for name in re.findall(r"`([^`]+)`", names)}
    counts: dict[str, int] = {}
    for name, experiment in EXPERIMENTS.items():
        if name == "pairs":  # as many as its pictures ask for
            continue
        model, config = experiment.config.model, model_config(experiment.config)
        if (what := repr((model, config))) not in counts:
            with torch.device("meta"):
                counts[what] = sum(p.numel() for p in build_model(model, config).parameters())
        assert listed[name] == counts[what], name


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)h][^)]*)\)", README))
def test_every_file_and_every_heading_that_is_linked_exists(path):
    file, _, heading = path.partition("#")
    assert (ROOT / file).exists()
    headings = [line.lstrip("# ").lower().replace(" ", "-") for line in README.splitlines() if line.startswith("#")]
    assert not heading or heading in headings


def test_the_test_command_is_marked_for_the_continuous_integration():
    assert re.search(r"<!-- test command -->\n```bash\n.*pytest( .*)?\n```", README)
