"""What can be chosen when materials are learned under changing light, with the paper's values (Perturbation sets, Appendix F.3)."""

from dataclasses import dataclass
from typing import Any, Literal

from explorer.configuration import limit_problems, out_of_range
from explorer.data import pair_kind
from explorer.errors import ConfigurationError
from explorer.models import model_config
from explorer.models.segmentation import SEGMENTER
from explorer.models.unet_blocks import WIDTHS
from explorer.randomness import LARGEST_KEY
from explorer.training.schedules import Points, schedule_problems

__all__ = ["LIGHT_PAIRS", "METHODS", "SEGMENTER", "Method", "SegmenterConfig", "problems"]

LIGHT_PAIRS = "lights"
Method = Literal["fixed", "pairs", "samples", "adversarial", "smoothed"]
METHODS: dict[str, str] = {
    "fixed": "scenes under the neutral light alone",
    "pairs": "scenes under any of their lights",
    "samples": "random members of a learned set",
    "adversarial": "the attack in the latent ball of a learned set",
    "smoothed": "members of a learned set under Gaussian noise in its latents",
}
OF_LEARNED_SETS = ("samples", "adversarial", "smoothed")
SAMPLES, CONFIDENCE = 1000, 0.999  # published configuration; they decide how large a noise can certify the whole set


@dataclass(frozen=True)
class SegmenterConfig:
    """A U-Net trained on the cross-entropy of every pixel's material. Defaults are the published ones of the adversarial training."""

    dataset: str = "multi_illumination-mip5"
    method: Method = "adversarial"
    learned_set: str | None = "mi-mip5"  # a checkpoint or an experiment, for samples, adversarial and smoothed
    widths: tuple[int, ...] = WIDTHS
    radius: float | None = None  # of the latent ball; none: the set's own ε
    steps: int = 7  # of PGD, with
    step_size: float = 0.2  # a share of the radius: ε/5
    clean_too: bool = False  # each picture's larger loss of the picture itself and of the attack, as published; the text trains on the attack alone
    epochs: int = 400
    passes: int = 1  # times each scene is seen in an epoch
    batch_size: int = 128
    learning_rate: Points = ((0.0, 0.0), (160.0, 0.01), (400.0, 0.0))  # stretched to `epochs`
    crop_and_flip: bool = True
    crop_padding: int = 10
    limit: int | None = None  # the first scenes of each split only
    seed: int = 0

    @property
    def model(self) -> str:
        return "segmentation_unet"

    def model_config(self, image_shape: tuple[int, int, int], classes: int) -> dict[str, Any]:
        return {**dict(zip(("channels", "height", "width"), image_shape)), "classes": classes, "widths": list(self.widths)}


def problems(config: SegmenterConfig) -> list[str]:
    """Everything impossible in a configuration, in the user's words; whether the learned set is there is seen when it starts."""
    many = (1, 1_000_000)
    found = out_of_range(config, epochs=many, passes=many, batch_size=many, steps=many, seed=(0, LARGEST_KEY), crop_padding=(0, 1000))
    if not 0 < config.step_size <= 10:
        found.append(f"step_size = {config.step_size}: expected a share of the radius, above 0 and at most 10")
    if config.radius is not None and not 0 < config.radius <= 1000:
        found.append(f"radius = {config.radius}: expected above 0 and at most 1000, or none for the set's own")
    found += limit_problems(config, "scenes")
    if config.method in OF_LEARNED_SETS and not config.learned_set:
        found.append(f"learned_set = none: {config.method} needs a learned set, as scenes-lighting")
    found += schedule_problems(config, "learning_rate") + pair_kind(LIGHT_PAIRS).problems(config.dataset)
    try:
        model_config(config.model, config.model_config((3, 1 << len(config.widths), 1 << len(config.widths)), 2))
    except ConfigurationError as error:
        found += error.problems
    return found


