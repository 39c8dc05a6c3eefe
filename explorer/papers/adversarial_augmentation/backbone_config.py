"""What can be chosen when an image-to-image network is trained, with the paper's values."""

from dataclasses import dataclass, fields
from typing import Literal

from explorer.configuration import limit_problems, out_of_range
from explorer.data import DATASETS
from explorer.data.imagenet import IMAGENET
from explorer.errors import ConfigurationError
from explorer.models import MODELS, model_config
from explorer.randomness import LARGEST_KEY
from explorer.training.schedules import Points, schedule_problems

KIND = "corruption_network"
Model = Literal["completion_unet", "vq_vae", "edsr", "compressive_autoencoder"]


@dataclass(frozen=True)
class BackboneConfig:
    """An image-to-image network and the task that it learns: the U-Net completes images, the VQ-VAE and the compressive autoencoder rebuild
    them from codes, EDSR enlarges them. Defaults are the paper's for CIFAR-10 (Appendix E.6), which trains the first two itself and takes
    published weights of the others. Sizes that are none are the paper's."""

    dataset: str = "cifar10"
    model: Model = "completion_unet"
    widths: tuple[int, ...] | None = None  # of the U-Net (16, 32, 64) and of the compressive autoencoder (64, 128)
    decoder: tuple[int, ...] | None = None  # of the compressive autoencoder (64, 256, 16)
    bits: int | None = None  # of the compressive autoencoder (32)
    blocks: int | None = None  # of EDSR (16) and of the compressive autoencoder (3)
    features: int | None = None  # of EDSR (64)
    scale: Literal[2, 4] | None = None  # of EDSR (2)
    width: int | None = None  # of the VQ-VAE (128)
    residual_width: int | None = None  # of the VQ-VAE (32)
    codes: int | None = None  # of the VQ-VAE (512)
    removed: tuple[float, float] = (0.02, 0.35)  # Appendix E.6: shares of the pixels between which one is drawn for each image
    squared_share: float = 0.05  # Appendix E.6, 0.5 · 0.1: of the squared error beside the absolute one, in completion
    commitment: float = 0.25  # Appendix E.6: of what is coded to its code
    epochs: int = 90  # Appendix E.6
    passes: int = 1  # times each image is seen in an epoch
    batch_size: int = 16384  # Appendix E.6; 1024 for ImageNet
    learning_rate: Points = ((0.0, 3e-3), (90.0, 0.0))  # Appendix E.6, "decayed throughout training", not how: a line to 0, stretched to `epochs`
    crop_size: int = 128  # pixels of a side, of ImageNet's pictures; Appendix E.1
    limit: int | None = None  # the first images of each split only
    seed: int = 0

    def model_config(self, channels: int) -> dict:
        """The fields that the model knows, for images of so many channels."""
        own = {**vars(self), "channels": channels}
        known = [field.name for field in fields(MODELS[self.model].config)]
        return {name: list(own[name]) if isinstance(own[name], tuple) else own[name] for name in known if own.get(name) is not None}


SIZES = ("widths", "decoder", "bits", "blocks", "features", "scale", "width", "residual_width", "codes")


def problems(config: BackboneConfig) -> list[str]:
    """Everything impossible in a configuration, in the user's words."""
    many = (1, 1_000_000)
    found = out_of_range(config, epochs=many, passes=many, batch_size=many, seed=(0, LARGEST_KEY), squared_share=(0, 1_000_000), crop_size=(11, 1024), commitment=(0, 1_000_000))
    found += limit_problems(config)
    if not 0 <= config.removed[0] <= config.removed[1] < 1:
        found.append(f"removed = {config.removed}: expected two increasing shares of the pixels, at least 0 and below 1")
    if config.dataset not in (*DATASETS, IMAGENET):
        found.append(f"dataset = {config.dataset!r}: expected one of {', '.join((*DATASETS, IMAGENET))}")
    known = [field.name for field in fields(MODELS[config.model].config)]
    unknown = [name for name in SIZES if getattr(config, name) is not None and name not in known]
    found += [f"{name} = {getattr(config, name)}: {config.model} has no such size" for name in unknown]
    found += schedule_problems(config, "learning_rate")
    try:
        model_config(config.model, config.model_config(3))
    except ConfigurationError as error:
        found += error.problems
    return found
