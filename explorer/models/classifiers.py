"""The classifiers of certified training (Gowal et al., 2018, Table 1; Zhang et al., 2020): DM-small, DM-medium and DM-large."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.configuration import out_of_range
from explorer.errors import ConfigurationError

KIND = "classifier"  # of the checkpoints that hold one
Layout = tuple[tuple[int, int, int], ...]  # kernel, stride and padding of each convolution

SMALL: Layout = ((4, 2, 0), (4, 1, 0))
MEDIUM: Layout = ((3, 1, 0), (4, 2, 0), (3, 1, 0), (4, 2, 0))
LARGE: Layout = ((3, 1, 1), (3, 1, 1), (3, 2, 1), (3, 1, 1), (3, 1, 1))


@dataclass(frozen=True)
class DmSmallConfig:
    """Two convolutions and one hidden layer; {} has 329,606 parameters. Images become (x − mean)/std where these are given."""

    channels: int = 1
    height: int = 28
    width: int = 28
    classes: int = 10
    widths: tuple[int, int] = (16, 32)
    hidden_units: tuple[int, ...] = (100,)
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self):
        _check(self, SMALL)


@dataclass(frozen=True)
class DmMediumConfig:
    """Four convolutions and two hidden layers; {} has 893,418 parameters."""

    channels: int = 1
    height: int = 28
    width: int = 28
    classes: int = 10
    widths: tuple[int, int, int, int] = (32, 32, 64, 64)
    hidden_units: tuple[int, ...] = (512, 512)
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self):
        _check(self, MEDIUM)


@dataclass(frozen=True)
class DmLargeConfig:
    """Five convolutions and one hidden layer; 17,190,602 parameters for 3×32×32. Its stride pads one pixel on every side."""

    channels: int = 1
    height: int = 28
    width: int = 28
    classes: int = 10
    widths: tuple[int, int, int, int, int] = (64, 64, 128, 128, 128)
    hidden_units: tuple[int, ...] = (512,)
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self):
        _check(self, LARGE)


class Normalise(nn.Module):
    """(x − mean)/std, a number for each channel. They belong to the configuration, not to the weights."""

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1), persistent=False)

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        return (x - self.mean) / self.std


class Classifier(nn.Module):
    """Images in [0, 1] to logits: normalisation, features of the image, and a head; `image_shape` (channels, height, width) and `classes`
    say what it takes and gives."""

    def __init__(self, image_shape: tuple[int, int, int], classes: int, normalise: nn.Module, features: nn.Module, head: nn.Module):
        super().__init__()
        self.image_shape, self.classes = image_shape, classes
        self.normalise, self.features, self.head = normalise, features, head

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch classes"]:
        return self.head(self.features(self.normalise(x)))


def _convolutional(config: DmSmallConfig | DmMediumConfig | DmLargeConfig, layout: Layout) -> Classifier:
    """Convolutions and linear layers with ReLU between them."""
    maps = [config.channels, *config.widths]
    convolutions = [nn.Conv2d(*ends, *options) for ends, options in zip(zip(maps, maps[1:]), layout)]
    height, width = _last_size(config, layout)
    units = [maps[-1] * height * width, *config.hidden_units, config.classes]
    normalise = nn.Identity() if config.mean is None else Normalise(config.mean, config.std)
    features = nn.Sequential(*(layer for each in convolutions for layer in (each, nn.ReLU())), nn.Flatten())
    linear = [nn.Linear(*ends) for ends in zip(units, units[1:])]
    head = nn.Sequential(*(layer for each in linear[:-1] for layer in (each, nn.ReLU())), linear[-1])
    return Classifier((config.channels, config.height, config.width), config.classes, normalise, features, head)


def dm_small(config: DmSmallConfig) -> Classifier:
    return _convolutional(config, SMALL)


def dm_medium(config: DmMediumConfig) -> Classifier:
    return _convolutional(config, MEDIUM)


def dm_large(config: DmLargeConfig) -> Classifier:
    return _convolutional(config, LARGE)


def _last_size(config, layout: Layout) -> tuple[int, int]:
    """Height and width after the convolutions."""
    height, width = config.height, config.width
    for kernel, stride, padding in layout:
        height, width = ((edge + 2 * padding - kernel) // stride + 1 for edge in (height, width))
    return height, width


def _check(config, layout: Layout) -> None:
    edge, width = (1, 4096), (1, 65536)
    problems = out_of_range(config, channels=(1, 16), height=edge, width=edge, classes=(2, 65536), widths=width, hidden_units=width)
    if not problems and min(_last_size(config, layout)) < 1:
        problems.append(f"height and width = {config.height}, {config.width}: too small, nothing is left after the convolutions")
    if problems := problems or normalisation_problems(config):
        raise ConfigurationError(problems)


def chosen_fields(config: Any, names: Iterable[str], image_shape: tuple[int, int, int], classes: int) -> dict:
    """The configuration of a classifier of such images, with those of a training's fields of that name that are not left to the classifier."""
    own = {name: list(value) if isinstance(value, tuple) else value for name in names if (value := getattr(config, name)) is not None}
    return {**dict(zip(("channels", "height", "width"), image_shape)), "classes": classes, **own}


def normalisation_problems(config) -> list[str]:
    """What is wrong with a configuration's mean and std."""
    if (config.mean is None) != (config.std is None):
        return ["mean and std come together: give both, or none"]
    if config.mean is None:
        return []
    problems = []
    if not len(config.mean) == len(config.std) == config.channels:
        problems.append(f"mean and std have {len(config.mean)} and {len(config.std)} numbers: expected one for each of {config.channels} channels")
    if not all(each > 0 for each in config.std):
        problems.append(f"std = {config.std}: expected numbers above 0")
    return problems
