"""Pairs of an image and one of its common corruptions (Perturbation sets, §5.1 and Appendix E)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from jaxtyping import Float, Int
from torch import Tensor

from explorer.randomness import Streams

from .corruptions import CORRUPTIONS, corrupt

IN_DISTRIBUTION = (
    "defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "snow", "frost", "fog", "brightness", "contrast", "elastic_transform", "pixelate", "jpeg_compression",
)  # fmt: skip
OUT_OF_DISTRIBUTION = ("gaussian_blur", "spatter", "saturate")
ORIGINAL = "original"
Pairing = Literal["centred", "original", "perturbed"]
HALF_KEY = 2**24  # a uniform number in single precision has so many values


@dataclass(frozen=True)
class CorruptionPairs:
    """The clean image and a corruption of it; or, where a pairing is not `centred`, two different ones of the corruptions, to which `original`
    adds the clean image (Appendix E.2). All at one severity; the twelve and the 5 are the paper's. Grey images are corrupted as grey colours.

    The first uniform number decides the type of the perturbed image, two more its randomness; so do three for the reference."""

    parameter_names: ClassVar[tuple[str, ...]] = ()
    costly: ClassVar[bool] = True
    corruptions: tuple[str, ...] = IN_DISTRIBUTION
    pairing: Pairing = "centred"
    severity: int = 5

    @property
    def type_names(self) -> tuple[str, ...]:
        return ((ORIGINAL,) if self.pairing == "original" else ()) + self.corruptions

    def draws(self, shape: tuple[int, int, int]) -> int:
        return 3 if self.pairing == "centred" else 6

    def image_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        return tuple(shape)

    def clean(self, images: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        return images

    def unframed(self, clean: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        return clean

    def reference(self, images: Float[Tensor, "batch c h w"], draws: Float[Tensor, "batch draws"]) -> Float[Tensor, "batch c h w"]:
        """The clean image, or another one of the types than the perturbed image's."""
        types = self.reference_types(draws)
        return images if types is None else self._corrupted(images, types, draws[:, 4:6])

    def perturb(self, images: Float[Tensor, "batch c h w"], draws: Float[Tensor, "batch draws"]) -> Float[Tensor, "batch c h w"]:
        return self._corrupted(images, self.types(draws), draws[:, 1:3])

    def parameter_values(self, draws: Float[Tensor, "batch draws"]) -> Float[Tensor, "batch 0"]:
        return draws[:, :0]

    def describe(self, draws: Float[Tensor, "batch draws"]) -> tuple[str, ...]:
        return tuple(self.type_names[number].replace("_", " ") for number in self.types(draws))

    def types(self, draws: Float[Tensor, "batch draws"]) -> Int[Tensor, "batch"]:
        """Of the perturbed images."""
        count = len(self.type_names)
        return (draws[:, 0] * count).long().clamp(max=count - 1).cpu()

    def reference_types(self, draws: Float[Tensor, "batch draws"]) -> Int[Tensor, "batch"] | None:
        """Of the references; none where these are the clean images."""
        if self.pairing == "centred":
            return None
        others = len(self.type_names) - 1
        other = (draws[:, 3] * others).long().clamp(max=others - 1).cpu()
        return (self.types(draws) + 1 + other) % len(self.type_names)

    def _corrupted(self, images: Tensor, types: Int[Tensor, "batch"], numbers: Float[Tensor, "batch 2"]) -> Tensor:
        """Each image by its own type; two uniform numbers are the key of its randomness."""
        high, low = (numbers.double() * HALF_KEY).long().clamp(0, HALF_KEY - 1).cpu().unbind(1)
        keys, found = (high * HALF_KEY + low), images.clone()
        for number in types.unique().tolist():
            name = self.type_names[number]
            if name == ORIGINAL:
                continue
            chosen = (types == number).nonzero().flatten()
            streams, of_type = Streams(0, keys[chosen].tolist(), purpose="corruption"), images[chosen.to(images.device)]
            grey = of_type.shape[1] == 1 and CORRUPTIONS[name].coloured
            corrupted = corrupt(of_type.expand(-1, 3, -1, -1) if grey else of_type, name, self.severity, streams)
            found[chosen.to(images.device)] = corrupted.mean(1, keepdim=True) if grey else corrupted
        return found
