"""Perturbation sets: for each clean input a region of parameters, and a map from them to inputs."""

from .base import Law, Perturbations, PerturbationSet, Region
from .budget_box import BudgetBox, Budgeted, DrawnBudgets
from .latent_ball import LatentBall
from .lp_ball import LpBall
from .manifold_latent import ManifoldLatent
from .regions import Box, Clipped, L1Ball, L2Ball

__all__ = [
    "SETS", "Box", "BudgetBox", "Budgeted", "Clipped", "DrawnBudgets", "L1Ball", "L2Ball", "LatentBall", "Law", "LpBall", "ManifoldLatent", "PerturbationSet",
    "Perturbations", "Region",
]  # fmt: skip

SETS = {
    "budget_box": BudgetBox,
    "latent_ball": LatentBall,
    "lp_ball": LpBall,
    "manifold_latent": ManifoldLatent,
}
