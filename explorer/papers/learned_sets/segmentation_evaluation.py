"""How many pixels a segmenter names right under adversarial lights, and how many are certified (Perturbation sets, Appendix F.3)."""

from collections.abc import Iterator
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from explorer.attacks import cross_entropy, pgd
from explorer.batches import Columns, over_batches
from explorer.evaluation.segmentation import BOTH, EITHER, SHARE, mean_iou, pixel_columns
from explorer.measuring import mean_and_error, origin, own_folder, refuse
from explorer.papers.trained import TrainedSet
from explorer.randomness import Streams
from explorer.sets import LatentBall
from explorer.smoothing import ABSTAIN, certify, count_votes
from explorer.smoothing.shifting import shifted
from explorer.types import Inner, Progress

from .in_latents import largest_certified
from .segmentation_measured import GRID, PERCENTILES, CertifiedSettings, CertifiedTable, RobustSettings, RobustTable, settings_problems
from .segmentation_opening import OpenedSegmenter, lighting_of
from .segmentation_training import lit_pictures, picture_count, sigma_of


def robust_table(opened: OpenedSegmenter, digest: str, settings: RobustSettings, folder: Path, progress: Progress) -> Iterator[RobustTable]:
    """The table of the pictures so far, after each batch; finished batches are kept in `folder`. Raises ConfigurationError, CheckpointError or
    InvalidInput where the learned set is missing or of other pictures, and Cancelled."""
    refuse(settings_problems(settings))
    lighting = lighting_of(opened, settings.learned_set)
    radii = settings.radii or lighting.radii_of(PERCENTILES)
    common, count, available = _common(opened, digest, settings, lighting)

    def measured(first: int, last: int) -> Columns:
        pictures, materials = _pictures(opened, first, last)
        return robust_columns(opened.checkpoint.model, lighting, pictures, materials, radii, settings, first, progress)

    for columns in over_batches(own_folder(folder, "segmentation", common, lighting.digest), count, settings.batch_size, measured, progress):
        rows = [{part: columns[f"{name} {part}"] for part in (SHARE, BOTH, EITHER)} for name in ("clean", *_names(radii))]
        (accuracy, accuracy_error), *robust = [mean_and_error(row[SHARE]) for row in rows]
        iou, *ious = [mean_iou(row) for row in rows]
        yield RobustTable(
            **common, images=len(rows[0][SHARE]), available=available, radii=radii, accuracy=accuracy, accuracy_error=accuracy_error, iou=iou,
            robust=tuple(mean for mean, _ in robust), robust_errors=tuple(error for _, error in robust), robust_ious=tuple(ious),
        )  # fmt: skip


def certified_table(opened: OpenedSegmenter, digest: str, settings: CertifiedSettings, folder: Path, progress: Progress) -> Iterator[CertifiedTable]:
    """As `robust_table`."""
    refuse(settings_problems(settings))
    lighting = lighting_of(opened, settings.learned_set)
    sigma = sigma_of(lighting.radius) if settings.sigma is None else settings.sigma
    most = largest_certified(settings, sigma)
    radii, attacked = tuple(torch.linspace(0, most, GRID, dtype=torch.float64).tolist()), tuple(each for each in lighting.radii_of(PERCENTILES) if each > 0)
    common, count, available = _common(opened, digest, settings, lighting)

    def measured(first: int, last: int) -> Columns:
        pictures, materials = _pictures(opened, first, last)
        return certified_columns(opened.checkpoint.model, lighting, pictures, materials, sigma, radii, attacked, settings, first, progress)

    for columns in over_batches(own_folder(folder, "certified-segmentation", common, lighting.digest, {"sigma": sigma}), count, settings.batch_size, measured, progress):
        certified = [mean_and_error(column) for column in columns["certified"].unbind(1)]
        yield CertifiedTable(
            **common, images=len(columns["abstained"]), available=available, sigma=sigma, radii=radii, certified=tuple(mean for mean, _ in certified),
            certified_errors=tuple(error for _, error in certified), accuracy=float(columns["right"].mean()), abstained=float(columns["abstained"].mean()),
            attacked_radii=attacked, empirical=tuple(columns["empirical"].mean(0).tolist()),
        )  # fmt: skip


def robust_columns(
    model: nn.Module, lighting: TrainedSet, pictures: Float[Tensor, "n c h w"], materials: Int[Tensor, "n h w"], radii: tuple[float, ...], settings: RobustSettings, first: int,
    progress: Progress,
) -> Columns:  # fmt: skip
    """Of each picture itself and at what the attack finds at each radius, `pixel_columns`. Pictures are number `first`, `first` + 1, …"""
    found = {"clean": pictures}
    for name, radius in zip(_names(radii), radii):
        found[name] = adversarial_light(model, lighting, pictures, materials, radius, settings.steps, settings.step_size, settings.seed, first, progress)[1]
    with torch.inference_mode():
        return {f"{name} {part}": column for name, each in found.items() for part, column in pixel_columns(model(each).argmax(1), materials, model.classes).items()}


def adversarial_light(
    model: nn.Module, lighting: TrainedSet, pictures: Float[Tensor, "n c h w"], materials: Int[Tensor, "n h w"], radius: float, steps: int, step_size: float, seed: int = 0, first: int = 0,
    progress: Progress | None = None,
) -> tuple[Float[Tensor, "n latent"], Float[Tensor, "n c h w"]]:  # fmt: skip
    """The point of each picture's set, and its picture, where PGD from the centre finds the largest mean cross-entropy over the pixels (Perturbation sets,
    Algorithm 1 and Appendix E.4)."""
    streams, inner = Streams(seed, range(first, first + len(pictures))), None if progress is None else Inner(progress)
    at = LatentBall(lighting.model, radius).at(pictures)
    found = pgd(at, cross_entropy(model, materials), steps=steps, step_size=step_size, start="zero", streams=streams, progress=inner)
    return found.delta, found.perturbed


def certified_columns(
    model: nn.Module, lighting: TrainedSet, pictures: Float[Tensor, "n c h w"], materials: Int[Tensor, "n h w"], sigma: float, radii: tuple[float, ...], attacked: tuple[float, ...],
    settings: CertifiedSettings, first: int, progress: Progress,
) -> Columns:  # fmt: skip
    """For each picture the shares of its pixels that are certified at the radii, named right by most votes, abstained on, and named right by
    most votes around what an attack on the segmenter without noise found."""
    numbers, inner = range(first, first + len(pictures)), Inner(progress)
    ball, votes = LatentBall(lighting.model, lighting.radius).at(pictures), {"sigma": sigma, "batch_size": settings.noisy_batch, "progress": inner}
    found = certify(model, ball, samples=settings.samples, selection=settings.selection, confidence=settings.confidence, streams=Streams(settings.seed, numbers), **votes)
    materials = materials.cpu()
    right = found.labels == materials
    certified = torch.stack([(right & (found.radius >= radius)).flatten(1).double().mean(1) for radius in radii], 1)

    def named(around: Float[Tensor, "n latent"]) -> Float[Tensor, "n"]:
        counted = count_votes(model, shifted(ball, around), samples=settings.samples, streams=Streams(settings.seed, numbers, purpose="smoothing attacked"), **votes)
        return (counted.argmax(1) == materials).flatten(1).double().mean(1)

    points = [adversarial_light(model, lighting, pictures, materials.to(pictures.device), radius, settings.steps, 2.5 / settings.steps, settings.seed, first, progress)[0] for radius in attacked]
    return {
        "certified": certified, "abstained": (found.labels == ABSTAIN).flatten(1).double().mean(1), "right": named(torch.zeros(len(pictures), *ball.region.shape).to(pictures)),
        "empirical": torch.stack([named(point) for point in points], 1),
    }  # fmt: skip


def _pictures(opened: OpenedSegmenter, first: int, last: int) -> tuple[Tensor, Tensor]:
    pictures, materials = lit_pictures(opened.pairs, range(first, last))
    return pictures.to(opened.device), materials.to(opened.device)


def _common(opened: OpenedSegmenter, digest: str, settings: RobustSettings | CertifiedSettings, lighting: TrainedSet) -> tuple[dict, int, int]:
    """What every table says, how many pictures are measured, and how many there are."""
    available = picture_count(opened.pairs)
    common = {
        **origin(opened, digest, settings, opened.pairs.fingerprint()), "learned_set": lighting.name, "learned_set_digest": lighting.digest, "epsilon": lighting.radius,
        "materials": opened.pairs.scenes.material_names,
    }  # fmt: skip
    return common, min(settings.limit or available, available), available


def _names(radii: tuple[float, ...]) -> tuple[str, ...]:
    return tuple(f"radius {number}" for number in range(len(radii)))
