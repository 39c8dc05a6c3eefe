"""The panels of the Manifold directions page, by name."""

from collections.abc import Callable

from .manifold_directions_gaussian import show_gaussian
from .manifold_directions_image import show_image
from .manifold_directions_link import Link
from .manifold_directions_results import show_measured_matrix, show_measured_spectra

PANELS: dict[str, Callable[[Link, int], Link]] = {
    "Gaussian": show_gaussian, "One image": show_image, "Spectra": show_measured_spectra, "Attack × defence": show_measured_matrix,
}  # fmt: skip
