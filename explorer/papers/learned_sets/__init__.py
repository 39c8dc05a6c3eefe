"""Wong & Kolter, Learning perturbation sets for robust machine learning, ICLR 2021: a CVAE learns S(x) from pairs."""

from dataclasses import replace

from explorer.models.residual_cvae import LOG_VAR_BOUNDS
from explorer.papers.base import Experiment

from .config import KIND, LearnedSetConfig, problems
from .exploration import Exploration, Interpolation, LearnedSet, RealPairs, Settings, explore, interpolate, members, open_learned_set
from .illumination import LIGHTING
from .own import OwnPairsConfig, own_problems, own_steps, train_own
from .training import evaluated, steps, train

__all__ = [
    "EXPERIMENTS",
    "KIND",
    "Exploration",
    "Interpolation",
    "LearnedSet",
    "LearnedSetConfig",
    "RealPairs",
    "Settings",
    "evaluated",
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


CORRUPTIONS = LearnedSetConfig(  # Appendix E.1
    dataset="cifar10",
    pairs="corruptions",
    model="residual_cvae",
    latent_dim=512,
    log_var_bounds=LOG_VAR_BOUNDS,
    likelihood="gaussian",
    epochs=1000,
    learning_rate=((0.0, 0.0), (400.0, 1e-3), (1000.0, 0.0)),  # "cyclic …, peaking at 0.001 on the 400th epoch"
    beta=((0.0, 0.0), (400.0, 0.01), (1000.0, 0.01)),
    crop_and_flip=True,
)
COMPACT_CORRUPTIONS = replace(CORRUPTIONS, latent_dim=32, maps=16, inner_maps=8, bottleneck_maps=4)
SCENES = replace(COMPACT_CORRUPTIONS, dataset="scenes", epochs=12, batch_size=64, learning_rate=((0.0, 0.0), (4.0, 3e-3), (12.0, 0.0)), beta=((0.0, 0.0), (4.0, 0.01), (12.0, 0.01)))
PAIRINGS = {"centred": "corruptions", "original": "corruptions-original", "perturbed": "corruptions-perturbed"}  # Appendix E.2
PAIRED = {"centred": "pairs centred at the clean image", "original": "pairs of the clean image and corruptions of it", "perturbed": "pairs of corruptions alone"}


def _experiment(config: LearnedSetConfig, description: str, published: LearnedSetConfig = PAPER) -> Experiment:
    return Experiment(config, train, problems, steps, "learned_sets", description, published)


EXPERIMENTS = {
    "mnist-rts": _experiment(PAPER, "MNIST under rotation, scale and placement: the paper's settings (likelihood as in its published configuration)"),
    "mnist-rts-compact": _experiment(replace(COMPACT, epochs=30), "the same, 0.97 M parameters instead of 6.4 M, 30 epochs instead of 100"),
    "mnist-rts-1": _experiment(replace(PAPER, stored=1), "mnist-rts with one stored perturbation of each image"),
    "mnist-rts-5": _experiment(replace(PAPER, stored=5), "mnist-rts with five stored perturbations of each image"),
    "mnist-linf-fc": _experiment(replace(LINF, model="linf_fc_cvae", latent_dim=784), "MNIST under noise of ±0.3 a pixel, fully connected", LINF),
    "mnist-linf-conv": _experiment(LINF, "MNIST under noise of ±0.3 a pixel, convolutional, 128×7×7 latents", LINF),
    "digits-linf": _experiment(replace(LINF, dataset="digits", passes=8), "the embedded digits under noise of ±0.3 a pixel, convolutional", LINF),
    "digits-rts": _experiment(replace(COMPACT, dataset="digits", epochs=32, passes=8), "the embedded digits, compact: trains in minutes, no download"),
    **{
        f"cifar10c-{name}{size}": _experiment(replace(config, pairs=pairs), f"CIFAR-10 under 12 corruptions, {PAIRED[name]}{words}", replace(CORRUPTIONS, pairs=pairs))
        for size, config, words in (("", CORRUPTIONS, ": the paper's settings"), ("-compact", replace(COMPACT_CORRUPTIONS, epochs=100), ": compact, 100 epochs instead of 1,000"))
        for name, pairs in PAIRINGS.items()
    },
    "scenes-corruptions": _experiment(SCENES, "the embedded scenes under 12 corruptions, compact: trains in minutes, no download", CORRUPTIONS),
    **{
        f"scenes-corruptions-{name}": _experiment(replace(SCENES, pairs=PAIRINGS[name]), f"the same, {PAIRED[name]}", replace(CORRUPTIONS, pairs=PAIRINGS[name]))
        for name in ("original", "perturbed")
    },
    **{name: _experiment(*each) for name, each in LIGHTING.items()},
    "pairs": Experiment(OwnPairsConfig(), train_own, own_problems, own_steps, "learned_sets", "your own pictures in pairs: --data FOLDER, with a folder for each scene, or a CSV"),
}
