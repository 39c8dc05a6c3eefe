"""Every experiment of *Budgets* goes through a training of one epoch, from files in their published layouts to a checkpoint that opens."""

from dataclasses import replace

import pytest
import torch

from explorer.checkpoints import load
from explorer.data import load_dataset
from explorer.models import build_model
from explorer.papers import EXPERIMENTS
from explorer.papers.base import Place
from explorer.papers.contextual_budgets import problems, schedules, train, trained_boxes
from explorer.training import State, certified_cross_entropy
from explorer.types import Silent
from tests.published_files import write_published

NAMES = [name for name, experiment in EXPERIMENTS.items() if experiment.paper == "contextual_budgets"]
QUICK = ("budgets-mnist-0.4-compact", "budgets-cifar10-16", "uniform-cifar10-8", "budgets-watermarked-mnist-0.3", "budgets-doubled-cifar10-16", "budgets-organamnist-16")
PAPER = {
    "budgets-mnist-0.4": ("dm_small", 0.4, 0.5, 2.0), "budgets-mnist-0.6": ("dm_small", 0.6, 0.5, 2.0), "budgets-mnist-0.8": ("dm_small", 0.8, 0.5, 2.0),
    "budgets-mnist-0.5-alpha-0.6": ("dm_small", 0.5, 0.6, 2.0), "budgets-cifar10-8": ("dm_large", 8 / 255, 0.125, 2.0),
    "budgets-cifar10-32": ("dm_large", 32 / 255, 0.125, 2.0), "budgets-watermarked-mnist-0.4": ("dm_small", 0.4, 0.125, 2.5),
    "budgets-doubled-cifar10-16": ("dm_large", 16 / 255, 0.0625, 1.5), "budgets-organamnist-16": ("dm_small", 16 / 255, 0.5, 2.0),
}  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_published(tmp_path_factory.mktemp("data"))


def narrow(config):
    layers, small = {"dm_small": 2, "dm_large": 5}[config.classifier], "cifar10" not in config.dataset
    return replace(config, widths=(2,) * layers, hidden_units=(4,), rank=None if config.rank is None and small else 2, epochs=1, passes=1, batch_size=40, limit=40)


def whole_training(name, root, output):
    config = narrow(EXPERIMENTS[name].config)
    changed = replace(config, growth=((0.0, 0.5), (1.0, 1.0)), smoothed=False)  # so that the one epoch sees boxes
    return changed, train(name, changed, Place(output, torch.device("cpu"), root), Silent())


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES if name not in QUICK)])
def test_an_experiment_trains_measures_and_saves(name, root, tmp_path):
    config, path = whole_training(name, root, tmp_path)
    opened = load(path)
    assert opened.header.radius == config.volume and opened.header.model == config.model
    metrics = opened.header.metrics
    assert 0 <= metrics["certified_ibp"] <= metrics["certified_crown_ibp"] <= metrics["attacked"] <= metrics["clean"] <= 1
    images = load_dataset(config.dataset, "test", root, limit=3, download=False).images
    assert trained_boxes(opened.model, config.volume).at(images).region.region.half_widths.log().mean().exp().item() == pytest.approx(config.volume, rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_an_experiments_own_configuration_is_possible(name):
    assert not problems(EXPERIMENTS[name].config)


@pytest.mark.parametrize(("name", "values"), PAPER.items())
def test_learned_budgets_have_the_papers_network_volume_and_range(name, values):
    config = EXPERIMENTS[name].config
    assert (config.classifier, config.volume, config.alpha, config.alpha_bar) == values and config.learned and config.rank is None


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("-compact")])
def test_a_compact_experiment_differs_from_the_papers_in_size_and_schedule_alone(name):
    own, paper = EXPERIMENTS[name], EXPERIMENTS[name.removesuffix("-compact")].config
    same = {field: getattr(paper, field) for field in ("rank", "classifier", "epochs", "growth", "learning_rate")}
    assert replace(own.config, **same) == paper and own.published == paper
    assert own.config.classifier == "dm_small" and own.config.epochs <= paper.epochs and own.config.rank == (64 if paper.learned else None)


@pytest.mark.parametrize("name", [name for name in NAMES if "cifar10" in name])
def test_on_cifar10_the_volume_grows_smoothly_from_the_32nd_to_the_192nd_epoch(name):
    config = EXPERIMENTS[name].config
    volume = schedules(config)["volume"]
    assert [volume(31), volume(191), volume(319)] == pytest.approx([0, config.volume, config.volume])
    assert 0 < volume(40) < 0.01 * config.volume and config.epochs == 320


@pytest.mark.slow
@pytest.mark.parametrize(("name", "shape"), [("budgets-cifar10-8", (3, 32, 32)), ("uniform-cifar10-8", (3, 32, 32)), ("budgets-doubled-cifar10-16", (3, 36, 64)), ("uniform-mnist-0.6", (1, 28, 28))])
def test_a_step_of_the_papers_size_reaches_every_weight(name, shape):
    config = EXPERIMENTS[name].config
    torch.manual_seed(0)
    model = build_model(config.model, config.model_config(shape, 10))
    state = State(0.0, {"volume": config.volume, "crown_share": 0.5, "clean_share": 0.0}, torch.Generator())
    certified_cross_entropy(model, (torch.rand(2, *shape), torch.tensor([3, 7])), state).mean().backward()
    assert all(each.grad is not None and each.grad.isfinite().all() and each.grad.abs().sum() > 0 for each in model.parameters())


@pytest.mark.slow
def test_a_small_batch_is_learned_by_heart_within_its_budgets():
    images = torch.rand(6, 1, 10, 10, generator=torch.Generator().manual_seed(0)).round()
    labels = torch.arange(6) % 3
    torch.manual_seed(0)
    model = build_model("budgeted_classifier", {"classifier_config": {"height": 10, "width": 10, "classes": 3, "widths": [4, 8], "hidden_units": [16]}, "rank": 8})
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(120):
        values = {"volume": 0.2 * min(1, step / 60), "crown_share": float(step < 20), "clean_share": 0.0}
        loss = certified_cross_entropy(model, (images, labels), State(0.0, values, torch.Generator())).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.1
