"""The five papers: what they train, with their own settings."""

from .base import Experiment
from .learned_sets import EXPERIMENTS as LEARNED_SETS

__all__ = ["EXPERIMENTS", "Experiment"]

EXPERIMENTS: dict[str, Experiment] = {**LEARNED_SETS}
