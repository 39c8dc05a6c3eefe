"""Training a VAE of images given their class, and measuring what was trained (Manifold directions, Appendix B)."""

import math
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.checkpoints import Header, load, save
from explorer.data import ImageDataset, load_dataset
from explorer.errors import ConfigurationError
from explorer.metrics import squared_error
from explorer.models import ClassConditionalVAE, kl_divergence, model_config
from explorer.papers.base import Place
from explorer.papers.training import AfterEpoch, initialised, new_header, shuffled, size_differences, train_and_keep
from explorer.randomness import Streams
from explorer.training import PiecewiseLinear, class_cvae_loss, standard_normal
from explorer.training.losses import RECONSTRUCTION, Likelihood
from explorer.types import Progress, stop_if_cancelled

from .vae_config import KIND, ClassVaeConfig, problems

SAMPLED = 4  # images that are rebuilt, and samples of the prior


def train_vae(name: str, config: ClassVaeConfig, place: Place, progress: Progress) -> Path:
    """Train a class-conditional VAE; write best, last and, at the end, `NAME.safetensors`: the best one rounded to float16, with the
    metrics that it has after the rounding."""
    if found := problems(config):
        raise ConfigurationError(found)
    data = {split: load_dataset(config.dataset, split, place.root, config.limit) for split in ("train", "validation", "test")}
    shape, classes = tuple(data["train"].images.shape[1:]), len(data["train"].class_names)
    stop_if_cancelled(progress)
    model = initialised(config.model, config.model_config(shape, classes), config.seed, place.device)
    images, labels = _on(data["train"], place.device)
    validation = _on(data["validation"], place.device)
    count = len(images) * config.passes

    def batches(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        for chosen in shuffled(len(images), config.batch_size, generator, config.passes):
            chosen = chosen.to(images.device)
            yield images[chosen], labels[chosen]

    def validate(epoch: float) -> dict[str, float]:
        found = quality(model, *validation, config.likelihood)
        return {"validation": found["reconstruction_nats"] + config.beta * found["kl_nats"]}

    train_and_keep(
        model,
        class_cvae_loss(config.likelihood),
        batches,
        header=_header(name, config, data["train"], shape),
        epochs=config.epochs,
        batches_per_epoch=math.ceil(count / config.batch_size),
        schedules={"learning_rate": PiecewiseLinear(config.learning_rate).stretched(config.epochs), "beta": lambda epoch: config.beta},
        after=AfterEpoch(validate, lambda: (0.0, {}), lambda radius: strip(model, *(each[:SAMPLED] for each in validation))),
        place=place,
        progress=progress,
    )
    return _finish(name, config, place, data["test"])


def vae_steps(config: ClassVaeConfig, root: Path | None) -> int:
    """How many batches a training sees. Raises DataNotFound."""
    images = load_dataset(config.dataset, "train", root, config.limit, download=False)
    return config.epochs * math.ceil(len(images) * config.passes / config.batch_size)


def quality(model: ClassConditionalVAE, images: Tensor, labels: Tensor, likelihood: Likelihood, batch_size: int = 500) -> dict[str, float]:
    """Means over the images: the reconstruction's negative log-likelihood and KL in nats, for one fixed draw of the noise; and the squared
    error per pixel of the reconstruction from the posterior's mean."""
    totals = {"reconstruction_nats": 0.0, "kl_nats": 0.0, "squared_error_per_pixel": 0.0}
    with torch.inference_mode():
        for start in range(0, len(images), batch_size):
            x, y = images[start : start + batch_size], labels[start : start + batch_size]
            noise = Streams(0, range(start, start + len(x)), purpose="posterior").normal((model.latent_dim,)).to(x)
            decoded, posterior = model(x, y, noise)
            totals["reconstruction_nats"] += float(RECONSTRUCTION[likelihood](decoded, x).double().sum())
            totals["kl_nats"] += float(kl_divergence(posterior, standard_normal(posterior)).double().sum())
            totals["squared_error_per_pixel"] += float(squared_error(model.decode(posterior.mean, y), x).double().sum()) / x[0].numel()
    return {name: total / len(images) for name, total in totals.items()}


def strip(model: ClassConditionalVAE, images: Float[Tensor, "n c h w"], labels: Tensor) -> Float[Tensor, "_ c h w"]:
    """An image, reconstructions of the images, and samples of the prior of as many classes, the same z after every epoch."""
    with torch.inference_mode():
        rebuilt = model.decode(model.encode(images, labels).mean, labels)
        classes = torch.arange(SAMPLED, device=images.device) % model.classes
        z = Streams(0, range(SAMPLED), purpose="members").normal((model.latent_dim,)).to(images)
        return torch.cat([images[:1], rebuilt, model.decode(z, classes)])


def _finish(name: str, config: ClassVaeConfig, place: Place, test: ImageDataset) -> Path:
    best = load(place.output / "best.safetensors", place.device)
    model = best.model.half().float()
    path = place.output / f"{name}.safetensors"
    metrics = {**best.header.metrics, **quality(model, *_on(test, place.device), config.likelihood)}
    save(path, model, replace(best.header, metrics=metrics), dtype=torch.float16)
    return path


def _on(data: ImageDataset, device: torch.device) -> tuple[Tensor, Tensor]:
    return data.images.to(device), data.labels.to(device)


def _header(name: str, config: ClassVaeConfig, data: ImageDataset, shape: tuple[int, int, int]) -> Header:
    own = config.model_config(shape, len(data.class_names))
    sizes = dict(zip(("channels", "height", "width", "classes"), (*shape, len(data.class_names))))
    return new_header(KIND, name, config, data, config.model, own, size_differences(own, asdict(model_config(config.model, sizes))))
