"""Training: losses, schedules, and one loop that can be killed and resumed."""

from .augmentation import mirrored_and_shifted
from .augmix import AugMix
from .bars import Bar
from .consistency import augmixed, changed, from_epoch, in_turn, jensen_shannon, joined_by_attack, trades
from .deepaugment import DeepAugment
from .defences import Inputs, Mixing, attacked, beginning_with, clean, cross_entropy_of, evaluating, noisy, own_streams, paired, sampled
from .loop import Epoch, Prepare, Samples, fit
from .losses import Loss, Rows, State, certified_cross_entropy, class_cvae_loss, cvae_loss, half_widths, standard_normal
from .schedules import Cosine, PiecewiseLinear, Smoothed, linearly_scaled
from .state import TrainingState
from .weight_ascent import WeightAscent

__all__ = [
    "AugMix", "Bar", "Cosine", "DeepAugment", "Epoch", "Inputs", "Loss", "Mixing", "PiecewiseLinear", "Prepare", "Rows", "Samples", "Smoothed", "State", "TrainingState",
    "WeightAscent", "attacked", "augmixed", "beginning_with", "certified_cross_entropy", "changed", "class_cvae_loss", "clean", "cross_entropy_of",
    "cvae_loss", "evaluating", "fit", "from_epoch", "half_widths", "in_turn", "jensen_shannon", "joined_by_attack", "linearly_scaled", "mirrored_and_shifted", "noisy",
    "own_streams", "paired", "sampled", "standard_normal", "trades",
]  # fmt: skip
