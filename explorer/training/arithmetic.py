"""In which numbers and in which order of memory a training computes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import MethodType
from typing import Literal

import torch
from torch import Tensor, nn

Precision = Literal["float32", "bfloat16"]
LAYERS = (nn.Linear, nn.modules.conv._ConvNd)


@dataclass(frozen=True)
class Arithmetic:
    """`bfloat16`: the products of linear layers and convolutions in 16 bits; the weights, their updates and all else in 32, so that likelihoods of
    pixels, bounds and batch norm are as exact as ever; measuring too. `channels_last`: images lie in memory pixel by pixel, as tensor cores read
    them. Both are made for GPUs."""

    precision: Precision = "float32"
    channels_last: bool = False

    def prepared(self, model: nn.Module) -> nn.Module:
        return model.to(memory_format=torch.channels_last) if self.channels_last else model

    def ready(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if not self.channels_last:
            return batch
        return tuple(each.contiguous(memory_format=torch.channels_last) if each.ndim == 4 else each for each in batch)

    @contextmanager
    def within(self, model: nn.Module) -> Iterator[None]:
        """While a model is trained with it."""
        layers = [each for each in model.modules() if isinstance(each, LAYERS)] if self.precision == "bfloat16" else []
        for each in layers:
            each.forward = MethodType(_in_16_bits, each)
        try:
            yield
        finally:
            for each in layers:
                del each.__dict__["forward"]

    @property
    def told(self) -> str:
        """What a checkpoint's description says of it; empty where there is nothing to say."""
        parts = ["bfloat16"] * (self.precision == "bfloat16") + ["channels last"] * self.channels_last
        return f"trained in {', '.join(parts)}" if parts else ""


PLAIN = Arithmetic()


def _in_16_bits(self: nn.Module, x: Tensor, *rest) -> Tensor:
    """A layer's product, given on as what came in. What no gradient goes through is exact: so are networks that are recorded for their bounds."""
    if not torch.is_grad_enabled():
        return type(self).forward(self, x, *rest)
    with torch.autocast(x.device.type, torch.bfloat16):
        return type(self).forward(self, x, *rest).to(x.dtype)
