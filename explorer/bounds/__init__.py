"""Certified ranges of networks over sets of inputs. A new operation is a line in INTERVAL_RULES and one in LINEAR_RULES."""

from .graph import Graph, trace
from .interval import Ball, Interval, enclosing
from .interval_propagation import INTERVAL_RULES
from .linear_relaxation import LINEAR_RULES
from .margins import cross_entropy_bound, margin_rows, mixed_cross_entropy
from .methods import METHODS, Layer, bounds, layer_bounds

__all__ = [
    "INTERVAL_RULES",
    "LINEAR_RULES",
    "METHODS",
    "Ball",
    "Graph",
    "Interval",
    "Layer",
    "bounds",
    "cross_entropy_bound",
    "enclosing",
    "layer_bounds",
    "margin_rows",
    "mixed_cross_entropy",
    "trace",
]
