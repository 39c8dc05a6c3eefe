"""Certified ranges of networks over sets of inputs. A new operation is a line in INTERVAL_RULES and one in LINEAR_RULES."""

from explorer.metrics import budget_range, log_volume, refine_volume  # volumes are part of what is bounded: handed on

from .elbo import ElboBounds, elbo_bounds, elbo_lower_bound
from .elbo_certificate import ElboCertificate, elbo_certificate
from .graph import Graph
from .interval import Ball, Interval, enclosing
from .interval_rules import INTERVAL_RULES
from .linear_rules import LINEAR_RULES
from .margins import cross_entropy_bound, margin_rows, mixed_cross_entropy
from .methods import METHODS, Layer, bounds, layer_bounds
from .recording import trace

__all__ = [
    "INTERVAL_RULES",
    "LINEAR_RULES",
    "METHODS",
    "Ball",
    "ElboBounds",
    "ElboCertificate",
    "Graph",
    "Interval",
    "Layer",
    "bounds",
    "budget_range",
    "cross_entropy_bound",
    "elbo_bounds",
    "elbo_certificate",
    "elbo_lower_bound",
    "enclosing",
    "layer_bounds",
    "log_volume",
    "margin_rows",
    "mixed_cross_entropy",
    "refine_volume",
    "trace",
]
