"""Condessa & Kolter, Provably robust deep generative models, 2020: a VAE trained on a certified lower bound of its ELBO."""

from .attack import attack_elbo, box_perturbations
from .config import KIND, CertifiedVaeConfig, problems
from .experiments import EXPERIMENTS
from .exploration import Attacked, CertifiedVae, Exploration, Settings, attacked, certificate, explore, open_certified_vae
from .measuring import Likelihoods, likelihoods, posterior_noise, prior_samples
from .tables import CERTIFIED_VAE, TABLES

__all__ = [
    "CERTIFIED_VAE",
    "EXPERIMENTS",
    "KIND",
    "TABLES",
    "Attacked",
    "CertifiedVae",
    "CertifiedVaeConfig",
    "Exploration",
    "Likelihoods",
    "Settings",
    "attack_elbo",
    "attacked",
    "box_perturbations",
    "certificate",
    "explore",
    "likelihoods",
    "open_certified_vae",
    "posterior_noise",
    "prior_samples",
    "problems",
]
