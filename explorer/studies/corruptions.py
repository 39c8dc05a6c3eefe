"""Any classifier under common corruptions: one image under all of them, and errors over a test set (Hendrycks & Dietterich, 2019)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.batches import Columns, over_batches
from explorer.data.corruptions import CORRUPTIONS, SEVERITIES, applicable, corrupt
from explorer.data.corruptions.frost_textures import is_made
from explorer.errors import InvalidInput
from explorer.evaluation.corruption_error import error_on_new_images, errors_of, finite, made, published, wrong_columns
from explorer.evaluation.corruption_statistics import CorruptionStatistics, severity_curves
from explorer.measuring import Measured, batch, common_problems, count, of_images, own_folder, refuse
from explorer.metrics.structural_similarity import check_large_enough
from explorer.randomness import Streams
from explorer.types import Progress, stop_if_cancelled

from .classifiers import OpenedClassifier

Source = Literal["made", "files"]
CASES = 19  # of a gallery, between two looks at it


@dataclass(frozen=True)
class ErrorSettings:
    """Which corruptions at which severities (none: all that the images' channels allow, at all five), `made` here from the clean images, or read
    from the published `files` of CIFAR-10-C."""

    names: tuple[str, ...] = ()
    severities: tuple[int, ...] = SEVERITIES
    source: Source = "made"
    limit: int | None = 500
    seed: int = 0
    batch_size: int = 100


@dataclass(frozen=True, kw_only=True)
class ErrorTable(Measured):
    """Shares of images classified wrongly: clean, under each corruption (rows) at each severity (columns), and on CIFAR-10.1 where that is at
    hand. `absolute` is the mean corruption error over the 15 standard ones, None unless all were measured at all severities."""

    names: tuple[str, ...]
    severities: tuple[int, ...]
    clean: float
    errors: tuple[tuple[float, ...], ...]
    absolute: float | None = None
    new_images: float | None = None

    def mean(self, name: str) -> float:
        """Over the severities."""
        own = self.errors[self.names.index(name)]
        return sum(own) / len(own)


@dataclass(frozen=True, eq=False)
class Gallery:
    """One image under corruptions so far: each case with its picture, and what each classifier answers to it; `clean` to the image itself."""

    cases: tuple[tuple[str, int], ...]
    images: Float[Tensor, "cases c h w"]
    logits: Float[Tensor, "models cases classes"]
    clean: Float[Tensor, "models classes"]


def error_problems(settings: ErrorSettings) -> list[str]:
    """All that is wrong with settings, in the user's words."""
    found = common_problems(settings)
    for field, known in (("names", tuple(CORRUPTIONS)), ("severities", SEVERITIES)):
        values = getattr(settings, field)
        if odd := [each for each in values if each not in known]:
            found.append(f"{field} = {', '.join(map(str, odd))}: expected some of {', '.join(map(str, known))}")
        if len(set(values)) < len(values):
            found.append(f"{field} = {', '.join(map(str, values))}: one is named twice")
    if not settings.severities:
        found.append("severities = none: expected some of 1, 2, 3, 4, 5")
    return found


def chosen_names(settings: ErrorSettings, channels: int) -> tuple[str, ...]:
    """Raises InvalidInput for a corruption that images of so many channels cannot have."""
    able = applicable(channels)
    if unable := [name for name in settings.names if name not in able]:
        raise InvalidInput(why_not(unable[0], channels))
    return settings.names or able


def why_not(name: str, channels: int) -> str:
    """Why images of so many channels do not have a corruption."""
    return f"{name} changes colours, which images with {channels} channel{'s' if channels > 1 else ''} do not have"


def error_table(opened: OpenedClassifier, digest: str, settings: ErrorSettings, folder: Path, progress: Progress) -> Iterator[ErrorTable]:
    """The errors over the images so far, after each batch: every image under all corruptions. Batches are kept in `folder`, so that the same
    call goes on after a stop. Raises ConfigurationError, DataNotFound, InvalidInput, OutputError or Cancelled."""
    refuse(error_problems(settings))
    names, severities = chosen_names(settings, opened.images.images.shape[1]), settings.severities
    cases = [(name, severity) for name in names for severity in severities]
    corrupted = published(opened.data.name, opened.images.labels[: count(opened, settings)], cases, opened.data.root) if settings.source == "files" else made(settings.seed)
    common = of_images(opened, digest, settings, warnings=_warnings(opened, names, settings))
    new_images = error_on_new_images(opened.model, opened.data.name, opened.device, opened.data.root)

    def measured(first: int, last: int) -> Columns:
        return wrong_columns(opened.model, *batch(opened, first, last), cases, corrupted, first, progress)

    place = own_folder(folder, "corruption-errors", common)
    for columns in over_batches(place, count(opened, settings), settings.batch_size, measured, progress):
        found = errors_of(columns, names, severities)
        yield ErrorTable(
            names=names, severities=severities, clean=found.clean, errors=tuple(tuple(found.errors[name].values()) for name in names),
            absolute=found.absolute if found.complete else None, new_images=new_images, images=len(columns["clean"]), **common,
        )  # fmt: skip


def gallery(classifiers: Sequence[nn.Module], image: Float[Tensor, "1 c h w"], number: int, seed: int, severities: Sequence[int], progress: Progress) -> Iterator[Gallery]:
    """The image under every corruption that it can have, some cases at a time. `number` is its place in the data set: the same place and seed
    give the picture that `error_table` measures. Raises InvalidInput or Cancelled."""
    cases = [(name, severity) for name in applicable(image.shape[1]) for severity in severities]
    with torch.inference_mode():
        clean = torch.stack([finite(model(_on(image, model)))[0].cpu() for model in classifiers])
        images = torch.empty(0, *image.shape[1:])
        logits = torch.empty(len(classifiers), 0, clean.shape[1])
        for first in range(0, len(cases), CASES):
            stop_if_cancelled(progress)
            corrupted = torch.cat([corrupt(image, name, severity, Streams(seed, [number], purpose="corruption")) for name, severity in cases[first : first + CASES]])
            images = torch.cat([images, corrupted])
            logits = torch.cat([logits, torch.stack([finite(model(_on(corrupted, model))).cpu() for model in classifiers])], 1)
            progress.advance(len(images), len(cases))
            yield Gallery(tuple(cases[: len(images)]), images, logits, clean)


def curves(opened: OpenedClassifier, limit: int, seed: int, progress: Progress) -> Iterator[dict[str, dict[int, CorruptionStatistics]]]:
    """What each corruption does to the first test images. Raises InvalidInput below 11 pixels, or Cancelled."""
    images = opened.images.images[:limit]
    check_large_enough(images)
    found: dict[str, dict[int, CorruptionStatistics]] = {}
    names = applicable(images.shape[1])
    for done, name in enumerate(names, 1):
        stop_if_cancelled(progress)
        found = {**found, **severity_curves(images, names=(name,), seed=seed)}
        progress.advance(done, len(names))
        yield found


def _warnings(opened: OpenedClassifier, names: tuple[str, ...], settings: ErrorSettings) -> tuple[str, ...]:
    found = [opened.note] if opened.note else []
    if "frost" in names and settings.source == "made" and is_made():
        found.append("frost lies in textures made by the code, not in the published photographs (EXPLORER_FROST names a folder of your own)")
    return tuple(found)


def _on(x: Tensor, model: nn.Module) -> Tensor:
    return x.to(next(model.parameters()).device)
