"""Random streams keyed by (purpose, seed, example, restart).

Each example owns a generator, so a result depends neither on who else is in the batch, nor on the batch's size or order,
nor on an interruption. Numbers are drawn on the CPU: the same seed gives the same picture on every device.
"""

import zlib
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from .errors import InvalidInput


LARGEST_KEY = 2**63 - 1


def generator(purpose: str, *keys: int) -> torch.Generator:
    """A CPU generator whose state is a hash of all keys (NumPy's SeedSequence). Different purposes are independent."""
    if not all(0 <= key <= LARGEST_KEY for key in keys):
        raise InvalidInput(f"random keys are integers from 0 to 2**63 - 1, got {keys}")
    words = [len(keys), zlib.crc32(purpose.encode()), *(word for key in keys for word in (key & 0xFFFFFFFF, key >> 32))]
    low, high = np.random.SeedSequence(words).generate_state(2)
    return torch.Generator().manual_seed(int(high) << 32 | int(low))


class Streams:
    """One generator per example. Drawing advances them; `restarted` gives fresh ones.

    Numbers drawn for one purpose (pairs, posterior, search, …) say nothing about those drawn for another."""

    def __init__(self, seed: int, examples: Sequence[int], restart: int = 0, purpose: str = "search"):
        self.seed, self.examples, self.restart = int(seed), tuple(int(e) for e in examples), int(restart)
        self.purpose = purpose
        self.generators = [generator(purpose, self.seed, example, self.restart) for example in self.examples]

    def __len__(self) -> int:
        return len(self.examples)

    def restarted(self, restart: int) -> "Streams":
        return Streams(self.seed, self.examples, restart, self.purpose)

    def normal(self, shape: Sequence[int]) -> Float[Tensor, "batch ..."]:
        return self._draw(torch.randn, shape)

    def uniform(self, shape: Sequence[int]) -> Float[Tensor, "batch ..."]:
        return self._draw(torch.rand, shape)

    def _draw(self, law, shape):
        if not self.generators:
            return torch.empty(0, *shape)
        return torch.stack([law(tuple(shape), generator=each) for each in self.generators])
