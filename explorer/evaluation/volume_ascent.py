"""One step towards the largest certified volume: the separable problem between the multipliers' updates of an augmented Lagrangian."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from explorer.bounds import Graph, Interval, bounds
from explorer.sets.regions import as_column

AVERAGED = 2.0  # step t goes 1/(1 + t/AVERAGED) of the way to its target, in logs
STRIDE = 2.0  # at most so far in log ε
FACTOR = 1.5  # by which the sum of the multipliers changes at most


@dataclass(frozen=True, eq=False)
class Margins:
    """What is to be certified about one batch: all rows of C·f above 0 in the box x ± ε, cut to [0, 1]."""

    graph: Graph
    x: Float[Tensor, "batch c h w"]
    rows: Float[Tensor, "batch others classes"]
    method: str

    def at(self, budgets: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch others"]:
        """Certified lower bounds of the margins."""
        with torch.no_grad():
            return bounds(self.graph, Interval.around(self.x, budgets, 0.0, 1.0), self.method, self.rows, ends="lower").lower

    def certified(self, budgets: Float[Tensor, "batch c h w"]) -> Bool[Tensor, "batch"]:
        return (self.at(budgets) > 0).all(1)

    def chosen(self, mask: Bool[Tensor, "batch"]) -> "Margins":
        return Margins(self.graph, self.x[mask], self.rows[mask], self.method)


@dataclass(frozen=True, eq=False)
class Slopes:
    """Margins, the multipliers at them, and how much the multiplied margins lose when an end of the box moves outwards."""

    margins: Float[Tensor, "batch others"]
    multipliers: Float[Tensor, "batch others"]
    below: Float[Tensor, "batch c h w"]
    above: Float[Tensor, "batch c h w"]

    def scaled(self, budgets: Float[Tensor, "batch c h w"], x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch"]:
        """What the multiplied margins lose when all of log ε grows by 1; ends that the cut to [0, 1] holds do not move."""
        moving = self.below * (budgets < x) + self.above * (budgets < 1 - x)
        return (moving * budgets).flatten(1).sum(1)


def first_multipliers(problem: Margins, budgets: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch others"]:
    """All on the smallest margin, as large as the optimum of a linear one wants: Σ ε·slope = n."""
    found = _slopes(problem, budgets, lambda margins: F.one_hot(margins.argmin(1), margins.shape[1]).to(margins))
    return found.multipliers * (problem.x[0].numel() / found.scaled(budgets, problem.x).clamp(min=1e-6)).unsqueeze(1)


def slopes_after_update(problem: Margins, budgets: Float[Tensor, "batch c h w"], multipliers: Float[Tensor, "batch others"]) -> Slopes:
    """The multipliers max(0, λ − ρ·margin) of the augmented Lagrangian (Liu et al., 2019, §3.3), with the penalty ρ = (Σλ)²/n: for one
    linear margin, whose best budgets lose n/λ, it makes the update Newton's."""
    total = multipliers.sum(1, keepdim=True)

    def updated(margins: Tensor) -> Tensor:
        wanted = (multipliers - total.square() / problem.x[0].numel() * margins).clamp(min=0)
        reached = wanted.sum(1, keepdim=True)
        kept = wanted * (reached.clamp(total / FACTOR, total * FACTOR) / reached.clamp(min=torch.finfo(total.dtype).tiny))
        return torch.where(reached > 0, kept, multipliers / FACTOR)

    return _slopes(problem, budgets, updated)


def ascended(budgets: Float[Tensor, "batch c h w"], x: Float[Tensor, "batch c h w"], slopes: Slopes, limit: float, step: int) -> Float[Tensor, "batch c h w"]:
    """Budgets nearer to the best ones of the margins' linear model: a running average in logs, which settles where single steps jump."""
    way = (separable_optimum(x, slopes.below, slopes.above, limit).log() - budgets.log()).clamp(-STRIDE, STRIDE)
    return (budgets.log() + way / (1 + step / AVERAGED)).exp().clamp(max=limit)


def separable_optimum(x: Float[Tensor, "*shape"], below: Float[Tensor, "*shape"], above: Float[Tensor, "*shape"], limit: float) -> Float[Tensor, "*shape"]:
    """Element by element the ε ≤ limit of largest log ε − below·min(ε, x) − above·min(ε, 1 − x).

    The cut to [0, 1] makes it three pieces, with both ends of the box moving, then the farther one, then none."""
    near, far = torch.minimum(x, 1 - x).clamp(max=limit), torch.maximum(x, 1 - x).clamp(max=limit)
    farther = torch.where(x < 1 - x, above, below)
    candidates = torch.stack([torch.minimum(1 / (below + above), near), torch.minimum(torch.maximum(1 / farther, near), far), torch.full_like(x, limit)])
    worth = candidates.log() - below * torch.minimum(candidates, x) - above * torch.minimum(candidates, 1 - x)
    return candidates.gather(0, worth.argmax(0, keepdim=True)).squeeze(0)


def _slopes(problem: Margins, budgets: Tensor, weigh) -> Slopes:
    box = Interval.around(problem.x, budgets, 0.0, 1.0)
    lower, upper = box.lower.detach().requires_grad_(), box.upper.detach().requires_grad_()
    with torch.enable_grad():
        margins = bounds(problem.graph, Interval(lower, upper), problem.method, problem.rows, ends="lower").lower
        multipliers = weigh(margins.detach())
        inwards, outwards = torch.autograd.grad((margins * multipliers).sum(), (lower, upper))
    below, above = (each.nan_to_num(0.0, 0.0, 0.0).clamp(min=0) for each in (inwards, -outwards))
    return Slopes(margins.detach(), multipliers, below, above)


def shrunk(budgets: Float[Tensor, "batch c h w"], by: Float[Tensor, "batch"], limit: float) -> Float[Tensor, "batch c h w"]:
    """All of log ε less by so much, at most the limit."""
    return (budgets * as_column(torch.exp(-by), budgets)).clamp(max=limit)
