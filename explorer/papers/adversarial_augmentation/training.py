"""Training a classifier on corruptions that are made as it learns, nominally, or against attacks in pixels: one loop (AdA, Algorithm 1 and
Appendix E)."""

import math
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.checkpoints import Header, load, save
from explorer.data.folders import FolderImages
from explorer.errors import ConfigurationError
from explorer.evaluation.corruption_error import wrong
from explorer.models import model_config
from explorer.papers.base import Place
from explorer.papers.training import AfterEpoch, initialised, nesterov, new_header, shuffled, size_differences, train_and_keep
from explorer.training import Cosine, linearly_scaled, mirrored_and_shifted
from explorer.types import Inner, Progress, stop_if_cancelled

from .augmented import sources
from .augmented_pictures import picture_sources
from .config import IMAGENET, KIND, AugmentedConfig, problems
from .pipeline import pipeline
from .splits import Split, open_splits, parts_of

SHOWN, MEASURED_AT_ONCE = 9, 500
PAPERS_CLASSIFIER = {IMAGENET: "resnet50"}


def train(name: str, config: AugmentedConfig, place: Place, progress: Progress) -> Path:
    """Train a classifier; write best, last, snapshots and, at the end, `NAME.safetensors`: the last one rounded to float16, with the accuracy
    on clean test images that it has after the rounding. Raises ConfigurationError, CheckpointError where a network is missing."""
    if found := problems(config):
        raise ConfigurationError(found)
    data = open_splits(config, place.root)
    shape, classes = tuple(data["test"].images.shape[1:]), len(data["train"].class_names)
    model = initialised(config.classifier, config.model_config(shape, classes), config.seed, place.device)
    images, labels = data["train"].images, data["train"].labels.to(place.device)
    stop_if_cancelled(progress)
    made = pipeline(config, model, images[:1].to(place.device), place.output, Inner(progress))
    pictures = isinstance(data["train"], FolderImages)
    shown = picture_sources(config, data["train"], place.output, place.device, progress) if pictures else sources(config, images, place.output, place.device, progress)

    def batches(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        for chosen in shuffled(len(images), config.batch_size, generator):
            drawn = shown.drawn(chosen, generator, place.device)
            yield mirrored_and_shifted(drawn, generator) if config.augment and not pictures else drawn, labels[chosen.to(labels.device)]

    train_and_keep(
        model,
        made.loss,
        batches,
        header=_header(name, config, data["train"], shape, {**made.digests, **shown.digests}),
        epochs=config.epochs,
        batches_per_epoch=math.ceil(len(images) / config.batch_size),
        schedules={"learning_rate": Cosine(linearly_scaled(config.learning_rate, config.batch_size), config.epochs, config.warm_up)},
        after=AfterEpoch(
            lambda epoch: validation_metrics(model, data["validation"], place.device),
            lambda: (config.trained_radius, {}),
            lambda radius: data["validation"].images[:SHOWN],
        ),
        place=place,
        progress=progress,
        optimiser=nesterov(config.weight_decay, config.momentum),
        prepare=made.prepare,
        ascent=made.ascent,
        snapshots=snapshot_names(name, config),
    )
    return _finish(name, config, place, data["test"], progress)


def steps(config: AugmentedConfig, root: Path | None) -> int:
    """How many batches a training sees. Raises DataNotFound."""
    return config.epochs * math.ceil(len(open_splits(config, root, download=False)["train"]) / config.batch_size)


def snapshot_names(name: str, config: AugmentedConfig) -> dict[int, str]:
    """After which epochs a further checkpoint is kept, and under which name: at equal shares of the training."""
    shares = [(number, max(1, round(config.epochs * number / config.snapshots))) for number in range(1, config.snapshots)]
    return {epoch: f"{name}-{100 * number / config.snapshots:.0f}-percent" for number, epoch in shares if epoch < config.epochs}


@torch.no_grad()
def validation_metrics(model: nn.Module, data: Split, device: torch.device) -> dict[str, float]:
    """The mean cross-entropy of clean images, in nats, and their accuracy."""
    answers = [(model(images), labels) for images, labels in parts_of(data, MEASURED_AT_ONCE, device)]
    logits, labels = (torch.cat(each) for each in zip(*answers, strict=True))
    return {"validation": F.cross_entropy(logits, labels).item(), "validation_clean": (logits.argmax(1) == labels).double().mean().item()}


def _finish(name: str, config: AugmentedConfig, place: Place, test: Split, progress: Progress) -> Path:
    last = load(place.output / "last.safetensors", place.device)
    model = last.model.half().float()
    stop_if_cancelled(progress)
    clean = 1 - sum(int(wrong(model, *part).sum()) for part in parts_of(test, MEASURED_AT_ONCE, place.device)) / len(test)
    path = place.output / f"{name}.safetensors"
    save(path, model, replace(last.header, metrics={**last.header.metrics, "clean": clean}), dtype=torch.float16)
    return path


def _header(name: str, config: AugmentedConfig, data: Split, shape: tuple[int, int, int], digests: dict[str, str]) -> Header:
    classes = len(data.class_names)
    own = config.model_config(shape, classes)
    usual = AugmentedConfig(classifier=PAPERS_CLASSIFIER.get(config.dataset, AugmentedConfig().classifier))
    paper = replace(config, classifier=usual.classifier, stem=None, widths=None, depths=usual.depths, bottleneck=True).model_config(shape, classes)
    same = config.classifier == usual.classifier
    sizes = size_differences(asdict(model_config(config.classifier, own)), asdict(model_config(usual.classifier, paper))) if same else f"{config.classifier}, not the paper's {usual.classifier}"
    return new_header(KIND, name, config, data, config.classifier, own, sizes, radius=config.trained_radius, **digests)
