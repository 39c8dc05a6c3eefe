"""The closest and the farthest member of a learned set for every pair of the test split (Perturbation sets, Appendix B, 2 and 4)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from explorer.attacks import pgd
from explorer.batches import Columns
from explorer.configuration import limit_problems, out_of_range
from explorer.evaluation.approximation import DISTANCES, STEP_SIZE, STEPS, Distance
from explorer.figures import pixels, tile, to_png, upscale
from explorer.metrics import squared_error
from explorer.randomness import LARGEST_KEY, Streams
from explorer.sets import LatentBall
from explorer.types import Inner, Progress

from .exploration import LearnedSet

SHOWN = 12  # of the pairs with the largest error
COLUMNS = ("closest_error", "closest_norm", "farthest_error", "farthest_norm")


@dataclass(frozen=True)
class ExtremesSettings:
    """How each pair is searched; the paper's values are the defaults. `limit` keeps the first pairs of the test split; `points` keeps
    each member's u, 2 × latent numbers a pair."""

    distance: Distance = "cross_entropy"
    radius: float | None = None  # the checkpoint's ε
    limit: int | None = None
    steps: int = STEPS
    seed: int = 0
    batch_size: int = 100
    points: bool = False


def problems(settings: ExtremesSettings) -> list[str]:
    found = out_of_range(settings, steps=(0, 100_000), batch_size=(1, 100_000), seed=(0, LARGEST_KEY))
    if settings.radius is not None and not 0 <= settings.radius < 1e6:
        found.append(f"radius = {settings.radius}: expected a finite number of at least 0, or none")
    found += limit_problems(settings, "pairs")
    return found


def extremes(learned: LearnedSet, settings: ExtremesSettings, progress: Progress) -> Callable[[int, int], Columns]:
    """A function of (first, last) that searches those pairs: errors per pixel, norms in latent standard deviations.

    The closest member is searched from the pair's encoding, the farthest from a random point, as for the quality table; so is each
    pair's result, which depends on its number and the seed alone. The first is an upper, the second a lower bound."""

    def search(first: int, last: int) -> Columns:
        closest, farthest, clean, perturbed = _search(learned, settings, range(first, last), progress)
        size = clean[0].numel()
        columns = {
            "closest_error": closest.loss / size, "closest_norm": closest.delta.norm(dim=1),
            "farthest_error": farthest.loss / size, "farthest_norm": farthest.delta.norm(dim=1),
            "closest_squared": squared_error(closest.perturbed, perturbed) / size,
            "farthest_squared": squared_error(farthest.perturbed, perturbed) / size,
        }  # fmt: skip
        points = {"closest_delta": closest.delta, "farthest_delta": farthest.delta} if settings.points else {}
        return {**columns, **points}

    return search


def worst_pairs(columns: Columns, name: str, count: int = SHOWN) -> list[int]:
    """The numbers of the pairs with the largest values of a column, the largest first."""
    return torch.argsort(columns[name], descending=True, stable=True)[:count].tolist()


def contact_sheet(learned: LearnedSet, settings: ExtremesSettings, numbers: list[int], progress: Progress) -> bytes:
    """A PNG with a column for each of these pairs: clean, real, closest and farthest member, searched again with the same seed."""
    closest, farthest, clean, perturbed = _search(learned, settings, numbers, progress)
    rows = torch.cat([clean, perturbed, closest.perturbed, farthest.perturbed])
    return to_png(upscale(tile(pixels(rows), len(numbers)), 2))


def _search(learned, settings, numbers, progress):
    model, measure = learned.checkpoint.model, DISTANCES[settings.distance]
    clean, perturbed = learned.pairs.fixed(numbers).to(learned.device).both
    radius = learned.radius if settings.radius is None else settings.radius
    set_at = LatentBall(model, radius).at(clean)
    with torch.no_grad():
        start = set_at.region.project(model.prior(clean).standardise(model.encode(clean, perturbed).mean))
    search = {"steps": settings.steps, "step_size": STEP_SIZE, "streams": Streams(settings.seed, numbers), "progress": Inner(progress)}
    closest = pgd(set_at, lambda image: measure(image, perturbed), maximise=False, start=start, **search)
    farthest = pgd(set_at, lambda image: measure(image, perturbed), start="uniform-norm", **search)
    return closest, farthest, clean, perturbed
