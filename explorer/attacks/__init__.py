"""Searches of a perturbation set for the point where an objective is largest or smallest."""

from .auto_pgd import auto_pgd, difference_of_logits_ratio
from .objectives import cross_entropy, elbo, margin, squared_distance
from .projected_gradient import STEPS, AttackResult, pgd

__all__ = ["STEPS", "AttackResult", "auto_pgd", "cross_entropy", "difference_of_logits_ratio", "elbo", "margin", "pgd", "squared_distance"]
