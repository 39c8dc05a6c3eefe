"""Pairs (clean, perturbed) made from clean images."""

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from explorer.errors import InvalidInput


@runtime_checkable
class Pairs(Protocol):
    """A way to make (clean, perturbed) pairs: all randomness comes in as uniform numbers, batch × `draws`.

    Where each number decides one parameter of a transformation, `parameter_names` names them with their units; numbers of ½ leave
    the image as it is. Pixel noise has no such parameters. Where perturbations are of several types, named in `type_names`, the first number
    decides which. `reference` is the image that the pair is conditioned on: in most ways the clean one. `costly` ones take long to make."""

    parameter_names: ClassVar[tuple[str, ...]]
    costly: ClassVar[bool]

    @property
    def type_names(self) -> tuple[str, ...]: ...

    def draws(self, shape: tuple[int, int, int]) -> int: ...

    def image_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]: ...

    def clean(self, images: Tensor) -> Tensor: ...

    def reference(self, images: Tensor, draws: Tensor) -> Tensor: ...

    def unframed(self, clean: Tensor) -> Tensor: ...

    def perturb(self, images: Tensor, draws: Tensor) -> Tensor: ...

    def parameter_values(self, draws: Tensor) -> Tensor: ...

    def describe(self, draws: Tensor) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class LinfPairs:
    """Uniform noise in [−radius, radius] on each pixel, clipped to [0, 1] (Perturbation sets, Appendix D.1, "ℓ∞ details")."""

    parameter_names: ClassVar[tuple[str, ...]] = ()
    type_names: ClassVar[tuple[str, ...]] = ("noise",)
    costly: ClassVar[bool] = False
    radius: float = 0.3

    def draws(self, shape: tuple[int, int, int]) -> int:
        """One number for each pixel."""
        return math.prod(shape)

    def image_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        return tuple(shape)

    def clean(self, images: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        return images

    def reference(self, images: Float[Tensor, "batch c h w"], draws: Float[Tensor, "batch draws"]) -> Float[Tensor, "batch c h w"]:
        return self.clean(images)

    def unframed(self, clean: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        return clean

    def perturb(self, images: Float[Tensor, "batch c h w"], draws: Float[Tensor, "batch draws"]) -> Float[Tensor, "batch c h w"]:
        return (images + self.radius * (2 * draws.view_as(images) - 1)).clamp(0, 1)

    def parameter_values(self, draws: Float[Tensor, "batch draws"]) -> Float[Tensor, "batch 0"]:
        return draws[:, :0]

    def describe(self, draws: Float[Tensor, "batch draws"]) -> tuple[str, ...]:
        return tuple(f"noise {number + 1}, ±{self.radius:g}" for number in range(len(draws)))


@dataclass(frozen=True)
class RtsParameters:
    """One rotation, scaling and placement per image."""

    degrees: Float[Tensor, "batch"]
    scale: Float[Tensor, "batch"]
    shift: Float[Tensor, "batch 2"]


@dataclass(frozen=True)
class RtsPairs:
    """Random rotation ± 45°, scale 0.7 to 1.3, and placement in a frame 14 pixels larger (Perturbation sets, Appendix D.1,
    after Jaderberg et al., 2015). Resampled bilinearly, in one step."""

    parameter_names: ClassVar[tuple[str, ...]] = ("rotation (degrees)", "scale", "shift right (pixels)", "shift down (pixels)")
    type_names: ClassVar[tuple[str, ...]] = ("rotation, scale and placement",)
    costly: ClassVar[bool] = False
    maximum_degrees: float = 45.0
    minimum_scale: float = 0.7
    maximum_scale: float = 1.3
    padding: int = 7

    def draws(self, shape: tuple[int, int, int]) -> int:
        """How many uniform numbers in [0, 1) decide one perturbation of an image of that shape: here angle, scale, x, y."""
        return 4

    def describe(self, draws: Float[Tensor, "batch draws"]) -> tuple[str, ...]:
        """What was done to each image, in words."""
        made = self.parameters(draws)
        rows = zip(made.degrees.tolist(), made.scale.tolist(), made.shift.tolist())
        return tuple(f"{degrees:+.0f}°, ×{scale:.2f}, ({right:+.0f}, {down:+.0f})" for degrees, scale, (right, down) in rows)

    def image_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """The (channels, height, width) of a pair's images, for clean images of the given shape."""
        return shape[0], shape[1] + 2 * self.padding, shape[2] + 2 * self.padding

    def clean(self, images: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c fh fw"]:
        """The image in the middle of its frame."""
        return F.pad(images, [self.padding] * 4)

    def reference(self, images: Float[Tensor, "batch c h w"], draws: Float[Tensor, "batch draws"]) -> Float[Tensor, "batch c fh fw"]:
        return self.clean(images)

    def unframed(self, clean: Float[Tensor, "batch c fh fw"]) -> Float[Tensor, "batch c h w"]:
        """The image without its frame: the inverse of `clean`."""
        return clean[..., self.padding : -self.padding, self.padding : -self.padding] if self.padding else clean

    def parameters(self, draws: Float[Tensor, "batch draws"]) -> RtsParameters:
        """Uniform numbers in [0, 1) as rotation, scale, and a whole number of pixels right and down."""
        if draws.ndim != 2 or draws.shape[1] != 4:
            raise InvalidInput(f"expected batch × 4 uniform numbers, got {tuple(draws.shape)}")
        return RtsParameters(
            degrees=(2 * draws[:, 0] - 1) * self.maximum_degrees,
            scale=self.minimum_scale + draws[:, 1] * (self.maximum_scale - self.minimum_scale),
            shift=(draws[:, 2:] * (2 * self.padding + 1)).floor() - self.padding,
        )

    def parameter_values(self, draws: Float[Tensor, "batch draws"]) -> Float[Tensor, "batch 4"]:
        """The parameters of each image in the order of `parameter_names`."""
        made = self.parameters(draws)
        return torch.cat([torch.stack([made.degrees, made.scale], 1), made.shift], 1)

    def transform(
        self, images: Float[Tensor, "batch c h w"], parameters: RtsParameters
    ) -> Float[Tensor, "batch c fh fw"]:
        """Rotate counter-clockwise and scale about the centre, then shift."""
        framed = self.clean(images)
        height, width = framed.shape[-2:]
        angle = parameters.degrees * (math.pi / 180)
        cosine, sine = angle.cos() / parameters.scale, angle.sin() / parameters.scale
        right, down = parameters.shift.unbind(1)
        # grid_sample maps output positions to input positions, so this is the inverse map, in units of half an edge
        x_row = torch.stack([cosine, -sine * height / width, (-cosine * right + sine * down) * 2 / width], 1)
        y_row = torch.stack([sine * width / height, cosine, (-sine * right - cosine * down) * 2 / height], 1)
        grid = F.affine_grid(torch.stack([x_row, y_row], 1), list(framed.shape), align_corners=False)
        return F.grid_sample(framed, grid, align_corners=False)

    def perturb(self, images: Float[Tensor, "batch c h w"], draws: Float[Tensor, "batch draws"]) -> Float[Tensor, "batch c fh fw"]:
        return self.transform(images, self.parameters(draws))
