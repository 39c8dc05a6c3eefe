"""Measures of sets and models over a data set."""

from .set_quality import EncodedPairs, SetQuality, encode_pairs, percentile_radii, set_quality

__all__ = ["EncodedPairs", "SetQuality", "encode_pairs", "percentile_radii", "set_quality"]
