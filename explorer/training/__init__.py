"""Training: losses, schedules, and one loop that can be killed and resumed."""

from .bars import Bar
from .loop import Epoch, Samples, fit
from .losses import Loss, State, certified_cross_entropy, cvae_loss
from .schedules import PiecewiseLinear
from .state import TrainingState

__all__ = ["Bar", "Epoch", "Loss", "PiecewiseLinear", "Samples", "State", "TrainingState", "certified_cross_entropy", "cvae_loss", "fit"]
