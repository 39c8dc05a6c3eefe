"""What can be chosen when a classifier is trained on a certified bound with one radius for all pixels, with the paper's values."""

from dataclasses import dataclass

from explorer.configuration import out_of_range
from explorer.data import DATASETS
from explorer.errors import ConfigurationError, InvalidInput
from explorer.models import model_config
from explorer.models.classifiers import KIND
from explorer.randomness import LARGEST_KEY
from explorer.training import PiecewiseLinear
from explorer.training.schedules import Points

__all__ = ["CLASSIFIERS", "KIND", "UniformConfig", "problems"]

CLASSIFIERS = ("dm_small", "dm_medium", "dm_large")


@dataclass(frozen=True)
class UniformConfig:
    """A classifier trained on a fused CROWN-IBP bound of its cross-entropy over the box x ± radius, cut to [0, 1] (Budgets, §3.4 and
    Appendix A). What these leave open is CROWN-IBP's MNIST configuration, whose settings they follow."""

    dataset: str = "mnist"
    model: str = "dm_small"  # Appendix C; Table 1's uniform baselines use dm_large
    widths: tuple[int, ...] | None = None  # none: the paper's
    hidden_units: tuple[int, ...] | None = None
    radius: float = 0.3  # Appendix C; Table 1 has 0.4
    epochs: int = 100  # Appendix A
    passes: int = 1  # times each image is seen in an epoch
    batch_size: int = 256  # CROWN-IBP
    learning_rate: Points = ((0.0, 5e-4), (65.0, 5e-4), (65.01, 5e-5), (95.0, 5e-5), (95.01, 5e-6), (100.0, 5e-6))  # CROWN-IBP: ÷ 10 at epochs 130 and 190 of 200
    growth: Points = ((1.0, 0.0), (61.0, 1.0), (100.0, 1.0))  # share of the radius: "in 60 epochs starting from the 2nd epoch"; both stretched to `epochs`
    crown_share: tuple[float, float] = (1.0, 0.0)  # CROWN-IBP's β, of the bound, at radius 0 and at the full radius; the rest is IBP
    clean_share: tuple[float, float] = (0.0, 0.0)  # CROWN-IBP's κ, of the clean cross-entropy; §3.4's loss (9) has none
    limit: int | None = None  # the first images of each split only
    seed: int = 0

    def model_config(self, image_shape: tuple[int, int, int], classes: int) -> dict:
        """The fields that the model is given, for images of that shape."""
        own = {name: list(value) for name in ("widths", "hidden_units") if (value := getattr(self, name)) is not None}
        return {**dict(zip(("channels", "height", "width"), image_shape)), "classes": classes, **own}


def problems(config: UniformConfig) -> list[str]:
    """Everything impossible in a configuration, in the user's words."""
    many, share = (1, 1_000_000), (0, 1)
    found = out_of_range(config, epochs=many, passes=many, batch_size=many, seed=(0, LARGEST_KEY), radius=share, crown_share=share, clean_share=share)
    if config.limit is not None and config.limit < 1:
        found.append(f"limit = {config.limit}: expected a number of images, at least 1, or none")
    for name in ("learning_rate", "growth"):
        points = getattr(config, name)
        try:
            PiecewiseLinear(points)
        except InvalidInput as error:
            found.append(f"{name}: {error}")
        if any(epoch < 0 or value < 0 for epoch, value in points):
            found.append(f"{name} = {points}: expected epochs and values of at least 0")
    if any(value > 1 for _, value in config.growth) or (config.growth and config.growth[-1][1] != 1):
        found.append(f"growth = {config.growth}: expected shares of the radius of at most 1 that end at 1")
    if config.dataset not in DATASETS:
        found.append(f"dataset = {config.dataset!r}: expected one of {', '.join(DATASETS)}")
    if config.model not in CLASSIFIERS:
        found.append(f"model = {config.model!r}: expected one of {', '.join(CLASSIFIERS)}")
    else:
        try:
            model_config(config.model, config.model_config((1, 28, 28), 10))
        except ConfigurationError as error:
            found += error.problems
    return found
