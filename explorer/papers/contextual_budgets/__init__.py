"""Learning contextual perturbation budgets for training robust neural networks, ICLR 2021 submission: classifiers trained on a certified
bound of their cross-entropy, together with a generator of each pixel's budget, or with one budget for all."""

from .config import KIND, BudgetsConfig, problems
from .experiments import EXPERIMENTS
from .tables import CONTEXTUAL_BUDGETS
from .training import schedules, steps, train, trained_boxes

__all__ = ["CONTEXTUAL_BUDGETS", "EXPERIMENTS", "KIND", "BudgetsConfig", "problems", "schedules", "steps", "train", "trained_boxes"]
