"""Pure functions on tensors: how far apart two batches are, and volumes of budgets."""

from .reconstruction import binary_cross_entropy, squared_error
from .volume import budget_range, check_budgets, log_volume, refine_volume, volume_problems

__all__ = ["binary_cross_entropy", "budget_range", "check_budgets", "log_volume", "refine_volume", "squared_error", "volume_problems"]
