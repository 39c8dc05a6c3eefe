"""Values that change during training."""

from dataclasses import dataclass

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
