"""Values that change during training."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.errors import InvalidInput

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class PiecewiseLinear:
    """Linear between (epoch, value) points, constant outside. `stretched` fits a paper's schedule to another length."""

    points: Points

    def __post_init__(self):
        epochs = [epoch for epoch, _ in self.points]
        if not epochs or any(later <= earlier for earlier, later in zip(epochs, epochs[1:])):
            raise InvalidInput(f"a schedule needs points of increasing epochs, got {self.points}")

    def __call__(self, epoch: float) -> float:
        epochs, values = zip(*self.points)
        return float(np.interp(epoch, epochs, values))

    def stretched(self, epochs: float) -> "PiecewiseLinear":
        """The same shape with its last point at `epochs`."""
        last = self.points[-1][0]
        return PiecewiseLinear(tuple((epoch * epochs / last, value) for epoch, value in self.points)) if last else self


@dataclass(frozen=True)
class Smoothed:
    """From 0 at `start` to 1 at `end`: a power of the epoch for the share `middle` of the way, then a line of the same slope (Gowal et al.,
    2018; the middle and exponent of auto_LiRPA's SmoothedScheduler)."""

    start: float
    end: float
    middle: float = 0.25
    exponent: float = 4.0

    def __post_init__(self):
        if not (self.start < self.end and 0 < self.middle < 1 and self.exponent >= 2):
            raise InvalidInput(f"a smoothed schedule needs start < end, a middle between 0 and 1 and an exponent of at least 2, got {self}")

    def __call__(self, epoch: float) -> float:
        done = min(max((epoch - self.start) / (self.end - self.start), 0.0), 1.0)
        at_middle = self.middle / (self.middle + self.exponent * (1 - self.middle))  # the power reaches there what the line goes on from
        if done < self.middle:
            return at_middle * (done / self.middle) ** self.exponent
        return 1.0 - (1 - at_middle) * (1 - done) / (1 - self.middle)

    def stretched(self, factor: float) -> "Smoothed":
        """The same shape in `factor` times the epochs."""
        return Smoothed(self.start * factor, self.end * factor, self.middle, self.exponent)


@dataclass(frozen=True)
class Cosine:
    """From 0 along a line to `peak` in the first `warm_up` epochs, then along half a cosine to 0 at `epochs` (Loshchilov & Hutter, 2017,
    without restarts; the warm-up of Goyal et al., 2017, §2.2). Raises InvalidInput where the warm-up takes all epochs."""

    peak: float
    epochs: float
    warm_up: float = 0.0

    def __post_init__(self):
        if not (self.peak > 0 and 0 <= self.warm_up < self.epochs):
            raise InvalidInput(f"a cosine schedule needs a peak above 0 and a warm-up shorter than its epochs, got {self}")

    def __call__(self, epoch: float) -> float:
        if epoch < self.warm_up:
            return self.peak * epoch / self.warm_up
        done = min((epoch - self.warm_up) / (self.epochs - self.warm_up), 1.0)
        return self.peak * (1 + math.cos(math.pi * done)) / 2


def linearly_scaled(rate: float, batch_size: int, base: int = 256) -> float:
    """A learning rate for batches of another size, never below the one given (Goyal et al., 2017, §2.1, in the form of AdA, Appendix E.3)."""
    return max(rate * batch_size / base, rate)


def schedule_problems(config: Any, *names: str) -> list[str]:
    """What is wrong with those fields of a configuration, each the points of a schedule, in the user's words."""
    found = []
    for name, points in ((name, getattr(config, name)) for name in names):
        try:
            PiecewiseLinear(points)
        except InvalidInput as error:
            found.append(f"{name}: {error}")
        if any(epoch < 0 or value < 0 for epoch, value in points):
            found.append(f"{name} = {points}: expected epochs and values of at least 0")
    return found
