"""What DeepAugment's distortions of its two networks share: numbers that are drawn, and weights that are set."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Drawn:
    """A network whose weights may be changed, and the generator that says how."""

    def __init__(self, network: nn.Module, generator: torch.Generator):
        self.network, self.generator = network, generator

    def whole(self, low: int, high: int) -> int:
        """From `low` to before `high`."""
        return int(torch.randint(low, high, (), generator=self.generator))

    def one_of(self, values: Sequence):
        return values[self.whole(0, len(values))]

    def uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.generator)


def set_weights(layer: nn.Conv2d | nn.ConvTranspose2d, weight: Tensor, bias: Tensor | None = None) -> None:
    layer.weight.copy_(weight.clone())
    if bias is not None:
        layer.bias.copy_(bias.clone())
