"""How like the clean images those of the worst weights are, over radii and networks (AdA, Figure 2), and how a classifier bears them beside
random weights of the same radius."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from explorer.batches import Columns, over_batches
from explorer.errors import CheckpointError, ConfigurationError, InvalidInput
from explorer.measuring import Measured, Opened, batch, common_problems, count, of_images, own_folder, refuse
from explorer.metrics import ssim
from explorer.metrics.structural_similarity import check_large_enough
from explorer.randomness import Streams
from explorer.sets import WeightBall
from explorer.types import Inner, Progress

from .opening import Backbone, check_fit, open_backbone
from .search import SSIM_LIMIT, STEPS, adversarial_corruptions, random_corruptions

SIMILARITY_KIND = "adversarial_augmentation.similarity"
BINS = 100  # from 0 to 1; below 0 counts as 0
FIGURE_2 = {"edsr": (0.0075, 0.009375, 0.01125, 0.013125, 0.015), "compressive_autoencoder": (0.0075, 0.015, 0.0225, 0.03, 0.0375)}


@dataclass(frozen=True)
class SimilaritySettings:
    """Networks by file or by experiment, each at every radius ν; `ssim_limit` none leaves out the guard. `chunk` images are searched together."""

    backbones: tuple[str, ...] = ("backbone-unet-cifar10",)
    radii: tuple[float, ...] = FIGURE_2["edsr"]
    steps: int = STEPS
    ssim_limit: float | None = SSIM_LIMIT
    chunk: int = 8  # AdA's nano-batch for CIFAR-10; Appendix B.1
    limit: int | None = None
    batch_size: int = 32
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class SimilarityTable(Measured):
    """One entry for each network at each radius: SSIM to the clean image before the guard, counted in `BINS`, its mean and standard deviation;
    after the guard its mean and the share of images that it has changed; and shares of the images that the classifier gets right, clean and
    under the worst weights that were *found* (before and after the guard), and under random weights, with their mean SSIM."""

    networks: tuple[str, ...]
    radii: tuple[float, ...]
    counts: tuple[tuple[int, ...], ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    guarded_means: tuple[float, ...]
    guarded_shares: tuple[float, ...]
    clean: float
    adversarial: tuple[float, ...]
    guarded: tuple[float, ...]
    random: tuple[float, ...]
    random_means: tuple[float, ...]

    def __post_init__(self):
        super().__post_init__()
        if len({len(values) for values in vars(self).values() if isinstance(values, tuple) and values is not self.warnings}) != 1:
            raise ConfigurationError(["columns of different lengths"])


def similarity_problems(settings: SimilaritySettings) -> list[str]:
    """Everything impossible, in the user's words."""
    found = common_problems(settings)
    if not settings.radii or not all(0 < radius <= 10 for radius in settings.radii):
        found.append(f"radii = {settings.radii}: expected some ν above 0, at most 10")
    if not 0 <= settings.steps <= 10_000:
        found.append(f"steps = {settings.steps}: expected 0 to 10000")
    if settings.ssim_limit is not None and not 0 < settings.ssim_limit < 2:
        found.append(f"ssim_limit = {settings.ssim_limit:g}: expected a distance 1 − SSIM within (0, 2), or none")
    if settings.chunk < 1:
        found.append(f"chunk = {settings.chunk}: expected at least 1 image")
    return found + backbone_problems(settings.backbones)


def backbone_problems(names: tuple[str, ...]) -> list[str]:
    """What is wrong with networks given by file or experiment."""
    found = [] if names else ["backbones: expected at least one image-to-image network"]
    for name in names:
        try:
            open_backbone(name)
        except (CheckpointError, InvalidInput) as error:
            found.append(f"backbones: {error}")
    return found


def similarity_table(opened: Opened, digest: str, settings: SimilaritySettings, folder: Path, progress: Progress) -> Iterator[SimilarityTable]:
    """The table of the images searched so far, after each batch, which `folder` keeps, so that the same call goes on after a stop. Raises
    ConfigurationError, CheckpointError, InvalidInput or Cancelled."""
    refuse(similarity_problems(settings))
    backbones = [open_backbone(name, opened.device) for name in settings.backbones]
    cases = [(backbone, radius) for backbone in backbones for radius in settings.radii]
    images = opened.images.images[:1].to(opened.device)
    check_large_enough(images)
    for backbone in backbones:
        check_fit(backbone, images)
    common = of_images(opened, digest, settings)
    place = own_folder(folder, "similarity", common, *(backbone.digest for backbone in backbones))

    def measured(first: int, last: int) -> Columns:
        x, labels = batch(opened, first, last)
        columns = {"right": _right(opened.checkpoint.model, x, labels)}
        for number, (backbone, radius) in enumerate(cases):
            streams = Streams(settings.seed, range(first, last))
            columns |= {f"{name}_{number}": value for name, value in _searched(opened.checkpoint.model, backbone.ball(radius, settings.chunk), x, labels, settings, streams, Inner(progress)).items()}
        return columns

    for columns in over_batches(place, count(opened, settings), settings.batch_size, measured, progress):
        yield _table(columns, cases, common)


def _searched(model, ball: WeightBall, x: Tensor, labels: Tensor, settings: SimilaritySettings, streams: Streams, progress: Progress) -> Columns:
    worst = adversarial_corruptions(model, ball, x, labels, streams=streams, steps=settings.steps, limit=settings.ssim_limit, progress=progress)
    drawn = random_corruptions(model, ball, x, labels, streams=streams, limit=None, progress=progress).unguarded
    similar = ssim(x, worst.unguarded)
    return {
        "ssim": similar, "guarded_ssim": similar if worst.line is None else 1 - worst.line.distance, "gamma": torch.ones_like(similar) if worst.line is None else worst.line.gamma,
        "adversarial": _right(model, worst.unguarded, labels), "guarded": _right(model, worst.perturbed, labels), "random": _right(model, drawn, labels), "random_ssim": ssim(x, drawn),
    }  # fmt: skip


@torch.no_grad()
def _right(model, x: Tensor, labels: Tensor) -> Tensor:
    return (model(x).argmax(1) == labels).float()


def _table(columns: Columns, cases: list[tuple[Backbone, float]], common: dict) -> SimilarityTable:
    def of(name: str) -> list[Tensor]:
        return [columns[f"{name}_{number}"].double() for number in range(len(cases))]

    def mean(name: str) -> tuple[float, ...]:
        return tuple(float(each.mean()) for each in of(name))

    return SimilarityTable(
        images=len(columns["right"]), networks=tuple(backbone.name for backbone, _ in cases), radii=tuple(radius for _, radius in cases),
        counts=tuple(tuple(int(n) for n in torch.histc(each.clamp(0, 1), BINS, 0, 1)) for each in of("ssim")), means=mean("ssim"),
        deviations=tuple(float(each.std(correction=0)) for each in of("ssim")), guarded_means=mean("guarded_ssim"),
        guarded_shares=tuple(float((each < 1).double().mean()) for each in of("gamma")), clean=float(columns["right"].double().mean()), adversarial=mean("adversarial"),
        guarded=mean("guarded"), random=mean("random"), random_means=mean("random_ssim"), **common,
    )  # fmt: skip
