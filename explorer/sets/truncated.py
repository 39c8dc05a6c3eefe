"""Points drawn from the balls of three norms, exactly: uniform, normal truncated to the ball, uniform norm.

All of it in float64 on the CPU, with one random stream per example.
"""

import math
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.randomness import Streams
from explorer.registry import look_up

NUMBERS_AT_ONCE = 2**18


def sample_ball(
    norm: int | float, extent: Float[Tensor, "batch _"], dimension: int, streams: Streams, law: str
) -> Float[Tensor, "batch dimension"]:
    """One point for each example of extent · (unit ball of the norm); for norm ∞ each coordinate may have its own extent.

    "normal" is the standard normal truncated to the ball; "uniform-norm" has a norm, relative to the extent, uniform in (0, 1),
    and the direction of a uniform point. Raises UnknownName for another law."""
    laws = {"uniform": partial(_uniform, norm=norm), "normal": NORMAL[norm], "uniform-norm": partial(_uniform_norm, norm=norm)}
    return look_up(laws, law, "sampling law")(streams, extent, dimension)


def truncated_chi(quantile: Float[Tensor, "batch"], dimension: int, radius: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """The quantiles of ‖z‖₂ for a standard normal z of that dimension, given ‖z‖₂ ≤ radius.

    Inverts log γ(a, x) = a·log x − x + log S, S = Σₙ xⁿ/(a(a+1)…(a+n)), a = dimension/2, x = s²/2 (DLMF 8.7.1): no term
    underflows, however improbable the ball is. As a function of log x it is concave with slope 1/S, so Newton's method ascends to
    the root after at most one step too far to the left."""
    shape = dimension / 2
    reach = radius.clamp(max=math.sqrt(dimension) + 10)  # beyond it lies a mass below exp(-50)
    end = (reach.square() / 2).clamp(min=1e-300).log()
    largest = float(end.max().exp()) if len(end) else 0.0
    terms = int(max(largest - shape, 0) + 9 * math.sqrt(largest)) + 60  # the remainder is below exp(-40)
    powers = torch.arange(terms, dtype=torch.float64)
    coefficients = -(shape + powers).log().cumsum(0)

    def log_sum(place):
        return torch.logsumexp(powers * place[:, None] + coefficients, 1)

    target = quantile.log() + shape * end - end.exp() + log_sum(end)
    place = end.clamp(max=math.log(shape))
    for _ in range(60):
        total = log_sum(place)
        step = (target - (shape * place - place.exp() + total)) * total.exp()
        place = torch.minimum(place + step, end)
        if not (step.abs() > 1e-12).any():
            break
    return (2 * place.exp()).sqrt().minimum(reach)


def _open_uniform(streams, shape):
    """Uniform in the middles of 2²⁴ cells: never 0, never 1, symmetric about ½."""
    return streams.uniform(shape).double() + 2.0**-25


def _unit_cube(streams, dimension):
    return 2 * _open_uniform(streams, (dimension,)) - 1


def _unit_l2_ball(streams, dimension):
    direction = streams.normal((dimension,)).double()
    length = _open_uniform(streams, (1,)) ** (1 / dimension)
    return direction / direction.norm(dim=1, keepdim=True) * length


def _unit_l1_ball(streams, dimension):
    """Laplace variables over the sum of their sizes and one more exponential (Barthe et al., 2005)."""
    signed = _unit_cube(streams, dimension)
    sizes = -signed.abs().log()
    return signed.sign() * sizes / (sizes.sum(1, keepdim=True) - _open_uniform(streams, (1,)).log())


UNIT_BALLS = {1: _unit_l1_ball, 2: _unit_l2_ball, math.inf: _unit_cube}


def _uniform(streams, extent, dimension, norm):
    return extent * UNIT_BALLS[norm](streams, dimension)


def _uniform_norm(streams, extent, dimension, norm):
    point = UNIT_BALLS[norm](streams, dimension)
    return extent * point / torch.linalg.vector_norm(point, norm, dim=1, keepdim=True) * _open_uniform(streams, (1,))


def _normal_in_box(streams, extent, dimension):
    mass = torch.erf(extent / math.sqrt(2))
    return math.sqrt(2) * torch.erfinv(_unit_cube(streams, dimension) * mass)


def _normal_in_l2_ball(streams, extent, dimension):
    direction = streams.normal((dimension,)).double()
    length = truncated_chi(_open_uniform(streams, (1,))[:, 0], dimension, extent[:, 0])
    return direction / direction.norm(dim=1, keepdim=True) * length[:, None]


def _normal_in_l1_ball(streams, extent, dimension):
    """Rejection from independent coordinates with density ∝ exp(−z²/2 − λ|z|), λ such that their ℓ1 norm S is about the
    radius r on average, accepted with probability exp(λ(S − r)) where S ≤ r: about one in 2.5·√dimension."""
    radius = extent[:, 0]
    tilts = _tilts(radius / dimension)
    points = [_accepted(*each, dimension) for each in zip(streams.generators, tilts.tolist(), radius.tolist())]
    return torch.stack(points) if points else extent.new_empty(0, dimension)


NORMAL = {1: _normal_in_l1_ball, 2: _normal_in_l2_ball, math.inf: _normal_in_box}


def _accepted(generator, tilt, radius, dimension):
    if radius == 0:
        return torch.zeros(dimension, dtype=torch.float64)
    attempts = max(1, min(8 + math.isqrt(dimension), NUMBERS_AT_ONCE // dimension)) if tilt > 0 else 1
    while True:
        signed = 2 * (torch.rand(attempts, dimension, generator=generator).double() + 2.0**-25) - 1
        sizes = _tilted_half_normal(-signed.abs().log(), tilt)
        excess = sizes.sum(1) - radius
        chance = torch.rand(attempts, generator=generator).double()
        accepted = (excess <= 0) & (chance < (tilt * excess).exp())
        if accepted.any():
            first = int(accepted.int().argmax())
            return signed[first].sign() * sizes[first]


def _hazard(x):
    """Density over upper tail of the standard normal."""
    return math.sqrt(2 / math.pi) / torch.special.erfcx(x / math.sqrt(2))


def _tilted_half_normal(exponential, tilt):
    """The size z with cumulative hazard z²/2 + λz − log(erfcx((z+λ)/√2)/erfcx(λ/√2)) equal to an exponential variable.

    That is a convex function of z: Newton's method from the right of its root descends to it."""
    start = torch.tensor(tilt, dtype=torch.float64)
    base = _hazard(start)
    size = exponential / base
    for _ in range(50):
        hazard = _hazard(size + start)
        step = (size * (size / 2 + start) + (hazard / base).log() - exponential) / hazard
        size = (size - step).clamp(min=0)
        if not (step.abs() > 1e-9 * (size + 1 / base)).any():
            break
    return size


def _tilts(mean):
    """λ with mean size hazard(λ) − λ equal to `mean`, 0 where the untilted mean √(2/π) already is below it."""
    low, high = torch.zeros_like(mean), 1 / mean  # hazard(λ) − λ < 1/λ
    for _ in range(60):
        middle = (low + high) / 2
        above = _hazard(middle) - middle > mean
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    tilt = torch.where(mean < 1e-4, 1 / mean, high)  # there the difference loses its digits, and 1/λ has eight
    return torch.where(mean < math.sqrt(2 / math.pi), tilt, 0.0)
