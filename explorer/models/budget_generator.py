"""A classifier with a generator of budgets: how much each pixel of an image may change (Budgets, §3.3 and Appendix A)."""

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.errors import ConfigurationError, InvalidInput
from explorer.metrics import budget_range, refine_volume, volume_problems

from .build import build_model, model_config

WIDTHS = (4, 8)  # maps of the two convolutions (Appendix A)
CLASSIFIERS = ("dm_small", "dm_medium", "dm_large")


@dataclass(frozen=True)
class BudgetedClassifierConfig:
    """A classifier by name with its own fields, and the generator's. Without `rank` the generator ends in one linear layer from all maps
    to all pixels, the paper's (4,918,368 parameters on 1×28×28); with it in two, through that many units. The last three are what
    budgets are brought to where nothing else is asked for: volume ε0 and range [α·ε0, min(ᾱ·ε0, 1)], in units of pixel intensity."""

    classifier: str = "dm_small"
    classifier_config: dict = field(default_factory=dict)
    rank: int | None = None
    volume: float = 0.4  # MNIST, §4.1
    alpha: float = 0.5
    alpha_bar: float = 2.0

    def __post_init__(self):
        found = volume_problems(self.volume, self.alpha, self.alpha_bar)
        if self.rank is not None and not 1 <= self.rank <= 65536:
            found.append(f"rank = {self.rank}: expected 1 to 65536 units, or none for the paper's dense layer")
        if self.classifier not in CLASSIFIERS:
            found.append(f"classifier = {self.classifier!r}: expected one of {', '.join(CLASSIFIERS)}")
        else:
            try:
                model_config(self.classifier, self.classifier_config)
            except ConfigurationError as error:
                found += error.problems
        if found:
            raise ConfigurationError(found)


class BudgetGenerator(nn.Module):
    """g: images to a number in (0, 1) for each pixel, by two convolutions and a linear layer (Appendix A)."""

    def __init__(self, image_shape: tuple[int, int, int], rank: int | None = None):
        super().__init__()
        self.image_shape = image_shape
        maps, pixels = (image_shape[0], *WIDTHS), math.prod(image_shape)
        units = (WIDTHS[-1] * image_shape[1] * image_shape[2], *([] if rank is None else [rank]), pixels)
        convolutions = (nn.Conv2d(*ends, 3, padding=1) for ends in zip(maps, maps[1:]))
        self.features = nn.Sequential(*(layer for each in convolutions for layer in (each, nn.ReLU())), nn.Flatten())
        self.head = nn.Sequential(*(nn.Linear(*ends) for ends in zip(units, units[1:])), nn.Sigmoid(), nn.Unflatten(1, image_shape))

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        return self.head(self.features(x))


class BudgetedClassifier(nn.Module):
    """Images in [0, 1] to logits, by a classifier; `budgets` are the half-widths of the box that it was trained to withstand."""

    def __init__(self, config: BudgetedClassifierConfig):
        super().__init__()
        self.classifier = build_model(config.classifier, config.classifier_config)
        self.image_shape, self.classes = self.classifier.image_shape, self.classifier.classes
        self.generator = BudgetGenerator(self.image_shape, config.rank)
        self.volume, self.alpha, self.alpha_bar = config.volume, config.alpha, config.alpha_bar

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch classes"]:
        return self.classifier(x)

    def budgets(
        self,
        x: Float[Tensor, "batch channels height width"],
        volume: float | None = None,
        alpha: float | None = None,
        alpha_bar: float | None = None,
    ) -> Float[Tensor, "batch channels height width"]:
        """ε(x), the budget of each pixel before the box is cut to [0, 1]: first in its range, then of its volume (§3.3). What is not
        given is the model's own; at volume 0 all budgets are 0. Raises InvalidInput for images of another size, and for a volume that
        α and ᾱ do not allow."""
        if tuple(x.shape[1:]) != self.image_shape:
            raise InvalidInput(f"the budget generator takes images of shape {self.image_shape}, got {tuple(x.shape[1:])}. Resize or crop the images.")
        volume = self.volume if volume is None else volume
        if volume == 0:
            return torch.zeros_like(x)
        lower, upper = budget_range(volume, self.alpha if alpha is None else alpha, self.alpha_bar if alpha_bar is None else alpha_bar)
        initial = lower + (upper - lower) * self.generator(x)
        return refine_volume(initial, volume, lower, upper).exp().clamp(math.exp(lower), math.exp(upper))


def budgeted_classifier(config: BudgetedClassifierConfig) -> BudgetedClassifier:
    return BudgetedClassifier(config)
