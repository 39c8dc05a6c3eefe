"""What can be chosen when a classifier is trained to withstand attacks off and on the data's manifold, with the paper's values."""

from dataclasses import dataclass
from typing import Literal

from explorer.configuration import limit_problems, out_of_range
from explorer.data import DATASETS
from explorer.errors import ConfigurationError
from explorer.models import model_config
from explorer.models.classifiers import KIND, chosen_fields
from explorer.randomness import LARGEST_KEY
from explorer.training import Mixing
from explorer.training.schedules import Points, schedule_problems


__all__ = ["CLASSIFIERS", "KIND", "SOURCES", "ClassifierConfig", "problems"]

CLASSIFIERS = ("lenet5", "resnet32", "preact_resnet", "wide_resnet", "dm_small")
SOURCES = {
    "clean": "the images themselves",
    "linf": "PGD in the ℓ∞ ball of pixels",
    "l2": "PGD in the ℓ2 ball of pixels",
    "l1": "PGD in the ℓ1 ball of pixels",
    "manifold": "the attack in the latents of a class-conditional VAE",
    "pairs": "real perturbations, drawn anew",
    "samples": "random members of a learned set",
    "learned": "the attack in the latent ball of a learned set",
    "smoothed": "members of a learned set under Gaussian noise in its latents",
}
OF_LEARNED_SETS = ("pairs", "samples", "learned", "smoothed")
PERCENTILES = (25, 50, 75, 100)  # of a learned set's encodings, whose radii its checkpoint holds


@dataclass(frozen=True)
class ClassifierConfig:
    """A classifier trained on the cross-entropy at the inputs of one or more sources. Defaults are the paper's for MNIST (Appendix B.1).

    Not given in the paper, and chosen: Adam with a constant learning rate; the step size; the ℓ1 radius, that of Tramèr & Boneh (2019), whom
    §5.3 cites; how a joint training mixes its two attacks: both are made of every image, and the mean of their losses is minimised (their
    “average” strategy; `max` is the other one). Among epochs the one with the smallest loss on the validation split is kept."""

    dataset: str = "mnist"
    classifier: str = "lenet5"
    stem: int | None = None  # maps of a residual network's first layer; none: the paper's
    widths: tuple[int, ...] | None = None  # the same of its stages
    depths: tuple[int, ...] | None = None
    hidden_units: tuple[int, ...] | None = None
    mean: tuple[float, ...] | None = None  # images become (x − mean)/std where these are given
    std: tuple[float, ...] | None = None
    sources: tuple[str, ...] = ("clean",)  # any of SOURCES
    mixing: Mixing = "mean"  # of the sources' losses, for each image
    standard_epochs: float = 10.0  # on clean images, before the sources: "adversarial training start after 10 epochs"
    radius: float = 0.25  # of the ℓ∞ ball; Appendix B.1
    radius_l2: float = 2.0  # the paper trains at none; Tramèr & Boneh (2019)
    radius_l1: float = 10.0  # not given; Tramèr & Boneh (2019)
    steps: int = 40  # of PGD in pixels; Appendix B.1
    step_size: float | None = None  # a share of the radius; none: 2.5/steps (Madry et al., 2018)
    start: Literal["uniform", "zero"] = "uniform"
    vae: str | None = None  # class-conditional: a checkpoint file, or the experiment that trains it
    learned_set: str | None = None  # the same, for pairs, samples and learned
    latent_radius: float | None = 1.0  # Appendix B.1, a sign step; none: the learned set's own
    percentile: int | None = None  # where that is none: the radius that so many per cent of the set's encodings have, 25, 50, 75 or 100
    latent_steps: int = 1
    latent_step_size: float = 1.0  # a share of the radius
    epochs: int = 30  # Appendix B.1
    passes: int = 1  # times each image is seen in an epoch
    batch_size: int = 128  # Appendix B.1
    learning_rate: Points = ((0.0, 1e-3), (30.0, 1e-3))  # Appendix B.1; stretched to `epochs`
    weight_decay: float = 5e-4  # Appendix B.1
    augment: bool = False  # images mirrored and shifted by up to 4 pixels
    limit: int | None = None  # the first images of each split only
    seed: int = 0

    @property
    def model(self) -> str:
        """The network's name."""
        return self.classifier

    @property
    def trained_radius(self) -> float:
        """Of the ℓ∞ ball of pixels that it is trained to withstand, 0 where there is none."""
        return self.radius if "linf" in self.sources else 0.0

    def model_config(self, image_shape: tuple[int, int, int], classes: int) -> dict:
        """The fields that the classifier is given, for images of that shape."""
        return chosen_fields(self, ("stem", "widths", "depths", "hidden_units", "mean", "std"), image_shape, classes)


def problems(config: ClassifierConfig) -> list[str]:
    """Everything impossible in a configuration, in the user's words; whether checkpoints are there is seen when it starts."""
    many = (1, 1_000_000)
    found = out_of_range(config, epochs=many, passes=many, batch_size=many, steps=many, latent_steps=many, seed=(0, LARGEST_KEY))
    found += out_of_range(config, radius=(0, 1), radius_l2=(0, 1000), radius_l1=(0, 100_000), weight_decay=(0, 1), standard_epochs=(0, 1_000_000))
    found += limit_problems(config)
    for name in ("step_size", "latent_step_size"):
        if (size := getattr(config, name)) is not None and not 0 < size <= 10:
            found.append(f"{name} = {size}: expected a share of the radius, above 0 and at most 10")
    found += _source_problems(config) + schedule_problems(config, "learning_rate")
    if config.dataset not in DATASETS:
        found.append(f"dataset = {config.dataset!r}: expected one of {', '.join(DATASETS)}")
    if config.classifier not in CLASSIFIERS:
        found.append(f"classifier = {config.classifier!r}: expected one of {', '.join(CLASSIFIERS)}")
        return found
    try:
        model_config(config.classifier, config.model_config((1 if config.mean is None else len(config.mean), 28, 28), 10))
    except ConfigurationError as error:
        found += error.problems
    return found


def _source_problems(config: ClassifierConfig) -> list[str]:
    unknown = [name for name in config.sources if name not in SOURCES]
    if unknown or not config.sources:
        return [f"sources = {','.join(config.sources)}: expected one or more of {', '.join(SOURCES)}"]
    found = []
    if len(set(config.sources)) < len(config.sources):
        found.append(f"sources = {','.join(config.sources)}: expected each once")
    if "manifold" in config.sources and not config.vae:
        found.append("vae = none: training on the manifold needs a class-conditional VAE, as class-cvae-mnist")
    if "manifold" in config.sources and config.latent_radius is None:
        found.append("latent_radius = none: the manifold has no radius of its own, give one")
    if config.latent_radius is not None and not 0 <= config.latent_radius <= 1000:
        found.append(f"latent_radius = {config.latent_radius}: expected 0 to 1000")
    if config.percentile not in (None, *PERCENTILES):
        found.append(f"percentile = {config.percentile}: expected one of {', '.join(map(str, PERCENTILES))}, or none")
    if config.percentile is not None and config.latent_radius is not None:
        found.append(f"percentile = {config.percentile} and latent_radius = {config.latent_radius}: expected one of them; give none for the other")
    if (needy := [name for name in config.sources if name in OF_LEARNED_SETS]) and not config.learned_set:
        found.append(f"learned_set = none: {', '.join(needy)} needs a learned set, as digits-rts")
    return found
