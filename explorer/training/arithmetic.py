"""In which numbers and in which order of memory a training computes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class Arithmetic:
    """`bfloat16`: products and convolutions in 16 bits, the weights and their updates in 32 (torch.autocast); measuring stays in float32.
    `channels_last`: images lie in memory pixel by pixel, as tensor cores read them. Both are made for GPUs."""

    precision: Precision = "float32"
    channels_last: bool = False

    def prepared(self, model: nn.Module) -> nn.Module:
        return model.to(memory_format=torch.channels_last) if self.channels_last else model

    def ready(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if not self.channels_last:
            return batch
        return tuple(each.contiguous(memory_format=torch.channels_last) if each.ndim == 4 else each for each in batch)

    @contextmanager
    def cast(self, device: torch.device) -> Iterator[None]:
        with torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            yield

    @property
    def told(self) -> str:
        """What a checkpoint's description says of it; empty where there is nothing to say."""
        parts = ["bfloat16"] * (self.precision == "bfloat16") + ["channels last"] * self.channels_last
        return f"trained in {', '.join(parts)}" if parts else ""


PLAIN = Arithmetic()
