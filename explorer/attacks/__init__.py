"""Searches of a perturbation set for the point where an objective is largest or smallest."""

from .objectives import cross_entropy, elbo, margin, squared_distance
from .projected_gradient import STEPS, AttackResult, pgd

__all__ = ["STEPS", "AttackResult", "cross_entropy", "elbo", "margin", "pgd", "squared_distance"]
