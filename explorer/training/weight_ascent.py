"""Gradients at worse weights: what makes a training look for flat minima of its loss."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

TINY = 1e-20


@dataclass(frozen=True)
class WeightAscent:
    """One step up the loss in the space of weights. `rule` is `whole`: all parameters together move by `size` along the gradient (SAM,
    Foret et al., 2021, eq. 2, `size` being ρ); or `relative`: each tensor w of more than one dimension moves by `size`·‖w‖ along its own
    gradient (AWP, Wu et al., 2020, §3.3, `size` being γ; its published code takes one step, whose length makes the proxy's learning rate drop
    out)."""

    size: float
    rule: Literal["whole", "relative"]

    @contextmanager
    def worse(self, model: nn.Module, objective: Callable[[], Float[Tensor, ""]], summed: Callable[[Sequence[Tensor | None]], Sequence[Tensor | None]] = tuple) -> Iterator[None]:
        """The model at the worse weights, and exactly back. Batch norm does not learn from the pass that finds them. Where several processes train
        together, `summed` adds the others' gradients."""
        chosen = [each for each in model.parameters() if each.requires_grad and (self.rule == "whole" or each.ndim > 1)]
        with unlearning(model), torch.enable_grad():
            gradients = summed(torch.autograd.grad(objective(), chosen, allow_unused=True))
        moved = [(each, gradient) for each, gradient in zip(chosen, gradients, strict=True) if gradient is not None]
        kept = [each.detach().clone() for each, _ in moved]
        with torch.no_grad():
            length = torch.stack([gradient.norm() for _, gradient in moved]).norm()
            for each, gradient in moved:
                share = 1 / (length + TINY) if self.rule == "whole" else each.norm() / (gradient.norm() + TINY)
                each.add_(self.size * share * gradient)
        try:
            yield
        finally:
            with torch.no_grad():
                for (each, _), before in zip(moved, kept, strict=True):
                    each.copy_(before)


@contextmanager
def unlearning(model: nn.Module) -> Iterator[None]:
    """Batch norm takes the batch's statistics and keeps its running ones as they are."""
    norms = [(module, module.momentum, module.num_batches_tracked.clone()) for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is not None]
    for module, _, _ in norms:
        module.momentum = 0.0
    try:
        yield
    finally:
        for module, momentum, seen in norms:
            module.momentum = momentum
            module.num_batches_tracked.copy_(seen)
