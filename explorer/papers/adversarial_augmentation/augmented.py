"""A training set as DeepAugment's networks see it, made once and kept, and drawing from it beside the clean images (AdA, Appendix E.5): images in
memory."""

from dataclasses import dataclass, field
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.batches import Columns, over_batches
from explorer.training import DeepAugment
from explorer.types import Progress

from .config import AugmentedConfig
from .opening import open_backbone

AT_ONCE = 250  # images in a file of them


@dataclass(frozen=True, eq=False)
class Sources:
    """The images of a training set in bytes, clean and through each network, and the digests of the networks' files."""

    versions: tuple[Tensor, ...]
    digests: dict[str, str] = field(default_factory=dict)

    def drawn(self, chosen: Int[Tensor, " batch"], generator: torch.Generator, device: torch.device) -> Float[Tensor, "batch c h w"]:
        """Of each image one version, all with equal chances; nothing is drawn where there is one."""
        if len(self.versions) == 1:
            return _pixels(self.versions[0][chosen.to(self.versions[0].device)]).to(device)
        which = torch.randint(len(self.versions), (len(chosen),), generator=generator)
        stacked = torch.stack([version[chosen.to(version.device)] for version in self.versions])
        return _pixels(stacked[which.to(stacked.device), torch.arange(len(chosen), device=stacked.device)]).to(device)


def sources(config: AugmentedConfig, images: Float[Tensor, "n c h w"], folder: Path, device: torch.device, progress: Progress) -> Sources:
    """Clean images and, where the configuration names networks, what these make of them: kept batch by batch in `folder`, so that a stopped
    training goes on with the same. Raises CheckpointError where a network is missing, InvalidInput for one that DeepAugment has no distortions of."""
    if not config.deepaugment:
        return Sources((images.to(device),))
    augments, digests = open_augments(config, device)
    made = [_through(augment, images, folder / f"deepaugment-{digest}", device, progress) for augment, digest in zip(augments, digests.values(), strict=True)]
    return Sources((_bytes(images), *made), digests)


def open_augments(config: AugmentedConfig, device: torch.device) -> tuple[list[DeepAugment], dict[str, str]]:
    """DeepAugment with each of its networks, and the digests of their files."""
    opened = [open_backbone(name, device) for name in config.deepaugment]
    return [DeepAugment(each.model, config.seed) for each in opened], {f"deepaugment_{number}_digest": each.digest for number, each in enumerate(opened)}


def _through(augment: DeepAugment, images: Float[Tensor, "n c h w"], folder: Path, device: torch.device, progress: Progress) -> Tensor:
    def batch(first: int, last: int) -> Columns:
        return {"images": _bytes(augment(images[first:last].to(device), first).cpu())}

    for columns in over_batches(folder, len(images), AT_ONCE, batch, progress):
        pass
    return columns["images"]


def _bytes(images: Float[Tensor, "n c h w"]) -> Tensor:
    return (255 * images).round().to(torch.uint8)


def _pixels(images: Tensor) -> Float[Tensor, "n c h w"]:
    return images if images.is_floating_point() else images.float() / 255
