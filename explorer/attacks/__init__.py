"""Searches of a perturbation set for the point where an objective is largest or smallest; and attacks on classifiers by name."""

from .auto_pgd import auto_pgd, difference_of_logits_ratio
from .catalogue import Attack, Found, changed_attack, find_adversarial, parts_of
from .objectives import cross_entropy, elbo, label_margin, margin, squared_distance
from .projected_gradient import STEPS, AttackResult, fgsm, pgd
from .random_search import random_search
from .targeted import likely_classes, targeted_difference_of_logits_ratio

__all__ = [
    "ATTACKS", "STEPS", "Attack", "AttackResult", "Found", "auto_pgd", "changed_attack", "cross_entropy", "difference_of_logits_ratio", "elbo", "fgsm",
    "find_adversarial", "label_margin", "likely_classes", "margin", "parts_of", "pgd", "random_search", "squared_distance", "targeted_difference_of_logits_ratio",
]  # fmt: skip

ATTACKS = {
    "fgsm": Attack("FGSM", steps=1, step_size=1.0, start="zero"),  # Goodfellow et al., 2015
    "pgd": Attack("PGD on the cross-entropy"),  # Madry et al., 2018
    "pgd-margin": Attack("PGD on the margin", goal="margin"),  # Carlini & Wagner, 2017
    "apgd-ce": Attack("AutoPGD on the cross-entropy", "auto_pgd", steps=100, restarts=5),  # AdA, Appendix E
    "apgd-dlr": Attack("AutoPGD on the difference of logits ratio", "auto_pgd", "dlr", steps=100, restarts=5),
    "apgd-targeted": Attack("AutoPGD on the targeted ratio, 9 classes", "auto_pgd", "targeted_dlr", steps=100),  # Croce & Hein, 2020
    "multi-targeted": Attack("Multi-targeted PGD", goal="targeted_margin", steps=200, restarts=10),  # Gowal et al., 2019; AdA: 10 × 200
    "random-search": Attack("Random search, no gradients", "random_search", "margin", steps=1000),
    "worst-of-all": Attack("Worst of AutoPGD and random search", "worst_of_all", parts=("apgd-ce", "apgd-targeted", "random-search")),
}
