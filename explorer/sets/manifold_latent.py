"""The set around an image on the manifold of its class (Manifold directions, §3)."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from explorer.errors import InvalidInput
from explorer.models import ClassConditionalVAE

from .base import Perturbations
from .checks import check_images, check_radius
from .latent_ball import without_gradients
from .lp_ball import Shift
from .regions import Box, L2Ball


@dataclass(frozen=True, eq=False)
class ManifoldLatent:
    """All g(z + δ, y) with z the mean of q(z | x, y) and ‖δ‖ ≤ radius, in units of the latents: an ℓ∞ box, whose steepest ascent is the
    sign step of eq. (2)'s generative attack, or an ℓ2 ball. `norm` is 2 or math.inf."""

    model: ClassConditionalVAE
    radius: int | float
    norm: int | float = math.inf

    def __post_init__(self):
        check_radius(self.radius)
        if self.norm not in (2, math.inf):
            raise InvalidInput(f"norm must be the number 2 or math.inf, got {self.norm!r}.")

    def at(self, x: Float[Tensor, "batch channels height width"], labels: Int[Tensor, "_"] | None = None) -> Perturbations:
        """Raises InvalidInput for images that the model does not take, and without a class for each."""
        check_images(x)
        if tuple(x.shape[1:]) != self.model.image_shape:
            raise InvalidInput(f"the model takes images of shape {self.model.image_shape}, got {tuple(x.shape[1:])}. Resize or crop the images.")
        if labels is None or labels.shape != x.shape[:1]:
            raise InvalidInput(f"expected a class for each of {len(x)} images: the manifold is that of its class.")
        with torch.no_grad():
            mean = self.model.encode(x.detach(), labels).mean
        radii = mean.new_full(mean.shape if self.norm == math.inf else mean.shape[:1], self.radius)
        region = Box(radii) if self.norm == math.inf else L2Ball(radii, (self.model.latent_dim,))
        return Perturbations(region, nn.Sequential(Shift(mean), ClassDecoder(without_gradients(self.model), labels)).eval())


class ClassDecoder(nn.Module):
    """z -> g(z, y), for one batch of classes."""

    def __init__(self, model: ClassConditionalVAE, labels: Int[Tensor, "batch"]):
        super().__init__()
        self.model = model
        self.register_buffer("labels", labels, persistent=False)

    def forward(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channels height width"]:
        return self.model.decode(z, self.labels)

    def of_rows(self, rows: Int[Tensor, "pairs"]) -> "ClassDecoder":
        return ClassDecoder(self.model, self.labels[rows])
