"""Training a classifier on a certified bound of its cross-entropy, together with the generator of its budgets or with one budget for all
pixels, and measuring what was trained (Budgets, §3.4)."""

import math
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.attacks import cross_entropy, pgd
from explorer.checkpoints import Header, load, save
from explorer.data import ImageDataset, load_dataset
from explorer.errors import ConfigurationError
from explorer.evaluation import certified_accuracy, certified_loss
from explorer.models import BudgetedClassifier, model_config
from explorer.papers.base import Place
from explorer.papers.training import AfterEpoch, initialised, labelled_batches, new_header, size_differences, train_and_keep
from explorer.randomness import Streams
from explorer.sets import BudgetBox, LpBall, PerturbationSet
from explorer.training import PiecewiseLinear, certified_cross_entropy
from explorer.types import Inner, Progress, stop_if_cancelled

from .config import KIND, BudgetsConfig, problems

SHOWN = 9


def train(name: str, config: BudgetsConfig, place: Place, progress: Progress) -> Path:
    """Train a classifier; write best, last and, at the end, `NAME.safetensors`: the best one rounded to float16, with the accuracies
    on the test split that it has after the rounding."""
    if found := problems(config):
        raise ConfigurationError(found)
    data = {split: load_dataset(config.dataset, split, place.root, config.limit) for split in ("train", "validation", "test")}
    shape, classes = tuple(data["train"].images.shape[1:]), len(data["train"].class_names)
    stop_if_cancelled(progress)
    model = initialised(config.model, config.model_config(shape, classes), config.seed, place.device)
    boxes = trained_boxes(model, config.volume)
    batches, batches_per_epoch = labelled_batches(data["train"], config, place.device)
    validation = data["validation"].images.to(place.device), data["validation"].labels.to(place.device)
    train_and_keep(
        model,
        certified_cross_entropy,
        batches,
        header=_header(name, config, data["train"], shape),
        epochs=config.epochs,
        batches_per_epoch=batches_per_epoch,
        schedules=schedules(config),
        after=AfterEpoch(
            lambda epoch: {"validation": certified_loss(model, *validation, boxes)},
            lambda: (config.volume, {}),
            lambda volume: _shown(model, *(each[:SHOWN] for each in validation), boxes),
        ),
        place=place,
        progress=progress,
        clip_norm=config.clip_norm,
    )
    return finish(name, config, place, data["test"], progress)


def trained_boxes(model: nn.Module, volume: float) -> PerturbationSet:
    """What a classifier was trained to withstand: the boxes of its own budgets where it has some, else all x ± volume."""
    return BudgetBox(model, volume) if isinstance(model, BudgetedClassifier) else LpBall(math.inf, volume)


def schedules(config: BudgetsConfig) -> dict[str, Callable[[float], float]]:
    """The learning rate, the volume, and the shares that follow it, at a fractional epoch."""
    growth = config.share_of_volume()

    def following(ends: tuple[float, float]) -> Callable[[float], float]:
        return lambda epoch: ends[0] + (ends[1] - ends[0]) * growth(epoch)

    return {
        "learning_rate": PiecewiseLinear(config.learning_rate).stretched(config.epochs),
        "volume": following((0.0, config.volume)),
        "crown_share": following(config.crown_share),
        "clean_share": following(config.clean_share),
    }


def steps(config: BudgetsConfig, root: Path | None) -> int:
    """How many batches a training sees. Raises DataNotFound."""
    images = load_dataset(config.dataset, "train", root, config.limit, download=False)
    return config.epochs * math.ceil(len(images) * config.passes / config.batch_size)


def finish(name: str, config: BudgetsConfig, place: Place, test: ImageDataset, progress: Progress) -> Path:
    """Round the best weights to float16, measure on the test split, and save."""
    best = load(place.output / "best.safetensors", place.device)
    model = best.model.half().float()
    boxes = trained_boxes(model, config.volume)
    measured = certified_accuracy(model, test.images.to(place.device), test.labels.to(place.device), boxes, progress=Inner(progress))
    path = place.output / f"{name}.safetensors"
    save(path, model, replace(best.header, metrics={**best.header.metrics, **asdict(measured)}), dtype=torch.float16)
    return path


def _shown(model: nn.Module, images: Tensor, labels: Tensor, boxes: PerturbationSet) -> Float[Tensor, "n c h w"]:
    """A clean image and, in the order of the images, their budgets beside the largest of them, where they are learned, or attacked ones."""
    at = boxes.at(images)
    if isinstance(boxes, BudgetBox):
        half_widths = at.region.region.half_widths
        return torch.cat([images[:1], half_widths / half_widths.amax()])
    streams = Streams(0, range(len(images)), purpose="search")
    found = pgd(at, cross_entropy(model, labels), steps=10, step_size=0.25, streams=streams)
    return torch.cat([images[:1], found.perturbed])


def _header(name: str, config: BudgetsConfig, data: ImageDataset, shape: tuple[int, int, int]) -> Header:
    own = config.model_config(shape, len(data.class_names))
    return new_header(KIND, name, config, data, config.model, own, _difference(config, shape, len(data.class_names)), radius=config.volume)


def _difference(config: BudgetsConfig, shape: tuple[int, int, int], classes: int) -> str:
    """In words, how the network's size differs from the paper's."""
    own = replace(config, budgets="uniform").model_config(shape, classes)
    default = model_config(config.classifier, {})
    paper = asdict(model_config(config.classifier, {**own, **{key: getattr(default, key) for key in ("widths", "hidden_units")}}))
    if config.learned and config.rank is not None:
        own, paper = {**own, "rank of the generator": config.rank}, {**paper, "rank of the generator": "dense"}
    return size_differences(own, paper)
