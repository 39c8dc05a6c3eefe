"""Wong & Kolter, Learning perturbation sets for robust machine learning, ICLR 2021: a CVAE learns S(x) from pairs."""

from dataclasses import replace

from explorer.papers.base import Experiment

from .config import KIND, LearnedSetConfig, problems
from .exploration import Exploration, Interpolation, LearnedSet, RealPairs, Settings, explore, interpolate, members, open_learned_set
from .training import evaluation_pairs, steps, train

__all__ = [
    "EXPERIMENTS",
    "KIND",
    "Exploration",
    "Interpolation",
    "LearnedSet",
    "LearnedSetConfig",
    "RealPairs",
    "Settings",
    "evaluation_pairs",
    "explore",
    "interpolate",
    "members",
    "open_learned_set",
]

PAPER = LearnedSetConfig()
# narrower, no component dropped; wider bounds than Appendix E.1's, for posteriors as sharp as a rotation's
COMPACT = replace(PAPER, latent_dim=32, localization_widths=(64, 32), log_var_bounds=(-14.0, 5.0))
LINF = replace(
    PAPER,
    pairs="linf",
    model="linf_conv_cvae",
    epochs=20,
    learning_rate=((0.0, 0.0), (10.0, 1e-3), (15.0, 5e-4), (20.0, 1e-4)),  # Appendix D.1, "ℓ∞ details"
    beta=((0.0, 0.0), (5.0, 1e-3), (20.0, 1e-2)),
)


def _experiment(config: LearnedSetConfig, description: str) -> Experiment:
    return Experiment(config, train, problems, steps, "learned_sets", description, LINF if config.pairs == "linf" else PAPER)


EXPERIMENTS = {
    "mnist-rts": _experiment(PAPER, "MNIST under rotation, scale and placement: the paper's settings (likelihood as in its published configuration)"),
    "mnist-rts-compact": _experiment(replace(COMPACT, epochs=30), "the same, 0.97 M parameters instead of 6.4 M, 30 epochs instead of 100"),
    "mnist-rts-1": _experiment(replace(PAPER, stored=1), "mnist-rts with one stored perturbation of each image"),
    "mnist-rts-5": _experiment(replace(PAPER, stored=5), "mnist-rts with five stored perturbations of each image"),
    "mnist-linf-fc": _experiment(replace(LINF, model="linf_fc_cvae", latent_dim=784), "MNIST under noise of ±0.3 a pixel, fully connected"),
    "mnist-linf-conv": _experiment(LINF, "MNIST under noise of ±0.3 a pixel, convolutional, 128×7×7 latents"),
    "digits-linf": _experiment(replace(LINF, dataset="digits", passes=8), "the embedded digits under noise of ±0.3 a pixel, convolutional"),
    "digits-rts": _experiment(replace(COMPACT, dataset="digits", epochs=32, passes=8), "the embedded digits, compact: trains in minutes, no download"),
}
