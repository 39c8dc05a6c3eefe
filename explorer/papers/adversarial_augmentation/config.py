"""What can be chosen when a classifier is trained on corruptions that are made as it learns, with the paper's values."""

from dataclasses import dataclass
from typing import Literal

from explorer.configuration import out_of_range
from explorer.data import DATASETS
from explorer.data.imagenet import IMAGENET
from explorer.errors import ConfigurationError
from explorer.models import model_config
from explorer.models.classifiers import KIND, chosen_fields
from explorer.randomness import LARGEST_KEY

__all__ = ["ATTACK_RADII", "CLASSIFIERS", "CORRUPTIONS", "IMAGENET", "KIND", "AugmentedConfig", "problems"]

CLASSIFIERS = ("preact_resnet", "resnet50", "wide_resnet", "resnet32", "lenet5")
CORRUPTIONS = {
    "none": "the images themselves",
    "adversarial": "image-to-image networks whose weights the classifier bears worst (AdA)",
    "random": "image-to-image networks with random weights of the same radius",
    "linf": "PGD in the ℓ∞ ball of pixels",
    "l2": "PGD in the ℓ2 ball of pixels",
}
ATTACK_RADII = {"linf": 8 / 255, "l2": 0.5}  # of the training; Appendix E.1
THROUGH_NETWORKS = ("adversarial", "random")


@dataclass(frozen=True)
class AugmentedConfig:
    """A classifier trained on corruptions of its images. Defaults are the paper's for CIFAR-10, nominal training (Appendix E).

    A batch goes through the pipeline of Appendix E.5: the images, or what DeepAugment has made of them; mirrored and shifted; corrupted by AdA,
    with the guard of Appendix F; and AugMix. Not given in the paper, and chosen: PGD's 10 steps of a quarter of the radius; the weight of
    AugMix's consistency loss, which is AugMix's own; that each image is drawn with equal chances from the data and from what each network of
    DeepAugment has made of them, as in Hendrycks et al. (2020a); ν for U-Net and VQ-VAE, taken as for the others; of ImageNet's training
    images 10,000 are held out, DeepAugment sees its pictures with a shorter side of 256 pixels; and that the last epoch is kept."""

    dataset: str = "cifar10"
    classifier: str = "preact_resnet"  # pre-activation ResNet-50 with a first convolution of 3 × 3; Appendix E.1
    stem: int | None = None  # none: the network's own
    widths: tuple[int, ...] | None = None
    depths: tuple[int, ...] | None = (3, 4, 6, 3)
    bottleneck: bool | None = True
    mean: tuple[float, ...] | None = (0.4914, 0.4822, 0.4465)  # images become (x − mean)/std
    std: tuple[float, ...] | None = (0.2470, 0.2435, 0.2616)
    corruption: Literal["none", "adversarial", "random", "linf", "l2"] = "none"
    backbones: tuple[str, ...] = ()  # checkpoint files or the experiments that train them, in equal shares of a batch
    radius: tuple[float, ...] = (0.015,)  # ν, for all backbones or one for each; §3
    steps: int = 10  # of the search for weights; Appendix E.4
    ssim_limit: float | None = 0.3  # largest distance 1 − SSIM; Appendix F
    nano_batch: int | None = None  # images whose weights are searched together; none: the fastest that fits into memory
    clean_epochs: float = 0.0  # before the corruptions begin; none in the paper
    attack_radius: float | None = None  # of the ball of pixels; none: 8/255 in ℓ∞, 0.5 in ℓ2 (Appendix E.1)
    attack_steps: int = 10
    attack_step_size: float = 0.25  # a share of the radius
    trades_beta: float | None = None  # weight of TRADES' consistency; none: the cross-entropy at the corrupted images
    weight_ascent: Literal["none", "awp", "sam"] = "none"
    weight_step: float = 0.05  # SAM's ρ or AWP's γ; Appendix E.1: 0.05, and 0.0005 in ℓ∞, 0.001 in ℓ2
    augmix: bool = False
    augmix_severity: float = 3.0  # Hendrycks et al., 2020b, for CIFAR-10; 1 for ImageNet
    augmix_consistency: float = 12.0  # weight of the Jensen-Shannon divergence; 0: the cross-entropy at one mixture
    deepaugment: tuple[str, ...] = ()  # networks of DeepAugment, an EDSR, a compressive autoencoder: files or experiments; Appendix E.5
    epochs: int = 300  # Appendix E.3
    batch_size: int = 1024  # Appendix E.3
    learning_rate: float = 0.1  # for batches of 256; Appendix E.3
    warm_up: float = 5.0  # epochs; Appendix E.3
    momentum: float = 0.9  # Nesterov's
    weight_decay: float = 1e-4  # Appendix E.3
    augment: bool = True  # images mirrored and shifted by up to 4 pixels, or of pictures in folders random crops, mirrored; Appendix E.1
    crop_size: int = 128  # pixels of a side that those are made; Appendix E.1
    snapshots: int = 0  # further checkpoints at equal shares of the training (Figure 4)
    limit: int | None = None  # the first images of each split only
    seed: int = 0

    @property
    def model(self) -> str:
        """The network's name."""
        return self.classifier

    @property
    def radii(self) -> tuple[float, ...]:
        """ν of each backbone."""
        return self.radius * len(self.backbones) if len(self.radius) == 1 else self.radius

    @property
    def trained_radius(self) -> float:
        """Of the ball of pixels that it is trained to withstand, 0 where there is none."""
        return (ATTACK_RADII[self.corruption] if self.attack_radius is None else self.attack_radius) if self.corruption in ATTACK_RADII else 0.0

    def model_config(self, image_shape: tuple[int, int, int], classes: int) -> dict:
        """The fields that the classifier is given, for images of that shape."""
        fields = {"preact_resnet": ("stem", "widths", "depths", "bottleneck"), "resnet50": ("stem", "widths", "depths"), "wide_resnet": ("stem", "widths", "depths"), "resnet32": ("widths", "depths"), "lenet5": ("widths",)}
        return chosen_fields(self, (*fields[self.classifier], "mean", "std"), image_shape, classes)


def problems(config: AugmentedConfig) -> list[str]:
    """Everything impossible in a configuration, in the user's words; whether checkpoints are there is seen when it starts."""
    many = (1, 1_000_000)
    found = out_of_range(config, epochs=many, batch_size=many, attack_steps=many, steps=(0, 1_000_000), seed=(0, LARGEST_KEY), snapshots=(0, 1000), crop_size=(11, 1024))
    found += out_of_range(config, weight_decay=(0, 1), clean_epochs=(0, 1_000_000), augmix_consistency=(0, 1_000_000))
    if not 0.1 <= config.augmix_severity <= 10:
        found.append(f"augmix_severity = {config.augmix_severity}: expected 0.1 to 10")
    if not 0 < config.momentum < 1:
        found.append(f"momentum = {config.momentum}: expected a number between 0 and 1")
    for name, (low, high) in {"limit": (1, LARGEST_KEY), "nano_batch": (1, 1_000_000), "attack_radius": (0, 1000), "trades_beta": (0, 1e6)}.items():
        if (value := getattr(config, name)) is not None and not low <= value <= high:
            found.append(f"{name} = {value}: expected {low} to {high:g}, or none")
    for name in ("learning_rate", "attack_step_size", "weight_step"):
        if not 0 < (value := getattr(config, name)) <= 100:
            found.append(f"{name} = {value}: expected a number above 0, at most 100")
    if not 0 <= config.warm_up < config.epochs:
        found.append(f"warm_up = {config.warm_up:g}: expected fewer epochs than the {config.epochs} of the training")
    return found + _pipeline_problems(config) + _model_problems(config)


def _pipeline_problems(config: AugmentedConfig) -> list[str]:
    found = []
    if config.corruption in THROUGH_NETWORKS:
        if not config.backbones:
            found.append(f"backbones = none: {config.corruption} corruptions need an image-to-image network, as backbone-unet-scenes")
        if len(config.radius) not in (1, len(config.backbones)) or not all(0 < each <= 10 for each in config.radius):
            found.append(f"radius = {config.radius}: expected ν above 0, at most 10, one for all backbones or one for each of {len(config.backbones)}; AdA takes 0.015")
        if config.ssim_limit is not None and not 0 < config.ssim_limit < 2:
            found.append(f"ssim_limit = {config.ssim_limit}: expected a distance 1 − SSIM between 0 and 2, or none; AdA takes 0.3 for 32 × 32 pixels, 0.7 for 128 × 128")
    elif config.backbones:
        found.append(f"backbones = {','.join(config.backbones)}: nothing goes through them where corruption is {config.corruption!r}; choose adversarial or random")
    if config.trades_beta is not None and config.corruption not in ATTACK_RADII:
        found.append(f"trades_beta = {config.trades_beta:g}: TRADES searches in a ball of pixels, choose corruption linf or l2")
    if config.trades_beta is not None and config.augmix:
        found.append("augmix with trades_beta: both add a loss of their own, choose one")
    if len(set(config.deepaugment)) < len(config.deepaugment):
        found.append(f"deepaugment = {','.join(config.deepaugment)}: expected each network once")
    return found


def _model_problems(config: AugmentedConfig) -> list[str]:
    found = [] if config.dataset in (*DATASETS, IMAGENET) else [f"dataset = {config.dataset!r}: expected one of {', '.join((*DATASETS, IMAGENET))}"]
    if config.classifier not in CLASSIFIERS:
        return [*found, f"classifier = {config.classifier!r}: expected one of {', '.join(CLASSIFIERS)}"]
    try:
        model_config(config.classifier, config.model_config((3 if config.mean is None else len(config.mean), 32, 32), 10))
    except ConfigurationError as error:
        found += error.problems
    return found
