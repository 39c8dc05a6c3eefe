"""How a classifier bears random changes of its own parameters (AdA, Appendix D.1, Table 4)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from explorer.batches import Columns, over_batches
from explorer.data.corruptions import SEVERITIES, STANDARD, applicable
from explorer.errors import ConfigurationError
from explorer.evaluation.corruption_error import made
from explorer.measuring import Measured, Opened, batch, common_problems, count, of_images, own_folder, refuse
from explorer.randomness import generator
from explorer.types import Progress, stop_if_cancelled

NOISE_KIND = "adversarial_augmentation.parameter_noise"
LEVELS, DRAWS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1), 50  # Table 4


@dataclass(frozen=True)
class NoiseSettings:
    """Standard deviations η relative to the largest absolute value of each block. Each image has `draws` of its own, over which probabilities
    are averaged; the image's corrupted versions share them."""

    levels: tuple[float, ...] = LEVELS
    draws: int = DRAWS
    severities: tuple[int, ...] = SEVERITIES
    limit: int | None = None
    batch_size: int = 250
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class NoiseTable(Measured):
    """Shares of the images that are classified wrongly at each level: clean, and under each of the corruptions, a mean over the severities."""

    levels: tuple[float, ...]
    clean: tuple[float, ...]
    corruptions: tuple[str, ...]
    errors: tuple[tuple[float, ...], ...]

    def __post_init__(self):
        super().__post_init__()
        if not len(self.levels) == len(self.clean) == len(self.errors) or any(len(row) != len(self.corruptions) for row in self.errors):
            raise ConfigurationError(["expected an error of each corruption at each level"])

    def mce(self, level: int) -> float | None:
        """The unweighted mean over the 15 corruptions at the level of that number; None where one of them was not measured."""
        found = dict(zip(self.corruptions, self.errors[level]))
        return None if set(STANDARD) - found.keys() else sum(found[name] for name in STANDARD) / len(STANDARD)


def noisy_parameters(model: nn.Module, level: float, draw: torch.Generator) -> dict[str, Tensor]:
    """Each parameter w of each block with ε ~ N(0, (level·‖w‖_∞)²) added."""
    return {name: each + level * each.abs().max() * torch.randn(each.shape, generator=draw).to(each) for name, each in model.named_parameters()}


@torch.no_grad()
def noisy_probabilities(model: nn.Module, versions: Float[Tensor, "some c h w"], level: float, draws: int, seed: int = 0, number: int = 0) -> Float[Tensor, "some classes"]:
    """Softmax probabilities of versions of the image of that number, a mean over its draws; at level 0 those of the model itself."""
    if level == 0:
        return model(versions).softmax(1)
    noises = (generator("parameter-noise", seed, number, draw) for draw in range(draws))
    return sum(functional_call(model, noisy_parameters(model, level, noise), (versions,)).softmax(1) for noise in noises) / draws


def noise_problems(settings: NoiseSettings) -> list[str]:
    """Everything impossible, in the user's words."""
    found = common_problems(settings)
    if not settings.levels or not all(0 <= level <= 10 for level in settings.levels):
        found.append(f"levels = {settings.levels}: expected some numbers from 0 to 10")
    if not 1 <= settings.draws <= 100_000:
        found.append(f"draws = {settings.draws}: expected 1 to 100000")
    if not settings.severities or not set(settings.severities) <= set(SEVERITIES):
        found.append(f"severities = {settings.severities}: expected some of 1 to 5")
    return found


def noise_table(opened: Opened, digest: str, settings: NoiseSettings, folder: Path, progress: Progress) -> Iterator[NoiseTable]:
    """The table of the images so far, after each batch, which `folder` keeps. Raises ConfigurationError, InvalidInput or Cancelled."""
    refuse(noise_problems(settings))
    model, channels = opened.checkpoint.model, opened.images.images.shape[1]
    names = applicable(channels, STANDARD)
    common = of_images(opened, digest, settings)

    cases, corrupted = [(name, severity) for name in names for severity in settings.severities], made(settings.seed)

    def measured(first: int, last: int) -> Columns:
        x, labels = batch(opened, first, last)
        versions = torch.stack([x, *(corrupted(x, *case, first) for case in cases)], 1)
        wrong = torch.empty(len(x), len(settings.levels), 1 + len(cases))
        for place, (own, label) in enumerate(zip(versions, labels, strict=True)):
            for number, level in enumerate(settings.levels):
                stop_if_cancelled(progress)
                wrong[place, number] = (noisy_probabilities(model, own, level, settings.draws, settings.seed, first + place).argmax(1) != label).float().cpu()
        return {f"{case} {number}": wrong[:, number, place] for number in range(len(settings.levels)) for place, case in enumerate(["clean", *(f"{name} {severity}" for name, severity in cases)])}

    for columns in over_batches(own_folder(folder, "own-noise", common), count(opened, settings), settings.batch_size, measured, progress):
        means = {name: float(column.double().mean()) for name, column in columns.items()}
        numbers = range(len(settings.levels))
        yield NoiseTable(
            images=len(next(iter(columns.values()))), levels=settings.levels, clean=tuple(means[f"clean {number}"] for number in numbers), corruptions=names,
            errors=tuple(tuple(sum(means[f"{name} {severity} {number}"] for severity in settings.severities) / len(settings.severities) for name in names) for number in numbers),
            **common,
        )  # fmt: skip
