"""The largest box around each image that a classifier is certified on, with another half-width for every pixel (Liu et al., 2019:
On certifying non-uniform bounds against adversarial attacks; Budgets, §2.2 and Table 1)."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from explorer.bounds import METHODS, Graph, margin_rows, trace
from explorer.errors import ConfigurationError
from explorer.registry import look_up
from explorer.sets.checks import check_images
from explorer.sets.regions import as_column
from explorer.types import Progress, Silent, stop_if_cancelled

from .volume_ascent import Margins, ascended, first_multipliers, shrunk, slopes_after_update

ITERATIONS = 100
SMALLEST = 1e-4  # radius below which nothing is looked for
HALVINGS = 12
PATIENCE, GAIN = 12, 1e-3  # an example ends where so many iterations in a row have gained less than this in log volume
SLACK = 0.05  # in log ε: how far the last budgets are stretched where there is room


@dataclass(frozen=True, eq=False)
class CertifiedVolume:
    """For each example the certified budgets of largest volume that were found, the mean over the pixels of log ε (as `log_volume` of
    metrics has it), and how many iterations it took.

    Where `certified` is false the budgets are 0 and the volume is −∞: either the image itself is classified otherwise (`correct` is
    false), or not even a box of radius 1e-4 is certified."""

    budgets: Float[Tensor, "batch c h w"]
    log_volume: Float[Tensor, "batch"]
    certified: Bool[Tensor, "batch"]
    correct: Bool[Tensor, "batch"]
    iterations: Int[Tensor, "batch"]

    @property
    def volume(self) -> Float[Tensor, "batch"]:
        """The geometric mean of the budgets, comparable with ε0 and with a uniform radius."""
        return self.log_volume.exp()


def largest_certified_volume(
    classifier: nn.Module | Graph,
    x: Float[Tensor, "batch c h w"],
    labels: Int[Tensor, "batch"],
    *,
    method: str = "ibp",
    warm_start: Float[Tensor, "batch c h w"] | None = None,
    limit: float = 1.0,
    iterations: int = ITERATIONS,
    enough: float = 1.0,
    progress: Progress | None = None,
) -> CertifiedVolume:
    """Maximise Σ log ε over budgets 0 < ε ≤ `limit` such that all margins f_label − f_other are certified above 0 in x ± ε, cut to [0, 1].

    An augmented Lagrangian with a multiplier for every margin. Between its updates the margins are linear in the ends of the box, so
    that every pixel is solved for exactly; the way goes on in logs, from the largest certified uniform box, or from `warm_start` where
    that shrinks to a larger one. What is returned is certified by `method`, one of METHODS, and never smaller than either start. An
    example ends early where it gains no more, or where its certified volume, a geometric mean as ε0, is `enough`. No example depends on the others of its batch.
    A local optimum: the problem is not convex. Raises InvalidInput, UnknownName, UnsupportedOperation or Cancelled."""
    problem = _problem(classifier, x, labels, method, warm_start, limit, iterations, enough)
    progress = progress or Silent()
    with torch.no_grad():
        correct = problem.certified(torch.zeros_like(x))
        best = as_column(_uniform(problem, limit, progress), x).expand_as(x).contiguous()
        if warm_start is not None:
            best = _larger(best, _stretched(problem, warm_start.to(x).clamp(max=limit), best, limit))
    certified, taken = best.flatten(1).amin(1) > 0, torch.zeros(len(x), dtype=torch.int64, device=x.device)
    active = certified & (_log_volume(best) < math.log(enough))
    if active.any():
        found = _ascend(problem.chosen(active), best[active], limit, iterations, enough, progress)
        best, taken = best.clone(), taken.clone()
        best[active], taken[active] = found
    return CertifiedVolume(best, torch.where(certified, _log_volume(best), -math.inf), certified, correct, taken)


def largest_certified_radius(
    classifier: nn.Module | Graph,
    x: Float[Tensor, "batch c h w"],
    labels: Int[Tensor, "batch"],
    *,
    method: str = "ibp",
    limit: float = 1.0,
    progress: Progress | None = None,
) -> Float[Tensor, "batch"]:
    """For each example the largest radius up to `limit` that bisection finds certified for x ± radius, cut to [0, 1]; 0 where 1e-4 is
    not. Errors as `largest_certified_volume`."""
    problem = _problem(classifier, x, labels, method, limit=limit)
    with torch.no_grad():
        return _uniform(problem, limit, progress or Silent())


def _ascend(problem: Margins, start: Tensor, limit: float, iterations: int, enough: float, progress: Progress) -> tuple[Tensor, Tensor]:
    """The best certified budgets, and the iterations that each example took."""
    count = len(start)
    multipliers, budgets, best = first_multipliers(problem, start), start, start.clone()
    promising, promised = start.clone(), torch.full_like(_log_volume(start), -math.inf)
    since, taken = torch.zeros(count, dtype=torch.int64, device=start.device), torch.zeros(count, dtype=torch.int64, device=start.device)
    open_ = torch.arange(count, device=start.device)
    for step in range(iterations):
        stop_if_cancelled(progress)
        part = Margins(problem.graph, problem.x[open_], problem.rows[open_], problem.method)
        slopes = slopes_after_update(part, budgets, multipliers)
        smallest, volume = slopes.margins.amin(1), _log_volume(budgets)
        certain = (smallest > 0) & (volume > _log_volume(best[open_]))
        best[open_[certain]] = budgets[certain]
        loss = slopes.scaled(budgets, part.x) / slopes.multipliers.sum(1).clamp(min=1e-12)
        promise = volume + (smallest / loss.clamp(min=1e-9)).clamp(max=0).double()  # of the box shrunk until it is certified
        better = promise > promised[open_]
        gained = promise > promised[open_] + GAIN
        promising[open_[better]], promised[open_[better]] = budgets[better], promise[better]
        since[open_], taken[open_] = torch.where(gained, 0, since[open_] + 1), step + 1
        budgets, multipliers = ascended(budgets, part.x, slopes, limit, step), slopes.multipliers
        going = (since[open_] < PATIENCE) & (_log_volume(best[open_]) < math.log(enough))
        open_, budgets, multipliers = open_[going], budgets[going], multipliers[going]
        progress.advance(step + 1, iterations)
        if not len(open_):
            break
    with torch.no_grad():
        return _larger(best, _stretched(problem, promising, best, limit)), taken


def _stretched(problem: Margins, budgets: Tensor, best: Tensor, limit: float) -> Tensor:
    """Budgets shrunk or stretched to the largest certified multiple that bisection finds; `best` where none of larger volume is."""
    low = torch.full_like(_log_volume(budgets), -SLACK)
    high = (_log_volume(budgets) - _log_volume(best)).clamp(max=20) + SLACK
    found, middle = best, torch.zeros_like(low)
    for _ in range(HALVINGS):
        tried = shrunk(budgets, middle.to(budgets), limit)
        certified = problem.certified(tried)
        found = _larger(found, torch.where(as_column(certified, tried), tried, 0.0))
        low, high = torch.where(certified, low, middle), torch.where(certified, middle, high)
        middle = (low + high) / 2
    return found


def _uniform(problem: Margins, limit: float, progress: Progress) -> Float[Tensor, "batch"]:
    """The largest certified radius, by bisection of its logarithm."""
    x = problem.x

    def certified(radius: Tensor) -> Tensor:
        stop_if_cancelled(progress)
        return problem.certified(as_column(radius, x).expand_as(x))

    smallest, largest = (x.new_full((len(x),), value) for value in (min(SMALLEST, limit), limit))
    any_, all_ = certified(smallest), certified(largest)
    low, high = torch.where(all_, largest, smallest), largest
    for _ in range(HALVINGS):
        middle = (low * high).sqrt()
        good = certified(middle) & any_
        low, high = torch.where(good, middle, low), torch.where(good, high, middle)
    return torch.where(any_ | all_, low, 0.0)


def _larger(one: Tensor, other: Tensor) -> Tensor:
    """Example by example the budgets of larger volume."""
    return torch.where(as_column(_log_volume(other) > _log_volume(one), one), other, one)


def _log_volume(budgets: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch"]:
    return budgets.double().log().flatten(1).mean(1)


def _problem(classifier, x, labels, method, warm_start=None, limit=1.0, iterations=1, enough=1.0) -> Margins:
    """What is to be certified. Raises InvalidInput with all that is wrong."""
    check_images(x)
    look_up(METHODS, method, "method of bounds")
    graph = classifier if isinstance(classifier, Graph) else trace(classifier, x)
    classes, problems = graph.nodes[graph.output].shape[0], []
    if labels.shape != (len(x),) or not ((labels >= 0) & (labels < classes)).all():
        problems.append(f"labels: expected one below {classes} for each of {len(x)} images")
    if not 0 < enough <= 1:
        problems.append(f"enough = {enough}: expected a volume above 0 and at most 1")
    if not 0 < limit <= 1:
        problems.append(f"limit = {limit}: expected a number above 0 and at most 1, in units of pixel intensity")
    if iterations < 1:
        problems.append(f"iterations = {iterations}: expected at least 1")
    if warm_start is not None and (warm_start.shape != x.shape or not ((warm_start > 0) & warm_start.isfinite()).all()):
        problems.append(f"warm_start: expected finite budgets above 0 of the images' shape {tuple(x.shape)}, got {tuple(warm_start.shape)}")
    if problems:
        raise ConfigurationError(problems)
    return Margins(graph, x.detach(), margin_rows(labels, classes).to(x), method)
