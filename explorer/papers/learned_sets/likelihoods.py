"""How likely a learned set makes the real pairs of a split (Perturbation sets, Definition 2): resumable after an interruption."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from explorer.batches import Columns, over_batches
from explorer.configuration import from_mapping, out_of_range
from explorer.errors import ConfigurationError
from explorer.evaluation.likelihood import SAMPLES, Density, likelihood
from explorer.measuring import Origin, common_problems, mean_and_error, origin, own_folder, plain, refuse
from explorer.papers.base import Filled, Item, Row
from explorer.papers.report import ITEMS
from explorer.papers.results import as_usual, own_place
from explorer.types import Inner, Progress

from .exploration import LearnedSet
from .tables import LEARNED_SETS

KIND = "learned_sets.likelihood"
HEADINGS = ("log-likelihood", "expected logarithm", "effective samples")
Three = tuple[float, float, float]
DEFINITION = Item("definition", 2, "how likely the set makes real perturbations, mean over the pairs, in nats")


@dataclass(frozen=True)
class LikelihoodSettings:
    """How the likelihood is estimated. "gaussian" is the text's N(g, I); "bernoulli" what the MNIST sets are trained with. `limit` keeps the
    first pairs of the test split."""

    density: Density = "gaussian"
    radius: float | None = None  # the checkpoint's ε
    samples: int = SAMPLES
    limit: int | None = None
    seed: int = 0
    batch_size: int = 100


@dataclass(frozen=True, kw_only=True)
class LikelihoodTable(Origin):
    """Means over `pairs` of the split's `available` pairs with their standard errors, in the order of HEADINGS. The first is an *estimate*
    that errs on the low side, the more so the fewer samples are effective; the second is below it by Jensen's inequality."""

    radius: float
    pairs: int
    available: int
    means: Three
    standard_errors: Three

    def __post_init__(self):
        from_mapping(LikelihoodSettings, self.settings, "settings")
        if not 1 <= self.pairs <= self.available or not all(map(math.isfinite, self.means)):
            raise ConfigurationError([f"expected finite means over 1 to {self.available} pairs, got {self.means} over {self.pairs}"])


def likelihood_table(learned: LearnedSet, digest: str, settings: LikelihoodSettings, folder: Path, progress: Progress) -> Iterator[LikelihoodTable]:
    """The table of the pairs measured so far, after each batch. Batches are kept in `folder`, so that the same call goes on after a stop.
    Raises ConfigurationError, OutputError, Cancelled, or ExplorerError where a likelihood is not finite."""
    refuse(_problems(settings))
    radius = learned.radius if settings.radius is None else settings.radius

    def measured(first: int, last: int) -> Columns:
        clean, perturbed = learned.pairs.fixed(range(first, last)).to(learned.device).both
        found = likelihood(
            learned.checkpoint.model, clean, perturbed, radius=radius, samples=settings.samples, density=settings.density,
            seed=settings.seed, first=first, progress=Inner(progress),
        )  # fmt: skip
        return dict(zip(HEADINGS, (found.log_likelihood, found.expected_log, found.effective_samples)))

    common = origin(learned, digest, settings, learned.pairs.fingerprint())
    for columns in over_batches(own_folder(folder, "likelihood", common), min(settings.limit or len(learned.pairs), len(learned.pairs)), settings.batch_size, measured, progress):
        means, errors = zip(*(mean_and_error(columns[name]) for name in HEADINGS))
        yield LikelihoodTable(radius=radius, pairs=len(columns[HEADINGS[0]]), available=len(learned.pairs), means=means, standard_errors=errors, **common)


def own_likelihood_path(table: LikelihoodTable) -> Path:
    """The usual place, or one of its own: `own_place`."""
    return own_place("likelihood", table, table.pairs == table.available and as_usual(table, plain(LikelihoodSettings())))


def likelihood_report(table: LikelihoodTable, form: str) -> str:
    """`form` is one of text, json, csv and latex. The paper prints no value."""
    settings = LikelihoodSettings(**table.settings)
    note = f"Estimate from {settings.samples} members drawn at random for each pair, {settings.density} density; of so many samples the effective ones decide the mean."
    source = f"the first {table.pairs} of {table.available} pairs" if table.pairs < table.available else f"{table.pairs} pairs"
    row = Row(table.checkpoint, (), (table.radius, *table.means), (None, *table.standard_errors), source=f"{source} of {table.dataset[:40]}'s test split, seed {settings.seed}, {table.device[:60]}")
    return ITEMS[form]("learned_sets", LEARNED_SETS, DEFINITION, "measured", "one checkpoint; the paper prints no value.", Filled(("radius", *HEADINGS), (row,), note))


def _problems(settings: LikelihoodSettings) -> list[str]:
    found = common_problems(settings) + out_of_range(settings, samples=(1, 10_000_000))
    if settings.radius is not None and not 0 <= settings.radius < 1e6:
        found.append(f"radius = {settings.radius}: expected a finite number of at least 0, or none")
    return found
