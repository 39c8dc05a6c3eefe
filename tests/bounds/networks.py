"""Random small networks made of every kind of layer that has bounds."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class Apply(nn.Module):
    """A function as a layer."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        return self.function(x)


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.inner = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect"))

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        return x + self.inner(F.relu(x))


class Joined(nn.Module):
    """Two branches side by side."""

    def __init__(self, channels):
        super().__init__()
        self.left, self.right = nn.Conv2d(channels, 2, 1), nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch joined h w"]:
        return torch.cat([self.left(x), torch.tanh(self.right(x))], 1)


class Normalised(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.register_buffer("mean", torch.rand(channels, 1, 1))
        self.register_buffer("std", torch.rand(channels, 1, 1) + 0.5)

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        return (x - self.mean) / self.std


class Scale(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.factor, self.shift = nn.Parameter(torch.randn(channels, 1, 1)), nn.Parameter(torch.randn(channels, 1, 1))

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        return 0.5 - (self.factor * x + self.shift)


class Gate(nn.Module):
    """A product of two things that both depend on the input."""

    def __init__(self, channels):
        super().__init__()
        self.gate = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        return x * torch.sigmoid(self.gate(x))


def _normalising(channels):
    layer = nn.BatchNorm2d(channels)
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    layer.running_mean.normal_()
    layer.running_var.uniform_(0.3, 2.0)
    return layer


ACTIVATIONS = {
    "relu": nn.ReLU,
    "relu in place": lambda: nn.Sequential(Apply(lambda x: 1.5 * x), nn.ReLU(inplace=True)),
    "leaky relu": lambda: nn.LeakyReLU(0.2),
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "softplus": nn.Softplus,
    "exp": lambda: Apply(lambda x: torch.exp(0.3 * x)),
    "square": lambda: Apply(lambda x: (0.5 * x) ** 2),
    "clamp": lambda: Apply(lambda x: x.clamp(-0.3, 0.4)),
    "hardtanh": nn.Hardtanh,
    "abs": lambda: Apply(torch.abs),
}
SHAPED = {
    "convolution": lambda c: nn.Conv2d(c, 4, 3, stride=1, padding=1),
    "strided convolution": lambda c: nn.Conv2d(c, 4, 3, stride=2, padding=1),
    "grouped convolution": lambda c: nn.Conv2d(c, 2 * c, 3, padding=1, groups=c),
    "dilated convolution": lambda c: nn.Conv2d(c, 3, 2, padding=1, dilation=2),
    "reflected convolution": lambda c: nn.Conv2d(c, 3, 3, padding=1, padding_mode="reflect"),
    "transposed convolution": lambda c: nn.ConvTranspose2d(c, 3, 3, stride=2, padding=1, output_padding=1),
    "batch norm": _normalising,
    "average pool": lambda c: nn.AvgPool2d(2, ceil_mode=True),
    "adaptive pool": lambda c: nn.AdaptiveAvgPool2d(3),
    "maximum pool": lambda c: nn.MaxPool2d(2, stride=1, padding=1),
    "maximum pool, ceiled": lambda c: nn.MaxPool2d(3, stride=2, ceil_mode=True),
    "residual": Residual,
    "joined": Joined,
    "normalised": Normalised,
    "scaled": Scale,
    "gate": Gate,
    "nearest": lambda c: nn.Upsample(scale_factor=2),
    "bilinear": lambda c: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
    "reshaped": lambda c: Apply(lambda x: x.flatten(2).unflatten(2, x.shape[2:])),
    "turned": lambda c: Apply(lambda x: x.transpose(2, 3)),
    "cut": lambda c: Apply(lambda x: x[:, :, 1:]),
}
IMAGE = (2, 5, 5)


def random_network(seed: int, layers: int = 3, outputs: int = 4, only: tuple[str, ...] | None = None) -> nn.Module:
    """Layers and activations in turn, then a linear layer. `only` names the activations."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts, x = [], torch.rand(2, *IMAGE)
        for _ in range(layers):
            for table in (SHAPED, {name: ACTIVATIONS[name] for name in only} if only else ACTIVATIONS):
                name = list(table)[int(torch.randint(len(table), (), generator=generator))]
                part = (table[name](x.shape[1]) if table is SHAPED else table[name]()).eval()
                if _fits(part, x):
                    parts.append(part)
                    x = part(x)
        parts += [nn.Flatten(), nn.Linear(math.prod(x.shape[1:]), outputs)]
        return nn.Sequential(*parts).eval()


def _fits(part: nn.Module, x: Tensor) -> bool:
    """Whether the layer takes images of this size and gives neither none nor large ones."""
    try:
        return 0 < part(x)[0].numel() <= 400
    except (RuntimeError, ValueError, NotImplementedError):
        return False


def layer_network(name: str, seed: int = 0) -> nn.Module:
    """One layer between two others."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        first = nn.Conv2d(IMAGE[0], 3, 3, padding=1)
        middle = (SHAPED[name](3) if name in SHAPED else ACTIVATIONS[name]()).eval()
        shape = middle(first(torch.rand(2, *IMAGE))).shape
        return nn.Sequential(first, middle, nn.ReLU(), nn.Flatten(), nn.Linear(math.prod(shape[1:]), 3)).eval()
