"""The panels of the Manifold directions page, by name."""

from .manifold_directions_gaussian import show_gaussian

PANELS = {"Gaussian": show_gaussian}
