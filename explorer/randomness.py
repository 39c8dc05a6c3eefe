"""Random streams keyed by (seed, example, restart).

Each example owns a generator, so a result depends neither on who else is in the batch, nor on the batch's size or order,
nor on an interruption. Numbers are drawn on the CPU: the same seed gives the same picture on every device.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from .errors import InvalidInput


def generator(*keys: int) -> torch.Generator:
    """A CPU generator whose state is a hash of the keys (NumPy's SeedSequence)."""
    if any(key < 0 for key in keys):
        raise InvalidInput(f"random keys are integers of at least 0, got {keys}")
    low, high = np.random.SeedSequence(keys).generate_state(2)
    return torch.Generator().manual_seed(int(high) << 32 | int(low))


class Streams:
    """One generator per example. Drawing advances them; `restarted` gives fresh ones."""

    def __init__(self, seed: int, examples: Sequence[int], restart: int = 0):
        self.seed, self.examples, self.restart = int(seed), tuple(int(e) for e in examples), int(restart)
        self.generators = [generator(self.seed, example, self.restart) for example in self.examples]

    def __len__(self) -> int:
        return len(self.examples)

    def restarted(self, restart: int) -> "Streams":
        return Streams(self.seed, self.examples, restart)

    def normal(self, shape: Sequence[int]) -> Float[Tensor, "batch ..."]:
        return self._draw(torch.randn, shape)

    def uniform(self, shape: Sequence[int]) -> Float[Tensor, "batch ..."]:
        return self._draw(torch.rand, shape)

    def _draw(self, law, shape):
        if not self.generators:
            return torch.empty(0, *shape)
        return torch.stack([law(tuple(shape), generator=each) for each in self.generators])
