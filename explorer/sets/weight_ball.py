"""AdA's corruption set: what an image-to-image network makes of an image under small changes of its weights (AdA, §3)."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from explorer.errors import InvalidInput

from .base import Perturbations
from .block_ball import BlockBall
from .checks import check_images, check_radius
from .latent_ball import without_gradients
from .own_weights import with_own_weights

STEP_SHARE = 0.25  # of the median radius over the blocks (AdA, Appendix E.4)


@dataclass(frozen=True, eq=False)
class WeightBall:
    """All c_{φ+δ}(x) with ‖δᵢ‖₂ ≤ radius·‖φᵢ‖₂ for the weights φᵢ of each layer, another δ for each image; radius is AdA's ν.

    A layer is a module with parameters of its own: its weight and bias together. The network maps images to images of their size, whose
    pixels are cut to [0, 1]; it computes in evaluation mode. `chunk` images are computed together (AdA's nano-batch; None: all)."""

    model: nn.Module
    radius: int | float
    chunk: int | None = None
    layers: tuple["Layer", ...] = field(init=False, repr=False)
    _fits: set[tuple] = field(default_factory=set, init=False, repr=False)

    def __post_init__(self):
        check_radius(self.radius, "the radius ν, relative to each layer's norm,")
        if self.chunk is not None and self.chunk < 1:
            raise InvalidInput(f"chunk must be at least 1 image, got {self.chunk}.")
        object.__setattr__(self, "layers", layers_of(self.model))
        if not self.layers:
            raise InvalidInput(f"{type(self.model).__name__} has no parameters to perturb.")

    @property
    def radii(self) -> Float[Tensor, "blocks"]:
        """ν·‖φᵢ‖₂ of each layer."""
        return self.radius * torch.stack([layer.norm for layer in self.layers])

    @property
    def step_size(self) -> float:
        """Of sign steps (AdA, Appendix E.4), for 10 steps; 10/3 of it for 3."""
        return STEP_SHARE * self.radii.median().item()

    def at(self, x: Float[Tensor, "batch channels height width"], labels: Tensor | None = None) -> Perturbations:
        """Raises InvalidInput for images that the network does not take, or whose size it does not keep."""
        check_images(x)
        x, network = x.detach(), without_gradients(self.model).eval()
        self._check_fit(network, x)
        region = BlockBall(self.radii.to(x).expand(len(x), -1), tuple(layer.size for layer in self.layers))
        return Perturbations(region, PerturbedNetwork(network, x, self.chunk).eval())

    def _check_fit(self, network: nn.Module, x: Float[Tensor, "batch channels height width"]) -> None:
        """By a pass of one image, once for each shape."""
        kind = (x.shape[1:], x.dtype, x.device)
        if kind in self._fits or not len(x):
            return
        try:
            with torch.no_grad():
                shape = network(x[:1]).shape
        except RuntimeError as error:
            raise InvalidInput(f"the network does not take images of shape {tuple(x.shape[1:])}: {error}") from None
        if shape[1:] != x.shape[1:]:
            raise InvalidInput(f"expected a network that keeps the image's shape {tuple(x.shape[1:])}, got {tuple(shape[1:])}.")
        self._fits.add(kind)


@dataclass(frozen=True, eq=False)
class Layer:
    """A block of weights: the module's path, and its parameters by their full names."""

    path: str
    parameters: dict[str, nn.Parameter]

    @property
    def size(self) -> int:
        return sum(each.numel() for each in self.parameters.values())

    @property
    def norm(self) -> Float[Tensor, ""]:
        with torch.no_grad():
            return torch.stack([torch.linalg.vector_norm(each) for each in self.parameters.values()]).norm()


def layers_of(network: nn.Module) -> tuple[Layer, ...]:
    """In the order of the network's modules; a module that stands in several places is one layer."""
    found = []
    for path, module in network.named_modules():
        own = {f"{path}.{name}" if path else name: each for name, each in module.named_parameters(recurse=False)}
        if own:
            found.append(Layer(path or "the network itself", own))
    return tuple(found)


class PerturbedNetwork(nn.Module):
    """δ -> c_{φ+δ}(x), cut to [0, 1], with its own weights for each image of one batch."""

    def __init__(self, network: nn.Module, x: Float[Tensor, "batch channels height width"], chunk: int | None = None):
        super().__init__()
        self.network, self.chunk = network, chunk
        self.named = [pair for layer in layers_of(network) for pair in layer.parameters.items()]
        self.register_buffer("x", x, persistent=False)

    def forward(self, delta: Float[Tensor, "batch parameters"]) -> Float[Tensor, "batch channels height width"]:
        if not len(delta):
            return self.x
        chunk = self.chunk or len(delta)
        if len(delta) <= chunk:  # no copy of the gradients
            return self._computed(delta, self.x).clamp(0, 1)
        return torch.cat([self._computed(*each) for each in zip(delta.split(chunk), self.x.split(chunk), strict=True)]).clamp(0, 1)

    def of_rows(self, rows: Int[Tensor, "pairs"]) -> "PerturbedNetwork":
        return PerturbedNetwork(self.network, self.x[rows], self.chunk)

    def _computed(self, delta: Float[Tensor, "some parameters"], x: Float[Tensor, "some channels height width"]) -> Float[Tensor, "some channels height width"]:
        return with_own_weights(self.network, self._weights(delta), x)

    def _weights(self, delta: Float[Tensor, "some parameters"]) -> dict[str, Tensor]:
        parts = delta.split([each.numel() for _, each in self.named], 1)
        return {name: each + part.view(-1, *each.shape) for (name, each), part in zip(self.named, parts, strict=True)}
