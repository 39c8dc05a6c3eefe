"""Disentangling adversarial robustness in directions of the data manifold, ICLR 2021 submission: classifiers trained against attacks off and
on the data's manifold, class-conditional VAEs that span it, and where in the spectrum of the data these attacks lie."""

from .config import KIND, SOURCES, ClassifierConfig, problems
from .experiments import EXPERIMENTS
from .opening import OpenedDirections, OpenedVae, open_directions, open_vae
from .tables import MANIFOLD_DIRECTIONS
from .training import steps, train
from .vae_config import KIND as VAE_KIND
from .vae_config import ClassVaeConfig
from .vae_training import train_vae

__all__ = [
    "EXPERIMENTS", "KIND", "MANIFOLD_DIRECTIONS", "SOURCES", "VAE_KIND", "ClassVaeConfig", "ClassifierConfig", "OpenedDirections", "OpenedVae",
    "open_directions", "open_vae", "problems", "steps", "train", "train_vae",
]  # fmt: skip
