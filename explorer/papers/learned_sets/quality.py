"""Table 4 of the paper for a checkpoint: all six metrics over a split, resumable after an interruption."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explorer.batches import Columns, over_batches
from explorer.configuration import from_mapping
from explorer.errors import ConfigurationError
from explorer.evaluation.approximation import METRICS, STEPS, Distance, pair_metrics
from explorer.measuring import Origin, mean_and_error, origin, own_folder
from explorer.types import Progress

from .exploration import LearnedSet

PAPER = {  # Table 4: radius, encoder AE, PGD AE, expected AE, over AE, reconstruction, KL
    "mnist-linf-fc": (28, 0.31, 0.25, 0.32, 0.65, 0.27, 585.5),
    "mnist-linf-conv": (29, 0.30, 0.27, 0.32, 0.35, 0.27, 610.3),
    "mnist-rts": (14, 0.29, 0.11, 0.54, 1.03, 0.04, 22.2),
    "mnist-rts-1": (14, 0.28, 0.10, 0.61, 1.34, 0.05, 22.2),
    "mnist-rts-5": (14, 0.28, 0.10, 0.53, 0.86, 0.05, 23.7),
    "mi-mip5": (17, 0.019, 0.006, 0.049, 0.13, 0.0040, 65.8),  # Table 10, in squared error
    "mi-mip4": (25, 0.034, 0.008, 0.049, 0.27, 0.0042, 146.6),
    "mi-mip3": (21, 0.060, 0.009, 0.048, 0.33, 0.0055, 106.1),
}
Six = tuple[float, float, float, float, float, float]
HEADINGS = ("encoder AE", "PGD AE", "expected AE", "over AE", "reconstruction", "KL (nats)")


@dataclass(frozen=True)
class QualitySettings:
    """How a checkpoint is measured; the paper's values are the defaults. `limit` keeps the first pairs of the test split."""

    distance: Distance = "cross_entropy"  # what the published table reports
    radius: float | None = None  # the checkpoint's ε
    limit: int | None = None
    steps: int = STEPS
    seed: int = 0
    batch_size: int = 250


@dataclass(frozen=True, kw_only=True)
class QualityTable(Origin):
    """Means over `pairs` of the split's `available` pairs with their standard errors, in the order of HEADINGS; what they were
    measured with, and how the checkpoint was trained. Raises ConfigurationError where they contradict each other."""

    radius: float
    pairs: int
    available: int
    means: Six
    standard_errors: Six
    model: str = ""
    model_config: dict = field(default_factory=dict)
    description: str = ""
    epsilon: float = 0.0

    def __post_init__(self):
        settings = from_mapping(QualitySettings, self.settings, "settings")
        wrong = {
            "expected radii and standard errors of at least 0": min(self.radius, self.epsilon, *self.standard_errors) < 0,
            f"{self.pairs} of {self.available} pairs": not 1 <= self.pairs <= min(self.available, settings.limit or self.available),
        }
        if problems := [problem for problem, found in wrong.items() if found]:
            raise ConfigurationError(problems)


def quality(learned: LearnedSet, digest: str, settings: QualitySettings, folder: Path, progress: Progress) -> Iterator[QualityTable]:
    """The table of the pairs measured so far, after each batch. `digest` says which checkpoint file this is.

    Batches are kept in `folder` as they are done, so that the same call goes on after an interruption without redoing any. Raises
    ConfigurationError, OutputError, Cancelled, or ExplorerError naming a metric that is not finite."""
    _check(settings, learned)
    radius = learned.radius if settings.radius is None else settings.radius
    common = origin(learned, digest, settings, learned.pairs.fingerprint())

    def measured(first: int, last: int) -> Columns:
        clean, perturbed = learned.pairs.fixed(range(first, last)).to(learned.device).both
        metrics = pair_metrics(
            learned.checkpoint.model, clean, perturbed, radius=radius, distance=settings.distance,
            seed=settings.seed, first=first, steps=settings.steps, progress=progress,
        )  # fmt: skip
        return {key: getattr(metrics, key) for key in METRICS}

    for columns in over_batches(own_folder(folder, "quality", common), settings.limit or len(learned.pairs), settings.batch_size, measured, progress):
        yield _table(learned, radius, columns, common)


def _check(settings: QualitySettings, learned: LearnedSet) -> None:
    problems = []
    if settings.radius is not None and not 0 <= settings.radius < 1e6:
        problems.append(f"radius = {settings.radius}: expected a finite number of at least 0")
    for name, low in (("steps", 0), ("batch_size", 1), ("seed", 0)):
        if getattr(settings, name) < low:
            problems.append(f"{name} = {getattr(settings, name)}: expected at least {low}")
    if settings.limit is not None and not 1 <= settings.limit <= len(learned.pairs):
        problems.append(f"limit = {settings.limit}: expected 1 to {len(learned.pairs)} pairs")
    if problems:
        raise ConfigurationError(problems)


def _table(learned: LearnedSet, radius: float, columns: Columns, common: dict[str, Any]) -> QualityTable:
    means, errors = zip(*(mean_and_error(columns[key]) for key in METRICS))
    header = learned.checkpoint.header
    return QualityTable(
        radius=radius, pairs=len(columns[METRICS[0]]), available=len(learned.pairs), means=means, standard_errors=errors, model=header.model,
        model_config=header.model_config, description=header.description, epsilon=learned.radius, **common,
    )  # fmt: skip
