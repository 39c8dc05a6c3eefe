"""Training: losses, schedules, and one loop that can be killed and resumed."""

from .augmentation import mirrored_and_shifted
from .bars import Bar
from .loop import Epoch, Samples, fit
from .losses import Loss, State, certified_cross_entropy, cvae_loss, half_widths
from .schedules import PiecewiseLinear, Smoothed
from .state import TrainingState

__all__ = [
    "Bar", "Epoch", "Loss", "PiecewiseLinear", "Samples", "Smoothed", "State", "TrainingState", "certified_cross_entropy", "cvae_loss", "fit",
    "half_widths", "mirrored_and_shifted",
]  # fmt: skip
