"""Learning contextual perturbation budgets for training robust neural networks, ICLR 2021 submission: so far its uniform baselines,
classifiers trained on a certified bound of their cross-entropy (§3.4)."""

from dataclasses import replace

from explorer.papers.base import Experiment

from .config import KIND, UniformConfig, problems
from .tables import CONTEXTUAL_BUDGETS
from .training import steps, train

__all__ = ["CONTEXTUAL_BUDGETS", "EXPERIMENTS", "KIND", "UniformConfig"]

PAPER = UniformConfig()
LARGE = replace(PAPER, model="dm_large", radius=0.4)  # Table 1's uniform baseline: DM-large at ε0 = 0.4
DIGITS = replace(
    PAPER, dataset="digits", radius=0.1, widths=(8, 16), hidden_units=(64,), epochs=40, passes=4, batch_size=100,
    learning_rate=((0.0, 2e-3), (28.0, 2e-3), (40.0, 1e-4)), growth=((1.0, 0.0), (24.0, 1.0), (40.0, 1.0)),
)  # fmt: skip


def _experiment(config: UniformConfig, description: str, published: UniformConfig = PAPER) -> Experiment:
    return Experiment(config, train, problems, steps, "contextual_budgets", description, published)


EXPERIMENTS = {
    "uniform-mnist": _experiment(PAPER, "DM-small, certified on MNIST against ±0.3 a pixel (Appendix C's comparison)"),
    "uniform-mnist-large": _experiment(LARGE, "DM-large, certified on MNIST against ±0.4 a pixel (Table 1's uniform baseline)", LARGE),
    "uniform-digits": _experiment(DIGITS, "a narrow DM-small, certified on the embedded digits against ±0.1 a pixel: trains in minutes, no download"),
}
