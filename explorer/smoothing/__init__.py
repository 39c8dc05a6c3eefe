"""Randomised smoothing: what a classifier says of most points around one, with stated confidence (Cohen et al., 2019; Perturbation
sets, Appendix C.2)."""

from .certification import ABSTAIN, Certificates, Predictions, certify, predict
from .confidence import binomial_p_value, lower_confidence_bound, needed_successes, sigma_for_radius, smoothing_radius
from .sampling import Needed, best_batch_size, count_votes

__all__ = [
    "ABSTAIN", "Certificates", "Needed", "Predictions", "best_batch_size", "binomial_p_value", "certify", "count_votes",
    "lower_confidence_bound", "needed_successes", "predict", "sigma_for_radius", "smoothing_radius",
]  # fmt: skip
