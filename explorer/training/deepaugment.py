"""DeepAugment (Hendrycks et al., 2020a): images that went through an image-to-image network whose weights and activations were distorted."""

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.errors import InvalidInput
from explorer.models.corruption_networks import CompressiveAutoencoder, Edsr
from explorer.randomness import generator as seeded

from . import compressive_distortions, edsr_distortions

REDRAWN = 0.05  # of the images begin with new weights, as published
KINDS = {Edsr: edsr_distortions, CompressiveAutoencoder: compressive_distortions}


@dataclass(frozen=True, eq=False)
class DeepAugment:
    """What one network makes of a data set's images. Weights are distorted anew for every twentieth image or so, activations for each. The
    images go through at their own size, where the published code enlarges them first. Raises InvalidInput for another network."""

    network: nn.Module  # an Edsr or a CompressiveAutoencoder
    seed: int = 0

    def __post_init__(self):
        if type(self.network) not in KINDS:
            raise InvalidInput(f"DeepAugment distorts an EDSR or a compressive autoencoder, got {type(self.network).__name__}.")

    def __call__(self, images: Float[Tensor, "some c h w"], first: int = 0) -> Float[Tensor, "some c h w"]:
        """In [0, 1]; `first` is the number of the first image in its data set, on which alone its distortions depend."""
        found = list(self.each(images.split(1), range(first, first + len(images))))
        return torch.cat(found) if found else images

    def each(self, images: Iterable[Float[Tensor, "1 c h w"]], numbers: Sequence[int]) -> Iterator[Float[Tensor, "1 c h w"]]:
        """One after the other, of any sizes, with their numbers in the data set."""
        kind, versions = KINDS[type(self.network)], self._versions(max(numbers, default=-1) + 1)
        network, held = copy.deepcopy(self.network).eval(), None
        for image, number in zip(images, numbers, strict=True):
            if (version := int(versions[number])) != held:
                network.load_state_dict(self.network.state_dict())
                with torch.no_grad():
                    kind.distort_weights(network, seeded("deepaugment weights", self.seed, version))
                held = version
            with torch.no_grad():
                made = kind.distorted_image(network, image, seeded("deepaugment image", self.seed, number))
            yield made

    def _versions(self, count: int) -> Tensor:
        """Of the weights that each of the first images is shown to."""
        return (torch.rand(count, generator=seeded("deepaugment versions", self.seed)) < REDRAWN).cumsum(0)
