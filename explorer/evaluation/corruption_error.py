"""Errors of a classifier under common corruptions, and their means (Hendrycks & Dietterich, 2019)."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from explorer.batches import Columns
from explorer.data import ImageDataset, load_corrupted_cifar10, load_dataset
from explorer.data.corruptions import SEVERITIES, STANDARD, applicable, corrupt
from explorer.data.folders import FolderImages
from explorer.data.imagenet import IMAGENET, SHOWN, open_imagenet_c, open_imagenet_r, open_imagenet_v2, rendition_mask
from explorer.errors import DataNotFound, InvalidInput
from explorer.randomness import Streams
from explorer.types import Progress, Silent, stop_if_cancelled

ALEXNET: Mapping[str, float] = {
    "gaussian_noise": 0.886428, "shot_noise": 0.894468, "impulse_noise": 0.922640, "defocus_blur": 0.819880, "glass_blur": 0.826268,
    "motion_blur": 0.785948, "zoom_blur": 0.798360, "snow": 0.866816, "frost": 0.826572, "fog": 0.819324, "brightness": 0.564592,
    "contrast": 0.853204, "elastic_transform": 0.646056, "pixelate": 0.717840, "jpeg_compression": 0.606500,
}  # fmt: skip
"""Mean errors of AlexNet over the severities of ImageNet-C, which its mean corruption error is measured in (published with it)."""
CIFAR10 = "cifar10"
Classifier = Callable[[Tensor], Tensor]
Corrupted = Callable[[Tensor, str, int, int], Tensor]  # (images, corruption, severity, number of the first image) -> as many corrupted ones
Case = tuple[str, int]  # a corruption and a severity


@dataclass(frozen=True)
class CorruptionErrors:
    """Shares of images classified wrongly: clean, and under each corruption at each of its severities."""

    clean: float
    errors: Mapping[str, Mapping[int, float]]

    def mean(self, name: str) -> float:
        """Over the severities that were measured."""
        values = self.errors[name].values()
        return sum(values) / len(values)

    @property
    def complete(self) -> bool:
        """Whether all 15 were measured at all severities, so that there is a mean corruption error."""
        return not self._missing()

    @property
    def absolute(self) -> float:
        """The mean corruption error of CIFAR-10-C: over the 15 corruptions. Raises InvalidInput where one of them was not measured."""
        return sum(self.mean(name) for name in self._standard()) / len(STANDARD)

    @property
    def relative(self) -> float:
        """The mean corruption error of ImageNet-C: each corruption's error over AlexNet's."""
        return sum(self.mean(name) / ALEXNET[name] for name in self._standard()) / len(STANDARD)

    def _standard(self) -> tuple[str, ...]:
        if missing := self._missing():
            raise InvalidInput(f"the mean corruption error takes 15 corruptions at 5 severities; {', '.join(missing)} {'was' if len(missing) == 1 else 'were'} not measured at all of them.")
        return STANDARD

    def _missing(self) -> list[str]:
        return [name for name in STANDARD if set(self.errors.get(name, ())) != set(SEVERITIES)]


def made(seed: int) -> Corrupted:
    """Corruptions that are made here, each image with the stream of its number."""
    return lambda images, name, severity, first: corrupt(images, name, severity, Streams(seed, range(first, first + len(images)), purpose="corruption"))


def published(dataset: str, labels: Int[Tensor, " n"], cases: Sequence[Case], root: str | Path | None = None) -> Corrupted:
    """CIFAR-10-C's files or ImageNet-C's folders, of which only the images asked for are read. Raises InvalidInput for another data set, or
    where the labels are not these; DataNotFound where one is missing."""
    if dataset not in (CIFAR10, IMAGENET):
        raise InvalidInput(f"the published corruptions are CIFAR-10-C's and ImageNet-C's, of the test images of CIFAR-10 and ImageNet; this classifier is of {dataset!r}. Take source 'made'.")
    folders: dict[Case, FolderImages] = {case: open_imagenet_c(*case, root, SHOWN) for case in cases} if dataset == IMAGENET else {}

    def read(name: str, severity: int, part: slice) -> ImageDataset:
        return folders[name, severity][part] if folders else load_corrupted_cifar10(name, severity, root, part)

    for name, severity in cases:
        found = folders[name, severity].labels[: len(labels)] if folders else read(name, severity, slice(0, len(labels))).labels
        if not torch.equal(found, labels.cpu()):
            raise InvalidInput(f"the labels of {name} at severity {severity} are not {'ImageNet' if folders else 'CIFAR-10'}'s test labels in their order. Copy the files again.")
    return lambda images, name, severity, first: read(name, severity, slice(first, first + len(images))).images.to(images)


def wrong_columns(
    classifier: Classifier, images: Float[Tensor, "some c h w"], labels: Int[Tensor, " some"], cases: Sequence[Case], corrupted: Corrupted, first: int, progress: Progress
) -> Columns:
    """1 for each image that is classified wrongly: `clean`, and in each case; `first` is the number of the first of them. Raises what
    `wrong` and `corrupted` raise, and Cancelled between two cases."""
    columns = {"clean": wrong(classifier, images, labels)}
    for name, severity in cases:
        stop_if_cancelled(progress)
        columns[f"{name} {severity}"] = wrong(classifier, corrupted(images, name, severity, first), labels)
    return columns


def errors_of(columns: Columns, names: Sequence[str], severities: Sequence[int] = SEVERITIES) -> CorruptionErrors:
    """The shares of ones of these columns."""
    shares = {name: float(column.double().mean()) for name, column in columns.items()}
    return CorruptionErrors(shares["clean"], {name: {severity: shares[f"{name} {severity}"] for severity in severities} for name in names})


def error_on_new_images(
    classifier: Classifier, dataset: str, device: torch.device, root: str | Path | None = None, limit: int | None = None, batch_size: int = 500
) -> float | None:
    """The error on CIFAR-10.1 or ImageNet-v2, of a classifier of CIFAR-10 or ImageNet; None of another one, or where the new images are not at hand."""
    if dataset not in (CIFAR10, IMAGENET):
        return None
    try:
        new = open_imagenet_v2(root, SHOWN).few(limit) if dataset == IMAGENET else load_dataset("cifar10.1", "test", root, limit, download=False)
    except DataNotFound:
        return None
    return _error(classifier, new, device, batch_size)


def error_on_renditions(
    classifier: Classifier, dataset: str, device: torch.device, root: str | Path | None = None, limit: int | None = None, batch_size: int = 500
) -> float | None:
    """The error on ImageNet-R, the answer chosen among its 200 classes, of a classifier of ImageNet; None of another one, or where it is not
    at hand (Hendrycks et al., 2021)."""
    if dataset != IMAGENET:
        return None
    try:
        images = open_imagenet_r(root, SHOWN)
    except DataNotFound:
        return None
    absent = ~rendition_mask(images).to(device)
    return _error(lambda batch: classifier(batch).masked_fill(absent, -math.inf), images.few(limit), device, batch_size)


def _error(classifier: Classifier, images: ImageDataset | FolderImages, device: torch.device, batch_size: int) -> float:
    parts = (images[first : first + batch_size] for first in range(0, len(images), batch_size))
    return sum(int(wrong(classifier, part.images.to(device), part.labels).sum()) for part in parts) / len(images)


def corruption_errors(
    classifier: Classifier,
    images: Float[Tensor, "n c h w"],
    labels: Int[Tensor, " n"],
    *,
    names: tuple[str, ...] | None = None,
    severities: tuple[int, ...] = SEVERITIES,
    seed: int = 0,
    batch_size: int = 500,
    progress: Progress | None = None,
) -> CorruptionErrors:
    """Errors under corruptions that are made here, each image with its own stream; None: all that the images' channels allow.

    Raises what `corrupt` raises, InvalidInput where the classifier answers with NaN, Cancelled where the progress asks for it."""
    names, corrupted = names or applicable(images.shape[1]), made(seed)
    progress, cases = progress or Silent(), [(name, severity) for name in names for severity in severities]
    clean = wrong_share(classifier, images, labels, batch_size)
    errors: dict[str, dict[int, float]] = {name: {} for name in names}
    for done, (name, severity) in enumerate(cases):
        stop_if_cancelled(progress)
        errors[name][severity] = wrong_share(classifier, images, labels, batch_size, lambda batch, first, case=(name, severity): corrupted(batch, *case, first))
        progress.advance(done + 1, len(cases))
    return CorruptionErrors(clean, errors)


def wrong_share(
    classifier: Classifier,
    images: Float[Tensor, "n c h w"],
    labels: Int[Tensor, " n"],
    batch_size: int = 500,
    change: Callable[[Tensor, int], Tensor] | None = None,
) -> float:
    """How many images are classified wrongly after `change(batch, position of its first image)`."""
    if not len(images):
        raise InvalidInput("expected at least one image to classify.")
    total = 0
    for first in range(0, len(images), batch_size):
        batch = images[first : first + batch_size]
        total += int(wrong(classifier, change(batch, first) if change else batch, labels[first : first + batch_size]).sum())
    return total / len(images)


@torch.no_grad()
def wrong(classifier: Classifier, images: Float[Tensor, "some c h w"], labels: Int[Tensor, " some"]) -> UInt8[Tensor, " some"]:
    """1 for each image that is classified wrongly. Raises InvalidInput where the classifier answers with NaN."""
    logits = finite(classifier(images))
    return (logits.argmax(1) != labels.to(logits.device)).to(torch.uint8)


def finite(logits: Float[Tensor, "some classes"]) -> Float[Tensor, "some classes"]:
    """Raises InvalidInput for NaN, of which no class is the largest."""
    if logits.isnan().any():
        raise InvalidInput("the classifier answers with NaN, so its verdicts would mislead.")
    return logits
