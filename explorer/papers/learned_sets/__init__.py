"""Wong & Kolter, Learning perturbation sets for robust machine learning, ICLR 2021: a CVAE learns S(x) from pairs."""

from dataclasses import replace

from explorer.papers.base import Experiment

from .config import KIND, LearnedSetConfig, problems
from .exploration import Exploration, Interpolation, LearnedSet, RealPairs, Settings, explore, interpolate, members, open_learned_set
from .training import evaluation_pairs, train

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


def _experiment(config: LearnedSetConfig, description: str) -> Experiment:
    return Experiment(config, train, problems, "learned_sets", description)


EXPERIMENTS = {
    "mnist-rts": _experiment(PAPER, "MNIST under rotation, scale and placement: the paper's settings (likelihood as in its published configuration)"),
    "mnist-rts-compact": _experiment(replace(COMPACT, epochs=30), "the same, 0.97 M parameters instead of 6.4 M, 30 epochs instead of 100"),
    "digits-rts": _experiment(replace(COMPACT, dataset="digits", epochs=32, passes=8), "the embedded digits, compact: trains in minutes, no download"),
}
