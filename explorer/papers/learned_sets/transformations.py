"""How each parameter of a transformation (angle, scale, shift) maps into the latent space of a learned set."""

from jaxtyping import Float
from torch import Tensor

from explorer.evaluation.latent_space import Sweep, parameter_sweeps

from .exploration import LearnedSet


def sweeps(learned: LearnedSet, image: Float[Tensor, "1 c h w"], steps: int = 25) -> tuple[Sweep, ...]:
    """A sweep for each parameter, of an image without its frame. Raises InvalidInput for pairs without parameters."""
    return parameter_sweeps(learned.checkpoint.model, learned.pairs, image, learned.device, steps)
