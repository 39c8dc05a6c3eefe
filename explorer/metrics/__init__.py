"""Pure functions on tensors: how far apart two batches are, and volumes of budgets."""

from .reconstruction import binary_cross_entropy, squared_error
from .similarity_line_search import LineSearch, similarity_line_search
from .structural_similarity import ssim
from .volume import budget_range, check_budgets, log_volume, refine_volume, volume_problems

__all__ = [
    "LineSearch",
    "binary_cross_entropy",
    "budget_range",
    "check_budgets",
    "log_volume",
    "refine_volume",
    "similarity_line_search",
    "squared_error",
    "ssim",
    "volume_problems",
]
