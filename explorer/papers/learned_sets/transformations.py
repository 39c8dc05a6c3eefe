"""How each parameter of a transformation (angle, scale, shift) maps into the latent space of a learned set."""

from jaxtyping import Float
from torch import Tensor

from explorer.data import GeneratedPairs
from explorer.errors import InvalidInput
from explorer.evaluation.latent_space import Sweep, parameter_sweeps

from .exploration import LearnedSet


def sweeps(learned: LearnedSet, image: Float[Tensor, "1 c h w"], steps: int = 25) -> tuple[Sweep, ...]:
    """A sweep for each parameter, of an image without its frame. Raises InvalidInput for pairs without parameters."""
    if not isinstance(learned.pairs, GeneratedPairs):
        raise InvalidInput("these pairs lie in files: there is no parameter whose path could be followed.")
    return parameter_sweeps(learned.checkpoint.model, learned.pairs.way, image, learned.device, steps)
