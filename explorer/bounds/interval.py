"""What bounds start from and what they return: boxes and balls of inputs."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.errors import InvalidInput
from explorer.sets import Region
from explorer.sets.regions import Box, Clipped, L1Ball, L2Ball, as_column


@dataclass(frozen=True, eq=False)
class Interval:
    """lower ≤ value ≤ upper, element by element of a batch; `check` says what is wrong with one that comes from outside."""

    lower: Tensor
    upper: Tensor

    @staticmethod
    def around(center: Float[Tensor, "batch ..."], radius: float | Tensor, low: float = -math.inf, high: float = math.inf) -> "Interval":
        """center ± radius, cut to [low, high]. The radius is one number, one for each example, or one for each element."""
        if isinstance(radius, Tensor) and radius.shape == center.shape[:1] and center.ndim > 1:
            radius = as_column(radius, center)
        lower, upper = center - radius, center + radius
        return Interval(lower, upper) if math.isinf(low) and math.isinf(high) else Interval(lower.clamp(low, high), upper.clamp(low, high))

    @property
    def point(self) -> Float[Tensor, "batch ..."]:
        """One of it that costs no arithmetic."""
        return self.lower

    @property
    def center(self) -> Float[Tensor, "batch ..."]:
        return (self.lower + self.upper) / 2

    @property
    def radius(self) -> Float[Tensor, "batch ..."]:
        return (self.upper - self.lower) / 2

    @property
    def width(self) -> Float[Tensor, "batch ..."]:
        return self.upper - self.lower

    def __and__(self, other: "Interval") -> "Interval":
        """Where both say that the value is. Two bounds that rounding has put past each other meet in the middle."""
        lower, upper = torch.maximum(self.lower, other.lower), torch.minimum(self.upper, other.upper)
        crossed = lower > upper
        middle = (lower + upper) / 2
        return Interval(torch.where(crossed, middle, lower), torch.where(crossed, middle, upper))

    def holds(self, value: Float[Tensor, "batch ..."], slack: float | Tensor = 0.0) -> Tensor:
        """Whether each element lies inside."""
        return (value >= self.lower - slack) & (value <= self.upper + slack)

    def check(self) -> "Interval":
        """Itself. Raises InvalidInput for shapes, types or numbers that bound nothing."""
        for name, side in (("lower", self.lower), ("upper", self.upper)):
            if not isinstance(side, Tensor) or not side.is_floating_point() or side.ndim < 2:
                raise InvalidInput(f"{name} must be a floating-point tensor of a batch of examples, got {_described(side)}.")
        if self.lower.shape != self.upper.shape or self.lower.dtype != self.upper.dtype or self.lower.device != self.upper.device:
            raise InvalidInput(f"lower and upper must agree in shape, type and device, got {_described(self.lower)} and {_described(self.upper)}.")
        narrowest, widest = torch.aminmax(self.width) if self.lower.numel() else (0.0, 0.0)
        if narrowest >= 0 and widest < math.inf:  # never with a NaN or an infinity in either
            return self
        if not (self.lower.isfinite().all() and self.upper.isfinite().all()):
            raise InvalidInput("an interval must be finite: lower or upper holds NaN or infinity. Check the radius.")
        if wrong := int((self.lower > self.upper).sum()):
            raise InvalidInput(f"lower must be at most upper; it is larger in {wrong} of {self.lower.numel()} elements. Check that the radius is at least 0.")
        return self


@dataclass(frozen=True, eq=False)
class Ball:
    """‖value − center‖₂ ≤ radius, over all elements of an example; one radius for each example of the batch."""

    center: Tensor
    radius: Tensor

    @property
    def point(self) -> Float[Tensor, "batch ..."]:
        """One of it that costs no arithmetic."""
        return self.center

    @property
    def box(self) -> Interval:
        """The smallest interval around it."""
        return Interval.around(self.center, self.radius)

    def check(self) -> "Ball":
        """Itself. Raises InvalidInput for shapes, types or numbers that bound nothing."""
        if not isinstance(self.center, Tensor) or not self.center.is_floating_point() or self.center.ndim < 2:
            raise InvalidInput(f"center must be a floating-point tensor of a batch of examples, got {_described(self.center)}.")
        if not isinstance(self.radius, Tensor) or self.radius.shape != self.center.shape[:1]:
            raise InvalidInput(f"radius must be a tensor of {len(self.center)} radii, one for each example, got {_described(self.radius)}.")
        if not (self.center.isfinite().all() and self.radius.isfinite().all() and (self.radius >= 0).all()):
            raise InvalidInput("a ball needs a finite center and finite radii of at least 0.")
        return self


def enclosing(x: Float[Tensor, "batch ..."], region: Region) -> Interval | Ball:
    """The smallest of our sets that holds x + δ for every δ of a region of pixels. Of a clipped ball it is the ball: larger, but sound."""
    if isinstance(region, Box):
        return Interval(x - region.half_widths, x + region.half_widths)
    if isinstance(region, L2Ball | L1Ball):
        return Ball(x, region.radius)  # ‖δ‖₂ ≤ ‖δ‖₁
    if isinstance(region, Clipped):
        whole = enclosing(x, region.region)
        if isinstance(whole, Ball):
            return whole
        return Interval(torch.maximum(whole.lower, x + region.lower), torch.minimum(whole.upper, x + region.upper))
    raise InvalidInput(f"a region of type {type(region).__name__} has no enclosing box or ball. Expected Box, L2Ball, L1Ball or Clipped.")


def _described(value) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
