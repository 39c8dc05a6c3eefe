"""Randomised smoothing: what a classifier says of most points around one, with stated confidence (Cohen et al., 2019; Perturbation
sets, Appendix C.2)."""

from .certification import ABSTAIN, Certificates, Predictions, certify, predict
from .confidence import binomial_p_value, lower_confidence_bound, needed_successes, sigma_for_radius, smoothing_radius
from .sampling import Counted, Needed, best_batch_size, count_votes, votes_as_they_come
from .segmentation import PixelCertificates, certify_pixels

__all__ = [
    "ABSTAIN", "Certificates", "Counted", "Needed", "PixelCertificates", "Predictions", "best_batch_size", "binomial_p_value", "certify", "certify_pixels",
    "count_votes", "lower_confidence_bound", "needed_successes", "predict", "sigma_for_radius", "smoothing_radius", "votes_as_they_come",
]  # fmt: skip
