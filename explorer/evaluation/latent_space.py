"""Where real perturbations lie in the latent space: how far out, and along which paths (Perturbation sets, Appendix E.3)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.data import Pairs
from explorer.errors import InvalidInput
from explorer.models import ConditionalVAE
from explorer.sets import LatentBall

from .set_quality import encode_pairs

NEUTRAL = 0.5  # the uniform number that leaves an image as it is
LAST = 1 - 2.0**-20


@dataclass(frozen=True, eq=False)
class LatentNorms:
    """‖u‖₂ of each pair's encoding, its class, its type among `type_names`, and the value of each of the transformation's parameters, where it has any.

    `read_out` is the share of a parameter's variance (R²) that a linear function of u, fitted on the first half of the pairs,
    explains on the second; empty where there are too few pairs."""

    norms: Float[Tensor, "n"]
    labels: Int[Tensor, "n"]
    class_names: tuple[str, ...]
    parameters: dict[str, Float[Tensor, "n"]]
    read_out: dict[str, float]
    types: Int[Tensor, "n"]
    type_names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Sweep:
    """One parameter over its whole range, the others neutral: its values, the images truly transformed so, their encodings u, and
    what the set makes of these u, not projected onto the ball."""

    name: str
    values: Float[Tensor, "steps"]
    perturbed: Float[Tensor, "steps c h w"]
    delta: Float[Tensor, "steps latent"]
    decoded: Float[Tensor, "steps c h w"]


def linear_read_out(delta: Float[Tensor, "n latent"], value: Float[Tensor, "n"]) -> float:
    """R² on the second half of the rows of a linear function fitted on the first."""
    from sklearn.linear_model import LinearRegression

    half, x, y = len(delta) // 2, delta.double().cpu().numpy(), value.double().cpu().numpy()
    return float(LinearRegression().fit(x[:half], y[:half]).score(x[half:], y[half:]))


def parameter_sweeps(
    model: ConditionalVAE, pairs: Pairs, image: Float[Tensor, "1 c h w"], device: torch.device | str = "cpu", steps: int = 25
) -> tuple[Sweep, ...]:
    """A sweep for each parameter of the pairs, of an image without its frame. Raises InvalidInput for pairs without parameters,
    such as pixel noise, and for fewer than two steps."""
    if not pairs.parameter_names:
        raise InvalidInput("these pairs are made with noise on each pixel: there is no parameter whose path could be followed.")
    if steps < 2:
        raise InvalidInput(f"a sweep needs at least 2 steps, got {steps}.")
    return tuple(_sweep(model, pairs, image.cpu(), torch.device(device), index, steps) for index in range(len(pairs.parameter_names)))


def _sweep(model, pairs, image, device, index, steps):
    draws = torch.full((steps, len(pairs.parameter_names)), NEUTRAL)
    draws[:, index] = torch.linspace(0, LAST, steps)
    perturbed = pairs.perturb(image.expand(steps, -1, -1, -1), draws).to(device)
    clean = pairs.clean(image).to(device).expand_as(perturbed)
    delta = encode_pairs(model, clean, perturbed).delta
    with torch.inference_mode():
        decoded = LatentBall(model, 0.0).at(clean).perturb(delta)
    return Sweep(pairs.parameter_names[index], pairs.parameter_values(draws)[:, index], perturbed, delta, decoded)
