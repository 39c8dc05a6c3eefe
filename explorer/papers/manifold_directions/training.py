"""Training a classifier on clean, on perturbed and on attacked images, and measuring what was trained (Manifold directions, §3 and Appendix
B; Perturbation sets, §5 and Appendix C)."""

import math
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from explorer.checkpoints import Header, load, save
from explorer.data import ImageDataset, load_dataset
from explorer.errors import ConfigurationError
from explorer.models import model_config
from explorer.papers.base import Place
from explorer.papers.training import AfterEpoch, initialised, labelled_batches, new_header, size_differences, train_and_keep
from explorer.randomness import generator as seeded
from explorer.training import Loss, PiecewiseLinear, State
from explorer.types import Inner, Progress, stop_if_cancelled

from .accuracy import header_metrics
from .config import KIND, ClassifierConfig, problems
from .defences import Defence, defence

SHOWN = 9


def train(name: str, config: ClassifierConfig, place: Place, progress: Progress) -> Path:
    """Train a classifier; write best, last and, at the end, `NAME.safetensors`: the best one rounded to float16, with the accuracies on the
    test split that it has after the rounding. Raises ConfigurationError, or CheckpointError where a VAE or a learned set is missing."""
    if found := problems(config):
        raise ConfigurationError(found)
    data = {split: load_dataset(config.dataset, split, place.root, config.limit) for split in ("train", "validation", "test")}
    shape, classes = tuple(data["train"].images.shape[1:]), len(data["train"].class_names)
    defended = defence(config, shape, classes, place.device)
    stop_if_cancelled(progress)
    model = initialised(config.classifier, config.model_config(shape, classes), config.seed, place.device)
    batches, batches_per_epoch = labelled_batches(data["train"], config, place.device)
    validation = data["validation"].images.to(place.device), data["validation"].labels.to(place.device)
    train_and_keep(
        model,
        defended.loss,
        batches,
        header=_header(name, config, data["train"], shape, defended),
        epochs=config.epochs,
        batches_per_epoch=batches_per_epoch,
        schedules={"learning_rate": PiecewiseLinear(config.learning_rate).stretched(config.epochs)},
        after=AfterEpoch(
            lambda epoch: validation_metrics(model, *validation, defended.loss, math.inf, config.batch_size),
            lambda: (config.trained_radius, {}),
            lambda radius: validation[0][:SHOWN],
        ),
        place=place,
        progress=progress,
        weight_decay=config.weight_decay,
    )
    return _finish(name, config, place, data["test"], progress)


def steps(config: ClassifierConfig, root: Path | None) -> int:
    """How many batches a training sees. Raises DataNotFound."""
    images = load_dataset(config.dataset, "train", root, config.limit, download=False)
    return config.epochs * math.ceil(len(images) * config.passes / config.batch_size)


def validation_metrics(model: nn.Module, images: Tensor, labels: Tensor, loss: Loss, epoch: float, batch_size: int) -> dict[str, float]:
    """The mean loss at the inputs of the defence's sources, the same random numbers each time, and the clean accuracy."""
    state, total, right = State(epoch, {}, seeded("validation", 0)), 0.0, 0
    for start in range(0, len(images), batch_size):
        batch = images[start : start + batch_size], labels[start : start + batch_size]
        with torch.no_grad():
            total += float(loss(model, batch, state).double().sum())
            right += int((model(batch[0]).argmax(1) == batch[1]).sum())
    return {"validation": total / len(images), "validation_clean": right / len(images)}


def _finish(name: str, config: ClassifierConfig, place: Place, test: ImageDataset, progress: Progress) -> Path:
    best = load(place.output / "best.safetensors", place.device)
    model = best.model.half().float()
    measured = header_metrics(model, test, config, place.device, Inner(progress))
    path = place.output / f"{name}.safetensors"
    save(path, model, replace(best.header, metrics={**best.header.metrics, **measured}), dtype=torch.float16)
    return path


def _header(name: str, config: ClassifierConfig, data: ImageDataset, shape: tuple[int, int, int], defended: Defence) -> Header:
    classes = len(data.class_names)
    own = config.model_config(shape, classes)
    paper = replace(config, widths=None, hidden_units=None).model_config(shape, classes)
    description = size_differences(asdict(model_config(config.classifier, own)), asdict(model_config(config.classifier, paper)))
    return new_header(KIND, name, config, data, config.classifier, own, description, radius=config.trained_radius, **defended.digests)
