"""Robustness volumes: budgets of pixels in logs, brought to a range and to a volume (Budgets, §3.1 and §3.3).

The volume ε0 of budgets ε₁ … εₙ is their geometric mean: Σ log εᵢ = n·log ε0 (eq. 4)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.errors import InvalidInput

SLACK = 1e-5  # in logs: what rounding may put outside a range


def volume_problems(volume: float, alpha: float, alpha_bar: float) -> list[str]:
    """Everything that keeps budgets in [α·ε0, min(ᾱ·ε0, 1)] from having the volume ε0."""
    found = []
    if not 0 < volume <= 1:
        found.append(f"volume = {volume}: expected a number above 0 and at most 1, where a budget covers all values of a pixel")
    if not 0 < alpha <= 1:
        found.append(f"alpha = {alpha}: expected a number above 0 and at most 1, or no budgets in its range have the volume")
    if not 1 <= alpha_bar < math.inf:
        found.append(f"alpha_bar = {alpha_bar}: expected a number of at least 1, or no budgets in its range have the volume")
    return found


def budget_range(volume: float, alpha: float, alpha_bar: float) -> tuple[float, float]:
    """log l and log u of the range of each pixel's budget, l = α·ε0 and u = min(ᾱ·ε0, 1) (eq. 5). Raises InvalidInput with all that is
    wrong where ε0 does not lie in it."""
    if found := volume_problems(volume, alpha, alpha_bar):
        raise InvalidInput("; ".join(found))
    return math.log(alpha * volume), math.log(min(alpha_bar * volume, 1.0))


def log_volume(budgets: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch"]:
    """log ε0 of each example's budgets: the mean over its pixels of log ε. Raises InvalidInput for budgets that are not above 0."""
    check_budgets(budgets)
    return budgets.log().flatten(1).mean(1, dtype=torch.float64).to(budgets.dtype)


def check_budgets(budgets: Tensor) -> None:
    """Raises InvalidInput unless all budgets are finite and above 0: one of 0 makes the volume 0 however large the others are."""
    good = budgets.isfinite() & (budgets > 0)
    if not good.all():
        raise InvalidInput(f"budgets must be finite and above 0, got {budgets[~good][0].item()} for {int((~good).sum())} of {budgets.numel()} pixels.")


def refine_volume(
    log_budgets: Float[Tensor, "batch ..."], volume: float, log_lower: float, log_upper: float
) -> Float[Tensor, "batch ..."]:
    """Budgets of the volume ε0 from any in [l, u], all in logs; they stay in [l, u] (§3.3).

    What is missing is shared out in proportion to each pixel's distance from log u, what is too much in proportion to its distance from
    log l. With distances dᵢ = log u − log ε̃ᵢ, D = Σ dᵢ and D* = n·(log u − log ε0) the first is log u − dᵢ·D*/D; the second is its mirror
    image. Raises InvalidInput for budgets outside the range, and for a volume that it does not hold."""
    if not (volume > 0 and log_lower - SLACK <= math.log(volume) <= log_upper + SLACK):
        raise InvalidInput(f"no budgets from {math.exp(log_lower):.6g} to {math.exp(log_upper):.6g} have the volume {volume}: it must lie between them.")
    if not ((log_budgets >= log_lower - SLACK) & (log_budgets <= log_upper + SLACK)).all():
        if log_budgets.isnan().any():
            raise InvalidInput("the budgets hold NaN: they came from negative numbers, or from a generator that diverged.")
        low, high = (float(each) for each in torch.aminmax(log_budgets))
        raise InvalidInput(
            f"budgets must lie between {math.exp(log_lower):.6g} and {math.exp(log_upper):.6g}, their logs between {log_lower:.4f} and {log_upper:.4f}; "
            f"got logs from {low:.4f} to {high:.4f}. Cut budgets to their range first."
        )
    count, target = log_budgets[0].numel(), math.log(volume)
    room_above, room_below = count * max(log_upper - target, 0.0), count * max(target - log_lower, 0.0)
    missing = (log_upper - log_budgets).flatten(1).sum(1, dtype=torch.float64)
    excess = (log_budgets - log_lower).flatten(1).sum(1, dtype=torch.float64)
    grow, shrink = missing > room_above, excess > room_below
    up, down = (_share(room, sum_, used).to(log_budgets.dtype) for room, sum_, used in ((room_above, missing, grow), (room_below, excess, shrink)))
    columns = [each.view(-1, *[1] * (log_budgets.ndim - 1)) for each in (up, down, grow)]
    refined = torch.where(columns[2], log_upper - (log_upper - log_budgets) * columns[0], log_lower + (log_budgets - log_lower) * columns[1])
    return refined.clamp(log_lower, log_upper)


def _share(room: float, distance: Float[Tensor, "batch"], used: Tensor) -> Float[Tensor, "batch"]:
    """room / distance where it is used, else 1: a distance of 0 there would send NaN back through a branch that nobody takes."""
    return torch.where(used, room / torch.where(used, distance, 1.0), 1.0)
