"""Errors of a classifier under common corruptions, and their means (Hendrycks & Dietterich, 2019)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.data.corruptions import CORRUPTIONS, SEVERITIES, STANDARD, corrupt
from explorer.errors import InvalidInput
from explorer.randomness import Streams
from explorer.types import Progress, Silent, stop_if_cancelled

ALEXNET: Mapping[str, float] = {
    "gaussian_noise": 0.886428, "shot_noise": 0.894468, "impulse_noise": 0.922640, "defocus_blur": 0.819880, "glass_blur": 0.826268,
    "motion_blur": 0.785948, "zoom_blur": 0.798360, "snow": 0.866816, "frost": 0.826572, "fog": 0.819324, "brightness": 0.564592,
    "contrast": 0.853204, "elastic_transform": 0.646056, "pixelate": 0.717840, "jpeg_compression": 0.606500,
}  # fmt: skip
"""Mean errors of AlexNet over the severities of ImageNet-C, which its mean corruption error is measured in (published with it)."""


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
    def absolute(self) -> float:
        """The mean corruption error of CIFAR-10-C: over the 15 corruptions. Raises InvalidInput where one of them was not measured."""
        return sum(self.mean(name) for name in self._standard()) / len(STANDARD)

    @property
    def relative(self) -> float:
        """The mean corruption error of ImageNet-C: each corruption's error over AlexNet's."""
        return sum(self.mean(name) / ALEXNET[name] for name in self._standard()) / len(STANDARD)

    def _standard(self) -> tuple[str, ...]:
        missing = [name for name in STANDARD if set(self.errors.get(name, ())) != set(SEVERITIES)]
        if missing:
            raise InvalidInput(f"the mean corruption error takes 15 corruptions at 5 severities; {', '.join(missing)} {'was' if len(missing) == 1 else 'were'} not measured at all of them.")
        return STANDARD


def corruption_errors(
    classifier: Callable[[Tensor], Tensor],
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
    names = names or tuple(name for name, each in CORRUPTIONS.items() if images.shape[1] == 3 or not each.coloured)
    progress, cases = progress or Silent(), [(name, severity) for name in names for severity in severities]
    clean = wrong_share(classifier, images, labels, batch_size)
    errors: dict[str, dict[int, float]] = {name: {} for name in names}
    for done, (name, severity) in enumerate(cases):
        stop_if_cancelled(progress)

        def corrupted(batch: Tensor, first: int, name: str = name, severity: int = severity) -> Tensor:
            return corrupt(batch, name, severity, Streams(seed, range(first, first + len(batch)), purpose="corruption"))

        errors[name][severity] = wrong_share(classifier, images, labels, batch_size, corrupted)
        progress.advance(done + 1, len(cases))
    return CorruptionErrors(clean, errors)


@torch.no_grad()
def wrong_share(
    classifier: Callable[[Tensor], Tensor],
    images: Float[Tensor, "n c h w"],
    labels: Int[Tensor, " n"],
    batch_size: int = 500,
    change: Callable[[Tensor, int], Tensor] | None = None,
) -> float:
    """How many images are classified wrongly after `change(batch, position of its first image)`."""
    if not len(images):
        raise InvalidInput("expected at least one image to classify.")
    wrong = 0
    for first in range(0, len(images), batch_size):
        batch = images[first : first + batch_size]
        logits = classifier(change(batch, first) if change else batch)
        if logits.isnan().any():
            raise InvalidInput("the classifier answers with NaN, so its error would mislead.")
        wrong += int((logits.argmax(1) != labels[first : first + batch_size].to(logits.device)).sum())
    return wrong / len(images)
