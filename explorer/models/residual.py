"""Classifiers with convolutions and residual blocks: LeNet-5, ResNet-32, ResNet-50, pre-activation ResNets and Wide ResNets."""

from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from explorer.configuration import out_of_range
from explorer.errors import ConfigurationError

from .blocks import SteppingConv2d
from .classifiers import Classifier, Normalise, normalisation_problems


@dataclass(frozen=True)
class LeNetConfig:
    """LeNet-5 with ReLU and max pooling: convolutions of 6 and 16 maps, hidden layers of 120 and 84 units (LeCun et al., 1998, C3 connected
    to all maps); {} has 61,706 parameters. The first convolution pads images of 28 pixels to 32."""

    channels: int = 1
    height: int = 28
    width: int = 28
    classes: int = 10
    widths: tuple[int, int] = (6, 16)
    hidden_units: tuple[int, ...] = (120, 84)
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self):
        width = (1, 65536)
        problems = out_of_range(self, channels=(1, 16), height=(12, 4096), width=(12, 4096), classes=(2, 65536), widths=width, hidden_units=width)
        if problems := problems or normalisation_problems(self):
            raise ConfigurationError(problems)


@dataclass(frozen=True)
class ResNet32Config:
    """ResNet-32 for CIFAR (He et al., 2016a, §4.2): three stages of five blocks, shortcuts without parameters; {} has 464,154 parameters."""

    channels: int = 3
    height: int = 32
    width: int = 32
    classes: int = 10
    widths: tuple[int, ...] = (16, 32, 64)
    depths: tuple[int, ...] = (5, 5, 5)
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self):
        _check(self)


@dataclass(frozen=True)
class PreActResNetConfig:
    """A pre-activation ResNet for small images (He et al., 2016b); {} is ResNet-18 with 11,172,170 parameters, depths 3, 4, 6, 3 with
    bottlenecks ResNet-50."""

    channels: int = 3
    height: int = 32
    width: int = 32
    classes: int = 10
    stem: int = 64
    widths: tuple[int, ...] = (64, 128, 256, 512)
    depths: tuple[int, ...] = (2, 2, 2, 2)
    bottleneck: bool = False
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self):
        _check(self)


@dataclass(frozen=True)
class ResNet50Config:
    """ResNet-50 for ImageNet (He et al., 2016a), the stride in the 3×3 convolutions; {} has 25,557,032 parameters. Images of any size."""

    channels: int = 3
    height: int = 224
    width: int = 224
    classes: int = 1000
    stem: int = 64
    widths: tuple[int, ...] = (64, 128, 256, 512)
    depths: tuple[int, ...] = (3, 4, 6, 3)
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self):
        _check(self)


@dataclass(frozen=True)
class WideResNetConfig:
    """A Wide ResNet (Zagoruyko & Komodakis, 2016); {} is WRN-28-10 with 36,479,194 parameters."""

    channels: int = 3
    height: int = 32
    width: int = 32
    classes: int = 10
    stem: int = 16
    widths: tuple[int, ...] = (160, 320, 640)
    depths: tuple[int, ...] = (4, 4, 4)
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self):
        _check(self)


class PostBlock(nn.Module):
    """Two 3×3 convolutions, ReLU after the sum. Where the size changes, the shortcut takes every second pixel and adds empty maps."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1, self.norm1 = _convolution(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.norm2 = _convolution(outputs, outputs, 3, 1), nn.BatchNorm2d(outputs)
        self.stride, self.added = stride, outputs - inputs

    def forward(self, x: Float[Tensor, "batch inputs h w"]) -> Float[Tensor, "batch outputs _ _"]:
        hidden = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        shortcut = x[:, :, :: self.stride, :: self.stride] if self.stride > 1 else x
        if self.added:
            shortcut = F.pad(shortcut, (0, 0, 0, 0, self.added // 2, self.added - self.added // 2))
        return F.relu(hidden + shortcut)


class PostBottleneck(nn.Module):
    """1×1, 3×3 and 1×1 convolutions, the last to four times the width, ReLU after the sum; where the shape changes, the shortcut is a 1×1
    convolution with batch norm."""

    def __init__(self, inputs: int, width: int, stride: int):
        super().__init__()
        shapes = ((inputs, width, 1, 1), (width, width, 3, stride), (width, 4 * width, 1, 1))
        self.convolutions = nn.ModuleList(_convolution(*shape) for shape in shapes)
        self.norms = nn.ModuleList(nn.BatchNorm2d(shape[1]) for shape in shapes)
        changes = stride > 1 or inputs != 4 * width
        self.shortcut = nn.Sequential(_convolution(inputs, 4 * width, 1, stride), nn.BatchNorm2d(4 * width)) if changes else nn.Identity()

    def forward(self, x: Float[Tensor, "batch inputs h w"]) -> Float[Tensor, "batch outputs _ _"]:
        hidden = x
        for number, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            hidden = norm(convolution(F.relu(hidden) if number else hidden))
        return F.relu(hidden + self.shortcut(x))


class PreBlock(nn.Module):
    """Batch norm and ReLU before each convolution; where the shape changes, the shortcut is a 1×1 convolution of the first of these."""

    def __init__(self, inputs: int, width: int, stride: int, bottleneck: bool = False):
        super().__init__()
        outputs = 4 * width if bottleneck else width
        shapes = ((inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)) if bottleneck else ((inputs, width, 3, stride), (width, width, 3, 1))
        self.norms = nn.ModuleList(nn.BatchNorm2d(shape[0]) for shape in shapes)
        self.convolutions = nn.ModuleList(_convolution(*shape) for shape in shapes)
        self.shortcut = _convolution(inputs, outputs, 1, stride) if stride > 1 or inputs != outputs else None

    def forward(self, x: Float[Tensor, "batch inputs h w"]) -> Float[Tensor, "batch outputs _ _"]:
        hidden = first = F.relu(self.norms[0](x))
        for number, convolution in enumerate(self.convolutions):
            hidden = convolution(F.relu(self.norms[number](hidden)) if number else first)
        return hidden + (x if self.shortcut is None else self.shortcut(first))


def lenet5(config: LeNetConfig) -> Classifier:
    maps, units = (config.channels, *config.widths), [config.widths[-1] * _pooled(config.height) * _pooled(config.width), *config.hidden_units]
    features = nn.Sequential(
        nn.Conv2d(maps[0], maps[1], 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(maps[1], maps[2], 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    )  # fmt: skip
    hidden = [layer for ends in zip(units, units[1:]) for layer in (nn.Linear(*ends), nn.ReLU())]
    return _classifier(config, features, nn.Sequential(*hidden, nn.Linear(units[-1], config.classes)))


def resnet32(config: ResNet32Config) -> Classifier:
    stem = config.widths[0]
    blocks, last = _stages(config, stem, PostBlock)
    return _classifier(config, nn.Sequential(_convolution(config.channels, stem, 3, 1), nn.BatchNorm2d(stem), nn.ReLU(), *blocks), _pooled_head(last, config.classes))


def resnet50(config: ResNet50Config) -> Classifier:
    blocks, last = _stages(config, config.stem, PostBottleneck, 4)
    stem = nn.Sequential(_convolution(config.channels, config.stem, 7, 2), nn.BatchNorm2d(config.stem), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
    return _classifier(config, nn.Sequential(*stem, *blocks), _pooled_head(last, config.classes))


def pre_activation(config: PreActResNetConfig | WideResNetConfig) -> Classifier:
    bottleneck = getattr(config, "bottleneck", False)
    blocks, last = _stages(config, config.stem, lambda *shape: PreBlock(*shape, bottleneck), 4 if bottleneck else 1)
    features = nn.Sequential(_convolution(config.channels, config.stem, 3, 1), *blocks, nn.BatchNorm2d(last), nn.ReLU())
    return _classifier(config, features, _pooled_head(last, config.classes))


def _stages(config, inputs: int, block, expansion: int = 1) -> tuple[list[nn.Module], int]:
    """All blocks, the first of every stage but the first halving the image, and how many maps come out."""
    found = []
    for stage, (width, depth) in enumerate(zip(config.widths, config.depths, strict=True)):
        for number in range(depth):
            found.append(block(inputs, width, 2 if stage and not number else 1))
            inputs = width * expansion
    return found, inputs


def _classifier(config, features: nn.Module, head: nn.Module) -> Classifier:
    normalise = nn.Identity() if config.mean is None else Normalise(config.mean, config.std)
    return Classifier((config.channels, config.height, config.width), config.classes, normalise, features, head)


def _pooled_head(maps: int, classes: int) -> nn.Module:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(maps, classes))


def _convolution(inputs: int, outputs: int, size: int, stride: int) -> nn.Conv2d:
    stepping = size == 1 and stride > 1
    made = SteppingConv2d(inputs, outputs, stride, bias=False) if stepping else nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
    nn.init.kaiming_normal_(made.weight, mode="fan_out", nonlinearity="relu")
    return made


def _pooled(edge: int) -> int:
    """An edge after both convolutions and poolings of LeNet-5."""
    return (edge // 2 - 4) // 2


def _check(config) -> None:
    edge, width = (8, 4096), (1, 65536)
    problems = out_of_range(config, channels=(1, 16), height=edge, width=edge, classes=(2, 65536), widths=width, depths=(1, 1000))
    if len(config.widths) != len(config.depths):
        problems.append(f"widths and depths have {len(config.widths)} and {len(config.depths)} numbers: expected one of each for every stage")
    if not 1 <= getattr(config, "stem", 1) <= 65536:
        problems.append(f"stem = {config.stem}: expected 1 to 65536")
    if isinstance(config, ResNet32Config) and any(later < earlier for earlier, later in zip(config.widths, config.widths[1:])):
        problems.append(f"widths = {config.widths}: expected no fewer maps in a later stage, shortcuts only add maps")
    if problems := problems or normalisation_problems(config):
        raise ConfigurationError(problems)
