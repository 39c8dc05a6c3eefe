"""How well changed weights of an image-to-image network imitate a corruption (AdA, Figure 3)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.batches import Columns, over_batches
from explorer.data import ImageDataset, images_at_hand
from explorer.data.corruptions import CORRUPTIONS, SEVERITIES, STANDARD, corrupt
from explorer.errors import ConfigurationError, InvalidInput
from explorer.measuring import Measured, common_problems, count, mean_and_error, of_images, own_folder, refuse
from explorer.metrics import ssim
from explorer.metrics.structural_similarity import check_large_enough
from explorer.randomness import Streams
from explorer.sets import WeightBall
from explorer.types import Inner, Progress, Silent, stop_if_cancelled

from .opening import Backbone, check_fit

RECONSTRUCTION_KIND = "adversarial_augmentation.reconstruction"
STEPS, LEARNING_RATE, PENALTY, IMAGES = 50, 1e-3, 1e-5, 640  # Figure 3


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """What the network makes of the clean images after the last step, and its SSIM to the corrupted ones at each point, the network's own
    weights first."""

    images: Float[Tensor, "batch c h w"]
    path: Float[Tensor, "points batch"]

    @property
    def ssim(self) -> Float[Tensor, " batch"]:
        return self.path[-1]


@dataclass(frozen=True)
class ReconstructionSettings:
    """Corruptions that are made here, each image with its own stream. Defaults are Figure 3's; it takes 640 images of CIFAR-10-C at random, we
    the first of the test split. `chunk` images are computed together."""

    corruptions: tuple[str, ...] = STANDARD
    severities: tuple[int, ...] = SEVERITIES
    steps: int = STEPS
    learning_rate: float = LEARNING_RATE
    penalty: float = PENALTY
    chunk: int = 8
    limit: int | None = IMAGES
    batch_size: int = 8
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class ReconstructionTable(Measured):
    """One entry for each corruption, over images and severities: mean SSIM of the network's best imitation to the corrupted image with its
    standard error, and of the clean image to it. `overall` and its standard deviation are over all of them."""

    corruptions: tuple[str, ...]
    means: tuple[float, ...]
    standard_errors: tuple[float, ...]
    clean_means: tuple[float, ...]
    overall: float
    overall_deviation: float


def reconstruct(
    backbone_model: torch.nn.Module,
    images: Float[Tensor, "batch c h w"],
    corrupted: Float[Tensor, "batch c h w"],
    *,
    steps: int = STEPS,
    learning_rate: float = LEARNING_RATE,
    penalty: float = PENALTY,
    chunk: int | None = None,
    progress: Progress | None = None,
) -> Reconstruction:
    """Maximise SSIM(c_{φ+δ}(x), x′) − penalty·‖δ‖² over weights of their own for each image, by Adam from δ = 0, within no ball. Raises
    InvalidInput, or Cancelled."""
    check_large_enough(images)
    progress = progress or Silent()
    perturb, parameters = WeightBall(backbone_model, 1.0, chunk).at(images).perturb, sum(each.numel() for each in backbone_model.parameters())
    delta = torch.zeros(len(images), parameters, device=images.device).requires_grad_()
    optimiser, path = torch.optim.Adam([delta], lr=learning_rate), []
    with torch.enable_grad():
        for step in range(steps):
            stop_if_cancelled(progress)
            similar = ssim(perturb(delta), corrupted)
            path.append(similar.detach())
            loss = (penalty * delta.square().sum(1) - similar).sum()  # summed: no image sees another's loss
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            progress.advance(step + 1, steps)
    with torch.no_grad():
        rebuilt = perturb(delta)
    return Reconstruction(rebuilt, torch.stack([*path, ssim(rebuilt, corrupted)]))


def reconstruction_problems(settings: ReconstructionSettings) -> list[str]:
    """Everything impossible, in the user's words."""
    found = common_problems(settings)
    if unknown := [name for name in settings.corruptions if name not in CORRUPTIONS]:
        found.append(f"corruptions: {', '.join(unknown)[:100]}: expected some of {', '.join(CORRUPTIONS)}")
    if not settings.corruptions:
        found.append("corruptions: expected at least one")
    if not settings.severities or not set(settings.severities) <= set(SEVERITIES):
        found.append(f"severities = {settings.severities}: expected some of 1 to 5")
    if not 0 <= settings.steps <= 100_000 or not 0 < settings.learning_rate <= 1 or not 0 <= settings.penalty <= 1e6:
        found.append(f"steps = {settings.steps}, learning_rate = {settings.learning_rate:g}, penalty = {settings.penalty:g}: expected 0 to 100000, above 0 to 1, and at least 0")
    if settings.chunk < 1:
        found.append(f"chunk = {settings.chunk}: expected at least 1 image")
    return found


@dataclass(frozen=True)
class OpenedBackbone:
    """A network with the test images of its data set."""

    backbone: Backbone
    images: ImageDataset
    data: object

    @property
    def checkpoint(self):
        return self.backbone.checkpoint

    @property
    def device(self) -> torch.device:
        return next(self.backbone.model.parameters()).device


def with_images(backbone: Backbone, root: str | Path | None = None) -> OpenedBackbone:
    """Raises InvalidInput where the images at hand are others than the network takes."""
    images, data, _ = images_at_hand(backbone.dataset, root)
    check_large_enough(images.images[:1])
    check_fit(backbone, images.images[:1].to(next(backbone.model.parameters()).device))
    return OpenedBackbone(backbone, images, data)


def reconstruction_table(opened: OpenedBackbone, digest: str, settings: ReconstructionSettings, folder: Path, progress: Progress) -> Iterator[ReconstructionTable]:
    """The table of the images so far, after each batch, which `folder` keeps. Raises ConfigurationError, InvalidInput or Cancelled."""
    refuse(reconstruction_problems(settings))
    if coloured := [name for name in settings.corruptions if CORRUPTIONS[name].coloured and opened.images.images.shape[1] != 3]:
        raise ConfigurationError([f"corruptions: {', '.join(coloured)} change colours, and these images are grey. Leave them out."])
    cases = [(name, severity) for name in settings.corruptions for severity in settings.severities]
    common = of_images(opened, digest, settings)

    def measured(first: int, last: int) -> Columns:
        x, columns = opened.images.images[first:last].to(opened.device), {}
        for name, severity in cases:
            target = corrupt(x, name, severity, Streams(settings.seed, range(first, last), purpose="corruption"))
            found = reconstruct(
                opened.backbone.model, x, target, steps=settings.steps, learning_rate=settings.learning_rate, penalty=settings.penalty, chunk=settings.chunk, progress=Inner(progress)
            )
            columns |= {f"{name}_{severity}": found.ssim, f"clean_{name}_{severity}": ssim(x, target)}
        return columns

    for columns in over_batches(own_folder(folder, "reconstruction", common), count(opened, settings), settings.batch_size, measured, progress):
        yield _table(columns, settings, common)


def _table(columns: Columns, settings: ReconstructionSettings, common: dict) -> ReconstructionTable:
    def of(name: str) -> Tensor:
        return torch.stack([columns[f"{name}_{severity}"] for severity in settings.severities]).flatten().double()

    pairs, everything = [mean_and_error(of(name)) for name in settings.corruptions], torch.cat([of(name) for name in settings.corruptions])
    return ReconstructionTable(
        images=len(next(iter(columns.values()))), corruptions=settings.corruptions, means=tuple(mean for mean, _ in pairs), standard_errors=tuple(error for _, error in pairs),
        clean_means=tuple(float(of(f"clean_{name}").mean()) for name in settings.corruptions), overall=float(everything.mean()),
        overall_deviation=float(everything.std(correction=0)), **common,
    )  # fmt: skip


def check_corruption(name: str, severity: int) -> None:
    """Raises InvalidInput for a corruption or severity that does not exist."""
    if problems := reconstruction_problems(ReconstructionSettings(corruptions=(name,), severities=(severity,))):
        raise InvalidInput("\n".join(problems))
