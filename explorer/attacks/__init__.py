"""Searches of a perturbation set for the point where an objective is largest or smallest."""

from .objectives import cross_entropy, squared_distance
from .projected_gradient import STEPS, AttackResult, pgd

__all__ = ["STEPS", "AttackResult", "cross_entropy", "pgd", "squared_distance"]
