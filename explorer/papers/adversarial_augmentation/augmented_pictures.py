"""The same of pictures in folders: random crops of them, or of what DeepAugment's networks have made of them, which are pictures too."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.data.folders import FolderImages, as_tensor, opened, random_crops, with_shorter_side
from explorer.storage import write_atomically
from explorer.training import DeepAugment
from explorer.types import Progress, stop_if_cancelled

from .augmented import open_augments
from .config import AugmentedConfig

SHORTER_SIDE, MULTIPLE, IN_A_FOLDER = 256, 8, 1000  # pixels of the pictures that networks see, cut to whole multiples


@dataclass(frozen=True, eq=False)
class PictureSources:
    """The pictures of a training set, clean and through each network."""

    versions: tuple[FolderImages, ...]
    cropped: bool = True
    digests: dict[str, str] = field(default_factory=dict)

    def drawn(self, chosen: Int[Tensor, " batch"], generator: torch.Generator, device: torch.device) -> Float[Tensor, "batch 3 h w"]:
        """Of each picture one version, all with equal chances, and of that a random crop, or the middle where these are not asked for."""
        which = torch.randint(len(self.versions), (len(chosen),), generator=generator) if len(self.versions) > 1 else torch.zeros(len(chosen), dtype=torch.long)
        first, paths = self.versions[0], tuple(self.versions[version].paths[at] for version, at in zip(which.tolist(), chosen.tolist(), strict=True))
        if self.cropped:
            return random_crops(paths, first.size, generator).to(device)
        return FolderImages(paths, first.labels[chosen], first.class_names, first.size, first.kept)[:].images.to(device)


def picture_sources(config: AugmentedConfig, pictures: FolderImages, folder: Path, device: torch.device, progress: Progress) -> PictureSources:
    """Clean pictures and, where the configuration names networks, files in `folder` of what these make of them, so that a stopped training
    goes on with the same. Raises CheckpointError, InvalidInput, OutputError or Cancelled."""
    augments, digests = open_augments(config, device)
    made = [_through(augment, pictures, folder / f"deepaugment-{digest}", device, progress) for augment, digest in zip(augments, digests.values(), strict=True)]
    return PictureSources((pictures, *made), config.augment, digests)


def _through(augment: DeepAugment, pictures: FolderImages, folder: Path, device: torch.device, progress: Progress) -> FolderImages:
    """One file for each picture; those that are there are not made again."""
    paths = tuple(folder / f"{number // IN_A_FOLDER:05d}" / f"{number:08d}.png" for number in range(len(pictures)))
    missing = [number for number, path in enumerate(paths) if not path.is_file()]

    def read() -> Iterator[Float[Tensor, "1 3 h w"]]:
        for done, number in enumerate(missing):
            stop_if_cancelled(progress)
            progress.advance(len(paths) - len(missing) + done, len(paths), "DeepAugment")
            image = as_tensor(with_shorter_side(opened(pictures.paths[number]), SHORTER_SIDE))
            yield image[None, :, : image.shape[1] // MULTIPLE * MULTIPLE, : image.shape[2] // MULTIPLE * MULTIPLE].to(device)

    for number, made in zip(missing, augment.each(read(), missing)):
        _write(paths[number], made[0])
    return FolderImages(paths, pictures.labels, pictures.class_names, pictures.size, pictures.kept)


def _write(path: Path, image: Float[Tensor, "3 h w"]) -> None:
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray((255 * image).round().byte().permute(1, 2, 0).cpu().numpy().astype(np.uint8)).save(content, "png")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content.getvalue())
