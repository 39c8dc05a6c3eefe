"""Training: losses, schedules, and one loop that can be killed and resumed."""

from .augmentation import mirrored_and_shifted
from .bars import Bar
from .defences import Inputs, Mixing, attacked, beginning_with, clean, cross_entropy_of, evaluating, paired, sampled
from .loop import Epoch, Samples, fit
from .losses import Loss, State, certified_cross_entropy, class_cvae_loss, cvae_loss, half_widths, standard_normal
from .schedules import PiecewiseLinear, Smoothed
from .state import TrainingState

__all__ = [
    "Bar", "Epoch", "Inputs", "Loss", "Mixing", "PiecewiseLinear", "Samples", "Smoothed", "State", "TrainingState", "attacked", "beginning_with",
    "certified_cross_entropy", "class_cvae_loss", "clean", "cross_entropy_of", "cvae_loss", "evaluating", "fit", "half_widths", "mirrored_and_shifted",
    "paired", "sampled", "standard_normal",
]  # fmt: skip
