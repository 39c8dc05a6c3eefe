"""What can be chosen when a classifier is trained on a certified bound, with learned or with uniform budgets; with the paper's values."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from explorer.configuration import limit_problems, out_of_range
from explorer.data import DATASETS
from explorer.errors import ConfigurationError
from explorer.metrics import volume_problems
from explorer.models import model_config
from explorer.models.budget_generator import CLASSIFIERS
from explorer.models.classifiers import KIND, chosen_fields
from explorer.randomness import LARGEST_KEY
from explorer.training import PiecewiseLinear, Smoothed
from explorer.training.schedules import Points, schedule_problems

__all__ = ["CLASSIFIERS", "KIND", "BudgetsConfig", "problems"]


@dataclass(frozen=True)
class BudgetsConfig:
    """A classifier trained on a fused CROWN-IBP bound of its cross-entropy over the box x ± ε(x), cut to [0, 1] (Budgets, §3.4 and
    Appendix A), with the generator of ε, or with one ε for all pixels. What these leave open is CROWN-IBP's MNIST configuration, whose
    settings they follow."""

    dataset: str = "mnist"
    classifier: str = "dm_small"  # Appendix A; Table 1's uniform baselines use dm_large
    widths: tuple[int, ...] | None = None  # none: the paper's
    hidden_units: tuple[int, ...] | None = None
    mean: tuple[float, ...] | None = None  # images become (x − mean)/std where these are given
    std: tuple[float, ...] | None = None
    budgets: Literal["learned", "uniform"] = "learned"
    rank: int | None = None  # of the generator's last layer; none: dense, the paper's (Appendix A)
    volume: float = 0.4  # ε0; §4.1
    alpha: float = 0.5  # §4.1; learned budgets only, as the next
    alpha_bar: float = 2.0
    epochs: int = 100  # Appendix A
    passes: int = 1  # times each image is seen in an epoch
    batch_size: int = 256  # CROWN-IBP
    learning_rate: Points = ((0.0, 5e-4), (65.0, 5e-4), (65.01, 5e-5), (95.0, 5e-5), (95.01, 5e-6), (100.0, 5e-6))  # CROWN-IBP: ÷ 10 at epochs 130 and 190 of 200
    growth: Points = ((1.0, 0.0), (61.0, 1.0), (100.0, 1.0))  # share of the volume: "in 60 epochs starting from the 2nd epoch"; both stretched to `epochs`
    smoothed: bool = False  # between growth's first two points: Appendix A on CIFAR-10
    crown_share: tuple[float, float] = (1.0, 0.0)  # CROWN-IBP's β, of the bound, at volume 0 and at the full volume; the rest is IBP
    clean_share: tuple[float, float] = (0.0, 0.0)  # CROWN-IBP's κ, of the clean cross-entropy; §3.4's loss (9) has none
    clip_norm: float | None = 8.0  # of the gradient: auto_LiRPA's examples of loss fusion; the paper gives none
    augment: bool = False  # images mirrored and shifted by up to 4 pixels: CROWN-IBP on CIFAR-10
    limit: int | None = None  # the first images of each split only
    seed: int = 0

    @property
    def learned(self) -> bool:
        return self.budgets == "learned"

    @property
    def model(self) -> str:
        """The network's name: with learned budgets the classifier and its generator are one."""
        return "budgeted_classifier" if self.learned else self.classifier

    def model_config(self, image_shape: tuple[int, int, int], classes: int) -> dict:
        """The fields that the model is given, for images of that shape."""
        classifier = chosen_fields(self, ("widths", "hidden_units", "mean", "std"), image_shape, classes)
        if not self.learned:
            return classifier
        generator = {name: getattr(self, name) for name in ("rank", "volume", "alpha", "alpha_bar")}
        return {"classifier": self.classifier, "classifier_config": classifier, **generator}

    def share_of_volume(self) -> Callable[[float], float]:
        """The volume's share of its final value, from 0 to 1, at a fractional epoch."""
        if not self.smoothed:
            return PiecewiseLinear(self.growth).stretched(self.epochs)
        (start, _), (end, _) = self.growth[:2]
        return Smoothed(start, end).stretched(self.epochs / self.growth[-1][0])


def problems(config: BudgetsConfig) -> list[str]:
    """Everything impossible in a configuration, in the user's words."""
    many, share = (1, 1_000_000), (0, 1)
    found = out_of_range(config, epochs=many, passes=many, batch_size=many, seed=(0, LARGEST_KEY), volume=share, crown_share=share, clean_share=share)
    found += limit_problems(config)
    if config.clip_norm is not None and not config.clip_norm > 0:
        found.append(f"clip_norm = {config.clip_norm}: expected a length above 0, or none")
    if config.learned and 0 <= config.volume <= 1:
        found += volume_problems(config.volume, config.alpha, config.alpha_bar)
    if config.rank is not None and not 1 <= config.rank <= 65536:
        found.append(f"rank = {config.rank}: expected 1 to 65536 units, or none for the paper's dense layer")
    found += schedule_problems(config, "learning_rate", "growth") + _growth_problems(config)
    if config.dataset not in DATASETS:
        found.append(f"dataset = {config.dataset!r}: expected one of {', '.join(DATASETS)}")
    if config.classifier not in CLASSIFIERS:
        found.append(f"classifier = {config.classifier!r}: expected one of {', '.join(CLASSIFIERS)}")
    else:
        channels = 1 if config.mean is None else len(config.mean)
        try:
            model_config(config.classifier, replace(config, budgets="uniform").model_config((channels, 28, 28), 10))
        except ConfigurationError as error:
            found += error.problems
    return found


def _growth_problems(config: BudgetsConfig) -> list[str]:
    found = []
    if any(value > 1 for _, value in config.growth) or (config.growth and config.growth[-1][1] != 1):
        found.append(f"growth = {config.growth}: expected shares of the volume of at most 1 that end at 1")
    if config.smoothed and [value for _, value in config.growth] not in ([0, 1], [0, 1, 1]):
        found.append(f"growth = {config.growth}: a smoothed growth goes from a point of 0 to a point of 1, and a third may end the training")
    return found
