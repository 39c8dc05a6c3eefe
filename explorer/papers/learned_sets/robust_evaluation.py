"""How often a classifier is right on real perturbations and in the latent ball of a learned set, and how often smoothing certifies it there
(Perturbation sets, §5.1, Appendices E.4 and E.6)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from explorer.attacks import cross_entropy, pgd
from explorer.batches import Columns, over_batches
from explorer.data import OUT_OF_DISTRIBUTION, PAIRS, CorruptionPairs, GeneratedPairs, ImageDataset, Pairs
from explorer.errors import InvalidInput
from explorer.measuring import Opened, batch, count, mean_and_error, of_images, own_folder, refuse, share_and_error
from explorer.papers.trained import TrainedSet, open_trained_set
from explorer.randomness import Streams
from explorer.sets import LatentBall, Perturbations
from explorer.smoothing import certify, predict, sigma_for_radius
from explorer.smoothing.certification import CONFIDENCE, SAMPLES
from explorer.smoothing.shifting import shifted
from explorer.types import Inner, Progress

from .in_latents import largest_certified
from .robust_measured import GRID, PERCENTILES, RobustSettings, RobustTable, SmoothedSettings, SmoothedTable, settings_problems


def robust_table(opened: Opened, digest: str, settings: RobustSettings, folder: Path, progress: Progress) -> Iterator[RobustTable]:
    """The table of the images so far, after each batch; finished batches are kept in `folder`. Raises ConfigurationError, CheckpointError or
    InvalidInput where the learned set is missing or of other images, OutputError, and Cancelled."""
    refuse(settings_problems(settings))
    learned, ways = set_and_pairs(opened, settings.learned_set)
    radii = settings.radii or learned.radii_of(PERCENTILES)
    model = opened.checkpoint.model

    def measured(first: int, last: int) -> Columns:
        x, labels = batch(opened, first, last)
        columns = {name: _right(model(each), labels) for name, each in _inputs(opened, x, ways, first)}
        for number, radius in enumerate(radii):
            _, found = worst_member(model, learned, x, labels, radius, settings.steps, settings.step_size, Streams(settings.seed, range(first, last)), Inner(progress))
            columns[f"radius {number}"] = _right(model(found), labels)
        return columns

    common, place = _common(opened, digest, settings, learned, ways, folder)
    for columns in over_batches(place, count(opened, settings), settings.batch_size, torch.no_grad()(measured), progress):
        robust = [share_and_error(columns[f"radius {number}"]) for number in range(len(radii))]
        yield RobustTable(
            **common, **_accuracies(columns, ways), images=len(columns["clean"]), radii=radii, robust=tuple(share for share, _ in robust), robust_errors=tuple(error for _, error in robust),
        )  # fmt: skip


def smoothed_table(opened: Opened, digest: str, settings: SmoothedSettings, folder: Path, progress: Progress) -> Iterator[SmoothedTable]:
    """As `robust_table`. Raises InvalidInput also where no standard deviation is given and the classifier was not trained for a radius."""
    refuse(settings_problems(settings))
    learned, ways = set_and_pairs(opened, settings.learned_set)
    sigma = trained_sigma(opened.checkpoint.header.training, learned) if settings.sigma is None else settings.sigma
    radii, model = learned.radii_of(PERCENTILES[:-1]), opened.checkpoint.model
    most = largest_certified(settings, sigma)
    grid = tuple(torch.linspace(0, most, GRID, dtype=torch.float64).tolist())
    votes = {"sigma": sigma, "confidence": settings.confidence, "batch_size": settings.noisy_batch}

    def predicted(at: Perturbations, streams: Streams) -> Int[Tensor, "n"]:
        return predict(model, at, samples=settings.selection, streams=streams, **votes).labels

    def measured(first: int, last: int) -> Columns:
        x, labels = batch(opened, first, last)
        streams, here, columns = Streams(settings.seed, range(first, last)), labels.cpu(), {}
        for name, each in _inputs(opened, x, ways, first):
            columns[name] = (predicted(LatentBall(learned.model, learned.radius).at(each), streams) == here).double()
        at = LatentBall(learned.model, learned.radius).at(x)
        found = certify(model, at, samples=settings.samples, selection=settings.selection, streams=streams, progress=Inner(progress), **votes)
        right = found.labels == here
        points = [worst_member(model, learned, x, labels, radius, settings.steps, 2.5 / settings.steps, streams)[0] for radius in radii]
        return {
            **columns, "radius": torch.where(right, found.radius, -1.0), "abstained": (found.labels < 0).double(),
            "empirical": torch.stack([(predicted(shifted(at, point), streams) == here).double() for point in points], 1),
        }  # fmt: skip

    common, place = _common(opened, digest, settings, learned, ways, folder, {"sigma": sigma})
    for columns in over_batches(place, count(opened, settings), settings.batch_size, torch.no_grad()(measured), progress):
        certified = [share_and_error(columns["radius"] >= radius) for radius in radii]
        yield SmoothedTable(
            **common, **_accuracies(columns, ways), images=len(columns["clean"]), sigma=sigma, radii=radii, certified=tuple(share for share, _ in certified),
            certified_errors=tuple(error for _, error in certified), empirical=tuple(columns["empirical"].mean(0).tolist()), abstained=float(columns["abstained"].mean()),
            grid=grid, curve=tuple(float((columns["radius"] >= radius).double().mean()) for radius in grid),
        )  # fmt: skip


def set_and_pairs(opened: Opened, name: str | None) -> tuple[TrainedSet, dict[str, Pairs]]:
    """The learned set of that name, or where it is none that of the training; how the pairs that it was learned from are made, as `perturbed`, and
    `others` that it has not seen, where there are some. Raises CheckpointError, or InvalidInput where there is none or its pairs are of files."""
    asked = name or opened.checkpoint.header.training.get("learned_set")
    if not asked:
        raise InvalidInput(f"{opened.checkpoint.header.name[:60]} was trained without a learned set: give one, as scenes-corruptions.")
    learned = open_trained_set(str(asked), tuple(opened.images.images.shape[1:]), opened.device)
    kind = learned.checkpoint.header.dataset.get("pairs")
    if kind not in PAIRS:
        raise InvalidInput(f"{learned.name} was learned from pairs of kind {str(kind)[:40]!r}, of files of its own: expected one of {', '.join(PAIRS)}, made of any images")
    way = PAIRS[kind]()
    if not isinstance(way, CorruptionPairs):
        return learned, {"perturbed": way}
    return learned, {"perturbed": CorruptionPairs(), "others": CorruptionPairs(corruptions=OUT_OF_DISTRIBUTION)}


def trained_sigma(training: dict[str, Any], learned: TrainedSet) -> float:
    """The standard deviation that certifies the radius of a smoothed training at most (Appendix E.6): 0.84 for 2.7. Raises InvalidInput for
    another training."""
    if "smoothed" not in training.get("sources", ()):
        raise InvalidInput("this classifier was not trained under noise: say which with --sigma.")
    return sigma_for_radius(learned.radius_for(training.get("latent_radius"), training.get("percentile")), SAMPLES, CONFIDENCE)


def worst_member(
    model: nn.Module, learned: TrainedSet, x: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"], radius: float, steps: int, step_size: float, streams: Streams, progress: Progress | None = None
) -> tuple[Float[Tensor, "n latent"], Float[Tensor, "n c h w"]]:
    """The point of each image's set, and the member there, where PGD from the centre finds the largest cross-entropy."""
    found = pgd(LatentBall(learned.model, radius).at(x), cross_entropy(model, labels), steps=steps, step_size=step_size, start="zero", streams=streams, progress=progress)
    return found.delta, found.perturbed


def _inputs(opened: Opened, x: Float[Tensor, "n c h w"], ways: dict[str, Pairs], first: int) -> Iterator[tuple[str, Float[Tensor, "n c h w"]]]:
    """The images themselves, and one real perturbation of each type of each, always the same."""
    yield "clean", x
    for name, way in ways.items():
        images = opened.images
        source = GeneratedPairs(way, ImageDataset(way.unframed(images.images), images.labels, images.class_names))
        for number in range(len(way.type_names)):
            yield f"{name} {number}", source.fixed([number * len(images) + scene for scene in range(first, first + len(x))]).perturbed.to(x.device)


def _right(logits: Float[Tensor, "n classes"], labels: Int[Tensor, "n"]) -> Float[Tensor, "n"]:
    return (logits.argmax(1) == labels).double().cpu()


def _accuracies(columns: Columns, ways: dict[str, Pairs]) -> dict[str, Any]:
    """Means over the images, and over the types where there are several, each image counting once."""
    per_image = {"clean": columns["clean"]} | {name: torch.stack([columns[f"{name} {number}"] for number in range(len(way.type_names))]).mean(0) for name, way in ways.items()}
    found = {name: mean_and_error(values) for name, values in per_image.items()} | ({} if "others" in ways else {"others": (None, None)})
    return {**{name: mean for name, (mean, _) in found.items()}, "errors": tuple(found[name][1] for name in ("clean", "perturbed", "others"))}


def _common(opened: Opened, digest: str, settings: Any, learned: TrainedSet, ways: dict[str, Pairs], folder: Path, *further: dict) -> tuple[dict[str, Any], Path]:
    """What every table says, and the folder of finished batches."""
    types: dict[str, Sequence[str]] = {name: way.type_names for name, way in ways.items()}
    common = of_images(
        opened, digest, settings, learned_set=learned.name, learned_set_digest=learned.digest, epsilon=learned.radius, types=tuple(types["perturbed"]), other_types=tuple(types.get("others", ())),
    )  # fmt: skip
    what = "robust" if isinstance(settings, RobustSettings) else "smoothed"
    return common, own_folder(folder, what, common, learned.digest, *further)
