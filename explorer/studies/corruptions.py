"""Any classifier under common corruptions: one image under all of them, and errors over a test set (Hendrycks & Dietterich, 2019)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.batches import Columns, over_batches
from explorer.data import load_dataset
from explorer.data.cifar10_variants import load_corrupted_cifar10
from explorer.data.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from explorer.data.corruptions.frost_textures import is_made
from explorer.errors import DataNotFound, InvalidInput
from explorer.evaluation.corruption_error import CorruptionErrors, wrong_share
from explorer.evaluation.corruption_statistics import CorruptionStatistics, applicable, severity_curves
from explorer.measuring import Measured, batch, common_problems, count, of_images, own_folder, refuse
from explorer.randomness import Streams
from explorer.types import Progress, stop_if_cancelled

from .classifiers import OpenedClassifier

Source = Literal["made", "files"]
SMALLEST = 11  # pixels that structural similarity needs
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
    if settings.source == "files":
        _check_files(opened, names, severities)
    common = of_images(opened, digest, settings, warnings=_warnings(opened, names, settings))
    new_images = _new_images(opened)

    def measured(first: int, last: int) -> Columns:
        x, labels = batch(opened, first, last)
        wrong = torch.empty(last - first, len(names), len(severities))
        for row, name in enumerate(names):
            for column, severity in enumerate(severities):
                stop_if_cancelled(progress)
                wrong[:, row, column] = _wrong(opened.model, _corrupted(x, name, severity, first, settings, opened), labels)
        return {"clean": _wrong(opened.model, x, labels), "wrong": wrong}

    place = own_folder(folder, "corruptions", common)
    for columns in over_batches(place, count(opened, settings), settings.batch_size, measured, progress):
        errors = columns["wrong"].double().mean(0).tolist()
        clean = float(columns["clean"].double().mean())
        found = CorruptionErrors(clean, {name: dict(zip(severities, row)) for name, row in zip(names, errors)})
        try:
            absolute = found.absolute
        except InvalidInput:  # not all of the 15
            absolute = None
        yield ErrorTable(names=names, severities=severities, clean=clean, errors=tuple(map(tuple, errors)), absolute=absolute, new_images=new_images, images=len(columns["clean"]), **common)


def gallery(classifiers: Sequence[nn.Module], image: Float[Tensor, "1 c h w"], number: int, seed: int, severities: Sequence[int], progress: Progress) -> Iterator[Gallery]:
    """The image under every corruption that it can have, some cases at a time. `number` is its place in the data set: the same place and seed
    give the picture that `error_table` measures. Raises InvalidInput or Cancelled."""
    cases = [(name, severity) for name in applicable(image.shape[1]) for severity in severities]
    with torch.inference_mode():
        clean = torch.stack([_finite(model(_on(image, model)))[0].cpu() for model in classifiers])
        images = torch.empty(0, *image.shape[1:])
        logits = torch.empty(len(classifiers), 0, clean.shape[1])
        for first in range(0, len(cases), CASES):
            stop_if_cancelled(progress)
            made = torch.cat([corrupt(image, name, severity, Streams(seed, [number], purpose="corruption")) for name, severity in cases[first : first + CASES]])
            images = torch.cat([images, made])
            logits = torch.cat([logits, torch.stack([_finite(model(_on(made, model))).cpu() for model in classifiers])], 1)
            progress.advance(len(images), len(cases))
            yield Gallery(tuple(cases[: len(images)]), images, logits, clean)


def curves(opened: OpenedClassifier, limit: int, seed: int, progress: Progress) -> Iterator[dict[str, dict[int, CorruptionStatistics]]]:
    """What each corruption does to the first test images. Raises InvalidInput below 11 pixels, or Cancelled."""
    images = opened.images.images[:limit]
    if min(images.shape[2:]) < SMALLEST:
        raise InvalidInput(f"structural similarity looks at windows of {SMALLEST} × {SMALLEST} pixels; these images have {images.shape[2]} × {images.shape[3]}.")
    found: dict[str, dict[int, CorruptionStatistics]] = {}
    names = applicable(images.shape[1])
    for done, name in enumerate(names, 1):
        stop_if_cancelled(progress)
        found = {**found, **severity_curves(images, names=(name,), seed=seed)}
        progress.advance(done, len(names))
        yield found


def _corrupted(x: Tensor, name: str, severity: int, first: int, settings: ErrorSettings, opened: OpenedClassifier) -> Tensor:
    if settings.source == "files":
        return load_corrupted_cifar10(name, severity, opened.data.root, slice(first, first + len(x))).images.to(x)
    return corrupt(x, name, severity, Streams(settings.seed, range(first, first + len(x)), purpose="corruption"))


def _check_files(opened: OpenedClassifier, names: tuple[str, ...], severities: tuple[int, ...]) -> None:
    """All files there, and their labels those of the images that they are compared with."""
    if opened.data.name != "cifar10":
        raise InvalidInput(f"the published files are of CIFAR-10's test images; this classifier is of {opened.data.name!r}. Take source 'made'.")
    for name in names:
        for severity in severities:
            labels = load_corrupted_cifar10(name, severity, opened.data.root, slice(0, len(opened.images))).labels
            if not torch.equal(labels, opened.images.labels[: len(labels)]):
                raise InvalidInput(f"the labels of {name} at severity {severity} are not CIFAR-10's test labels in their order. Copy the files again.")


def _new_images(opened: OpenedClassifier) -> float | None:
    """The error on CIFAR-10.1, of a classifier of CIFAR-10 where the new images are at hand."""
    if opened.data.name != "cifar10":
        return None
    try:
        new = load_dataset("cifar10.1", "test", opened.data.root, download=False)
    except DataNotFound:
        return None
    return wrong_share(opened.model, new.images.to(opened.device), new.labels)


def _warnings(opened: OpenedClassifier, names: tuple[str, ...], settings: ErrorSettings) -> tuple[str, ...]:
    found = [opened.note] if opened.note else []
    if "frost" in names and settings.source == "made" and is_made():
        found.append("frost lies in textures made by the code, not in the published photographs (EXPLORER_FROST names a folder of your own)")
    return tuple(found)


def _wrong(model: nn.Module, x: Tensor, labels: Tensor) -> Float[Tensor, " n"]:
    with torch.inference_mode():
        return (_finite(model(x)).argmax(1) != labels).cpu().float()


def _finite(logits: Tensor) -> Tensor:
    if logits.isnan().any():
        raise InvalidInput("the classifier answers with NaN, so its verdicts would mislead.")
    return logits


def _on(x: Tensor, model: nn.Module) -> Tensor:
    return x.to(next(model.parameters()).device)
