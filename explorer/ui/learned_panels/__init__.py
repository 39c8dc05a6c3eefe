"""The panels below the live control of the Learned sets page, by name."""

from .comparison import show_comparison
from .latent_norms import show_latent_norms
from .members import show_difference, show_interpolation, show_members
from .quality import show_quality
from .relighting import show_relighting
from .search import show_search
from .segmentation import show_segmentation
from .theory import show_theory
from .transformations import show_transformations
from .view import Show, View

__all__ = ["PANELS", "View"]

PANELS: dict[str, Show] = {
    "Difference": show_difference,
    "Interpolation": show_interpolation,
    "Random members": show_members,
    "Search": show_search,
    "Transformations": show_transformations,
    "Compare": show_comparison,
    "Quality": show_quality,
    "Latent norms": show_latent_norms,
    "Theory": show_theory,
    "Relighting": show_relighting,
    "Materials": show_segmentation,
}
