"""The one idea: a region of parameters δ, and a map from δ to inputs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor, nn

from explorer.randomness import Streams

Law = Literal["uniform", "normal", "uniform-norm"]


@runtime_checkable
class Region(Protocol):
    """The feasible parameters of one batch, centred on zero; `shape` is that of one example's δ."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def gauge(self, delta: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch"]:
        """At most 1 exactly when feasible. At radius 0 it is 0 at δ = 0 and infinite elsewhere."""
        ...

    def project(self, delta: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        """The nearest feasible point, per example; for a region clipped to pixels a feasible one."""
        ...

    def sample(self, streams: Streams, law: Law = "uniform") -> Float[Tensor, "batch ..."]:
        """A feasible point for each example: uniform, a standard normal truncated to the region, or a uniform gauge."""
        ...

    def ascent_direction(self, gradient: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        """The maximiser of <gradient, ·> over the region; for a region clipped to pixels, over the region before the cut."""
        ...

    def scaled(self, shares: Float[Tensor, "batch"]) -> "Region":
        """The region with another share of its radius for each example, at least 0."""
        ...


@dataclass(frozen=True)
class Perturbations:
    """S(x) for one batch. `perturb` maps δ to inputs in [0, 1]; it is a chain of modules."""

    region: Region
    perturb: Callable[[Tensor], Tensor]

    def of_rows(self, rows: Int[Tensor, "pairs"]) -> Callable[[Tensor], Tensor]:
        """The map for any examples of the batch, in any order and number: row i of its δ belongs to example rows[i]."""
        return _of_rows(self.perturb, rows)


def _of_rows(perturb: Callable[[Tensor], Tensor], rows: Tensor) -> Callable[[Tensor], Tensor]:
    return nn.Sequential(*(_of_rows(each, rows) for each in perturb)) if isinstance(perturb, nn.Sequential) else perturb.of_rows(rows)


@runtime_checkable
class PerturbationSet(Protocol):
    def at(self, x: Float[Tensor, "batch channels height width"], labels: Tensor | None = None) -> Perturbations:
        """S(x): encoders, priors and generators run here, once per batch."""
        ...
