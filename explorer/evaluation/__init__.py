"""Measures of sets and models over a data set."""

from explorer.metrics import ssim

from .accuracy import CertifiedAccuracy, certified_accuracy, certified_loss
from .approximation import PairMetrics, pair_metrics
from .budgets import agreement_columns, class_means, error_columns, half_widths, verified, volume_columns
from .certified_volume import CertifiedVolume, largest_certified_radius, largest_certified_volume
from .corruption_error import CorruptionErrors, corruption_errors
from .latent_space import LatentNorms, Sweep, linear_read_out, parameter_sweeps
from .likelihood import Likelihood, likelihood
from .set_quality import EncodedPairs, SetQuality, encode_pairs, percentile_radii, set_quality
from .theory import (
    Counterexample,
    Measured,
    Objective,
    Theorem1,
    Theorem2,
    chi_radius,
    corollary2,
    figure4,
    lemma4,
    measure_objective,
    theorem1,
    theorem2,
    variance_ratio_interval,
)

__all__ = [
    "CertifiedAccuracy",
    "CertifiedVolume",
    "CorruptionErrors",
    "Counterexample",
    "EncodedPairs",
    "LatentNorms",
    "Likelihood",
    "Measured",
    "Objective",
    "PairMetrics",
    "SetQuality",
    "Sweep",
    "Theorem1",
    "Theorem2",
    "agreement_columns",
    "certified_accuracy",
    "certified_loss",
    "chi_radius",
    "class_means",
    "corollary2",
    "corruption_errors",
    "encode_pairs",
    "error_columns",
    "figure4",
    "half_widths",
    "largest_certified_radius",
    "largest_certified_volume",
    "lemma4",
    "likelihood",
    "linear_read_out",
    "measure_objective",
    "pair_metrics",
    "parameter_sweeps",
    "percentile_radii",
    "set_quality",
    "ssim",
    "theorem1",
    "theorem2",
    "variance_ratio_interval",
    "verified",
    "volume_columns",
]
