"""The trainings of proVAE by name: the radii of Table 1, at the paper's size and narrower."""

from dataclasses import replace

from explorer.papers.base import Experiment

from .config import CertifiedVaeConfig, problems
from .training import steps, train

RADII = (0.0, 0.01, 0.02, 0.05, 0.1)  # ε_train of Table 1
COMPACT_ENDING = "-compact"
PAPER = CertifiedVaeConfig()
FAST = replace(PAPER, widths=(16, 32), learning_rate=((0.0, 2e-3), (40.0, 2e-3), (60.0, 1e-4)))  # for narrow networks and few epochs
COMPACT = replace(FAST, hidden_units=96, epochs=6)
DIGITS = replace(FAST, dataset="digits", hidden_units=64, epochs=30, passes=8, ramp=((0.0, 0.0), (24.0, 0.0), (48.0, 1.0), (60.0, 1.0)))


def _experiments(stem: str, config: CertifiedVaeConfig, radii: tuple[float, ...], description: str, ending: str = "") -> dict[str, Experiment]:
    published = replace(PAPER, dataset=config.dataset)
    return {
        f"{stem}-{radius:g}{ending}": Experiment(
            replace(config, radius=radius), train, problems, steps, "certified_vae",
            f"{description}, {f'trained on the bound at radius {radius:g}' if radius else 'trained on the ELBO'}",
            replace(published, radius=radius),
        )
        for radius in radii
    }  # fmt: skip


EXPERIMENTS = {
    **_experiments("provae-mnist", PAPER, RADII, "a VAE of MNIST, the paper's size, 10.4 M parameters"),
    **_experiments("provae-mnist", COMPACT, RADII, "a VAE of MNIST, 0.26 M parameters instead of 10.4 M, 6 epochs", COMPACT_ENDING),
    **_experiments("provae-cifar10", replace(PAPER, dataset="cifar10"), RADII, "a VAE of CIFAR-10, the paper's size, 17.5 M parameters"),
    **_experiments("provae-digits", DIGITS, (0.0, 0.05, 0.1), "a VAE of the embedded digits, compact: trains in minutes, no download"),
}
