"""Training an image-to-image network, and measuring how near it is to leaving images as they are (AdA, Appendix E.6)."""

import math
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.checkpoints import Header, load, save
from explorer.data.folders import FolderImages, PicturesAsImages, random_crops
from explorer.errors import ConfigurationError, InvalidInput
from explorer.metrics import ssim
from explorer.metrics.structural_similarity import WINDOW
from explorer.models import model_config
from explorer.models.corruption_networks.vector_quantised import Codebook
from explorer.papers.base import Place
from explorer.papers.training import AfterEpoch, initialised, new_header, shuffled, size_differences, train_and_keep
from explorer.training import PiecewiseLinear
from explorer.types import Progress, stop_if_cancelled

from .backbone_config import KIND, BackboneConfig, problems
from .backbone_losses import backbone_loss
from .splits import Split, open_splits

SHOWN, LOOKED_AT = 4, 1000  # images that are rebuilt after an epoch; pictures in folders whose variance scales the VQ-VAE's loss


def train_backbone(name: str, config: BackboneConfig, place: Place, progress: Progress) -> Path:
    """Train an image-to-image network; write best, last and, at the end, `NAME.safetensors`: the best one rounded to float16, with the metrics
    that it has after the rounding. The best rebuilds validation images with the highest SSIM."""
    if found := problems(config):
        raise ConfigurationError(found)
    data = open_splits(config, place.root, shown=config.crop_size)
    channels = _check(config, data["train"])
    stop_if_cancelled(progress)
    model = initialised(config.model, config.model_config(channels), config.seed, place.device)
    pictures = isinstance(data["train"], FolderImages)
    images = data["train"].images if pictures else data["train"].images.to(place.device)
    count = len(images) * config.passes

    def batches(generator: torch.Generator) -> Iterator[tuple[Tensor]]:
        for chosen in shuffled(len(images), config.batch_size, generator, config.passes):
            yield (random_crops([data["train"].paths[at] for at in chosen.tolist()], config.crop_size, generator).to(place.device) if pictures else images[chosen.to(images.device)],)

    def validate(epoch: float) -> dict[str, float]:
        found = likeness(model, data["validation"].images)
        return {"validation": 1 - found["ssim"], "validation_absolute_error": found["absolute_error"]}

    train_and_keep(
        model,
        backbone_loss(config, images[:LOOKED_AT] if pictures else images),
        batches,
        header=_header(name, config, data["train"], channels),
        epochs=config.epochs,
        batches_per_epoch=math.ceil(count / config.batch_size),
        schedules={"learning_rate": PiecewiseLinear(config.learning_rate).stretched(config.epochs)},
        after=AfterEpoch(validate, lambda: (0.0, {}), lambda radius: strip(model, data["validation"].images[:SHOWN].to(place.device))),
        place=place,
        progress=progress,
    )
    return _finish(name, place, data["test"])


def backbone_steps(config: BackboneConfig, root: Path | None) -> int:
    """How many batches a training sees. Raises DataNotFound."""
    return config.epochs * math.ceil(len(open_splits(config, root, download=False)["train"]) * config.passes / config.batch_size)


@torch.inference_mode()
def likeness(model: nn.Module, images: Float[Tensor, "n c h w"] | PicturesAsImages, batch_size: int = 250) -> dict[str, float]:
    """How like its input the network's output is, cut to [0, 1]: means over the images of SSIM, and of the absolute and squared error per pixel."""
    device, totals = next((each.device for each in model.parameters()), None), {"ssim": 0.0, "absolute_error": 0.0, "squared_error": 0.0}
    for first in range(0, len(images), batch_size):
        x = images[first : first + batch_size].to(device)
        rebuilt = model(x).clamp(0, 1)
        error = (rebuilt - x).double().flatten(1)
        for name, value in {"ssim": ssim(rebuilt, x).double(), "absolute_error": error.abs().mean(1), "squared_error": error.square().mean(1)}.items():
            totals[name] += float(value.sum())
    return {name: total / len(images) for name, total in totals.items()}


@torch.inference_mode()
def strip(model: nn.Module, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "_ c h w"]:
    """Each image followed by what the network makes of it."""
    return torch.stack([images, model(images).clamp(0, 1)], 1).flatten(0, 1)


def _check(config: BackboneConfig, data: Split) -> int:
    """The images' channels. Raises InvalidInput for images that SSIM or the network does not take."""
    channels, height, width = data.images.shape[1:]
    if min(height, width) < WINDOW:
        raise InvalidInput(f"{config.dataset} has images of {height} × {width} pixels; structural similarity needs at least {WINDOW} on each side.")
    initialised(config.model, config.model_config(channels), config.seed, torch.device("cpu")).eval()(data.images[:1])
    return channels


def _finish(name: str, place: Place, test: Split) -> Path:
    best = load(place.output / "best.safetensors", place.device)
    model = best.model
    for codebook in (each for each in model.modules() if isinstance(each, Codebook)):
        codebook.forget()
    model = model.half().float()
    path = place.output / f"{name}.safetensors"
    save(path, model, replace(best.header, metrics={**best.header.metrics, **likeness(model, test.images)}), dtype=torch.float16)
    return path


def _header(name: str, config: BackboneConfig, data: Split, channels: int) -> Header:
    own = config.model_config(channels)
    return new_header(KIND, name, config, data, config.model, own, size_differences(own, asdict(model_config(config.model, {"channels": channels}))))
