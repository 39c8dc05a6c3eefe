"""Pure functions on tensors that measure how far apart two batches are."""

from .reconstruction import binary_cross_entropy, squared_error

__all__ = ["binary_cross_entropy", "squared_error"]
