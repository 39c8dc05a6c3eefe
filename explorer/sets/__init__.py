"""Perturbation sets: for each clean input a region of parameters, and a map from them to inputs."""

from .base import Law, Perturbations, PerturbationSet, Region
from .block_ball import BlockBall
from .budget_box import BudgetBox, Budgeted, DrawnBudgets
from .latent_ball import LatentBall
from .lp_ball import LpBall
from .manifold_latent import ManifoldLatent
from .regions import Box, Clipped, L1Ball, L2Ball
from .weight_ball import WeightBall

__all__ = [
    "SETS", "BlockBall", "Box", "BudgetBox", "Budgeted", "Clipped", "DrawnBudgets", "L1Ball", "L2Ball", "LatentBall", "Law", "LpBall", "ManifoldLatent", "PerturbationSet",
    "Perturbations", "Region", "WeightBall",
]  # fmt: skip

SETS = {
    "budget_box": BudgetBox,
    "latent_ball": LatentBall,
    "lp_ball": LpBall,
    "manifold_latent": ManifoldLatent,
    "weight_ball": WeightBall,
}
