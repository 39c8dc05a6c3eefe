"""Regions of one batch, centred on zero: the geometry of a search, without networks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.errors import InvalidInput
from explorer.randomness import Streams

from .base import Law, Region
from .checks import check_radii
from .truncated import sample_ball

INWARD = 8  # units in the last place: a projected point whose length is rounded up is then seldom outside


@dataclass(frozen=True, eq=False)
class Box:
    """|δᵢ| ≤ half_widthᵢ, another half-width for each element if wanted."""

    half_widths: Float[Tensor, "batch ..."]

    def __post_init__(self):
        check_radii(self.half_widths, "half-widths")

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.half_widths.shape[1:])

    def gauge(self, delta: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch"]:
        return ratio(delta.abs(), self.half_widths).flatten(1).amax(1)

    def project(self, delta: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        return delta.clamp(-self.half_widths, self.half_widths)

    def sample(self, streams: Streams, law: Law = "uniform") -> Float[Tensor, "batch ..."]:
        return _sample(self, math.inf, self.half_widths.flatten(1), self.shape, streams, law)

    def ascent_direction(self, gradient: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        return gradient.sign().mul_(self.half_widths)

    def scaled(self, shares: Float[Tensor, "batch"]) -> "Box":
        return Box(self.half_widths * as_column(shares, self.half_widths))


@dataclass(frozen=True, eq=False)
class L2Ball:
    """‖δ‖₂ ≤ radius, one radius for each example; `shape` is that of one example's δ."""

    radius: Float[Tensor, "batch"]
    shape: tuple[int, ...]

    def __post_init__(self):
        check_radii(self.radius)

    def gauge(self, delta: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch"]:
        return ratio(euclidean_norm(delta), self.radius)

    def project(self, delta: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        inward = 1 - INWARD * torch.finfo(delta.dtype).eps
        gauge = self.gauge(delta)
        outside = gauge > 1
        if not outside.any():
            return delta
        return _rounded_inward(self, delta * as_column(torch.where(outside, inward / gauge, 1), delta))

    def sample(self, streams: Streams, law: Law = "uniform") -> Float[Tensor, "batch ..."]:
        return _sample(self, 2, self.radius[:, None], self.shape, streams, law)

    def ascent_direction(self, gradient: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        norm = euclidean_norm(gradient)
        return gradient * as_column(torch.where(norm > 0, self.radius / norm, 0), gradient)

    def scaled(self, shares: Float[Tensor, "batch"]) -> "L2Ball":
        return L2Ball(self.radius * shares, self.shape)


@dataclass(frozen=True, eq=False)
class L1Ball:
    """‖δ‖₁ ≤ radius, one radius for each example; `shape` is that of one example's δ."""

    radius: Float[Tensor, "batch"]
    shape: tuple[int, ...]

    def __post_init__(self):
        check_radii(self.radius)

    def gauge(self, delta: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch"]:
        return ratio(delta.flatten(1).abs().sum(1), self.radius)

    def project(self, delta: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        """Soft thresholding at a level found by sorting (Duchi et al., 2008, Figure 1)."""
        sizes = delta.flatten(1).abs()
        sizes = sizes - sizes.amax(1, keepdim=True)  # the projection on a simplex does not see a common shift
        descending = sizes.sort(1, descending=True).values.double()
        counts = torch.arange(1, sizes.shape[1] + 1, device=delta.device)
        levels = (descending.cumsum(1) - self.radius.double()[:, None]) / counts
        kept = (descending > levels).sum(1, keepdim=True).clamp(min=1)
        nearest = (sizes - levels.gather(1, kept - 1)).clamp(min=0).to(delta.dtype).view_as(delta) * delta.sign()
        return _rounded_inward(self, torch.where(as_column(self.gauge(delta) > 1, delta), nearest, delta))

    def sample(self, streams: Streams, law: Law = "uniform") -> Float[Tensor, "batch ..."]:
        return _sample(self, 1, self.radius[:, None], self.shape, streams, law)

    def ascent_direction(self, gradient: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        flat = gradient.flatten(1)
        largest = flat.abs().argmax(1, keepdim=True)
        signs = torch.zeros_like(flat).scatter(1, largest, flat.gather(1, largest).sign())
        return as_column(self.radius, gradient) * signs.view_as(gradient)

    def scaled(self, shares: Float[Tensor, "batch"]) -> "L1Ball":
        return L1Ball(self.radius * shares, self.shape)


@dataclass(frozen=True, eq=False)
class Clipped:
    """A region cut by a box of pixels, lower ≤ δ ≤ upper, that holds 0.

    Clipping moves each coordinate towards 0, so it never leaves a region that is symmetric in each coordinate. The
    projection is feasible, but the nearest point only for a box; samples are those of the region, clipped."""

    region: Region
    lower: Float[Tensor, "batch ..."]
    upper: Float[Tensor, "batch ..."]

    def __post_init__(self):
        if not ((self.lower <= 0) & (self.upper >= 0)).all():
            raise InvalidInput("the bounds of a clipped region must hold 0, with lower ≤ 0 ≤ upper everywhere.")

    @property
    def shape(self) -> tuple[int, ...]:
        return self.region.shape

    def gauge(self, delta: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch"]:
        rounding = 2 * torch.finfo(delta.dtype).eps
        within = ((delta >= self.lower - rounding) & (delta <= self.upper + rounding)).flatten(1).all(1)
        return torch.where(within, self.region.gauge(delta), math.inf)

    def project(self, delta: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        return delta.clamp(*self._box) if isinstance(self.region, Box) else self.region.project(delta).clamp(self.lower, self.upper)

    @cached_property
    def _box(self) -> tuple[Float[Tensor, "batch ..."], Float[Tensor, "batch ..."]]:
        """The bounds of a box that is cut by the other: both hold 0, so that one clamp does what two would."""
        half_widths = self.region.half_widths
        return torch.maximum(-half_widths, self.lower), torch.minimum(half_widths, self.upper)

    def sample(self, streams: Streams, law: Law = "uniform") -> Float[Tensor, "batch ..."]:
        return self.region.sample(streams, law).clamp(self.lower, self.upper)

    def ascent_direction(self, gradient: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        """The region's before the cut: a search steps along it from any δ, which has other room left than the centre."""
        return self.region.ascent_direction(gradient)

    def scaled(self, shares: Float[Tensor, "batch"]) -> "Clipped":
        """The region is scaled, the box of pixels stays where it is."""
        return Clipped(self.region.scaled(shares), self.lower, self.upper)


def as_column(per_example: Tensor, like: Tensor) -> Tensor:
    """One value for each example, shaped to multiply a batch like that."""
    return per_example.view(-1, *[1] * (like.ndim - 1))


def euclidean_norm(delta: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch"]:
    """‖δ‖₂ per example, also where the squares of float32 overflow or vanish."""
    return euclidean_norms([delta.flatten(1)]).squeeze(1)


def euclidean_norms(parts: Sequence[Float[Tensor, "batch _"]]) -> Float[Tensor, "batch parts"]:
    """‖δᵢ‖₂ of each part, as `euclidean_norm`."""
    norms = torch.stack([torch.linalg.vector_norm(part, dim=1) for part in parts], 1)
    safe = (norms > 1e-15) & (norms < 1e15)
    if safe.all():
        return norms
    return torch.where(safe, norms, torch.stack([torch.linalg.vector_norm(part, dim=1, dtype=torch.float64) for part in parts], 1).to(norms.dtype))


def unit(gradient: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
    """The direction of length 1 of each example; 0 where the gradient is 0."""
    norm = euclidean_norm(gradient)
    return gradient * as_column(torch.where(norm > 0, 1 / norm, 0), gradient)


def ratio(size, limit):
    return torch.where(size == 0, 0.0, size / limit)


def _rounded_inward(region, delta):
    """Scale down by units in the last place, twice as many each time, until the gauge as computed is at most 1."""
    shrink = torch.finfo(delta.dtype).eps
    while (outside := region.gauge(delta) > 1).any():
        delta = delta * as_column(torch.where(outside, 1 - shrink, 1.0).to(delta.dtype), delta)
        shrink *= 2
    return delta


def _sample(region, norm, extent, shape, streams, law):
    if len(streams) != len(extent):
        raise InvalidInput(f"expected one random stream for each of {len(extent)} examples, got {len(streams)}.")
    point = sample_ball(norm, extent.detach().double().cpu(), math.prod(shape), streams, law)
    return region.project(point.to(extent).view(len(extent), *shape))
