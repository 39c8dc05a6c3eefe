"""Training a VAE on the lower bound of its ELBO, and measuring what was trained (proVAE, §3.3, Algorithm 1)."""

import math
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.bounds.elbo import elbo_lower_bound
from explorer.checkpoints import Header, load, save
from explorer.data import ImageDataset, load_dataset
from explorer.errors import ConfigurationError
from explorer.models import VAE, elbo, model_config
from explorer.papers.base import Place
from explorer.papers.training import AfterEpoch, initialised, new_header, shuffled, size_differences, train_and_keep
from explorer.training import Loss, PiecewiseLinear, State
from explorer.types import Inner, Progress, stop_if_cancelled

from .config import KIND, MODEL, CertifiedVaeConfig, problems
from .measuring import likelihoods, posterior_noise, prior_samples

SAMPLED = 9


def train(name: str, config: CertifiedVaeConfig, place: Place, progress: Progress) -> Path:
    """Train a VAE on its bound; write best, last and, at the end, `NAME.safetensors`: the best one rounded to float16, with the metrics
    that it has after the rounding."""
    if found := problems(config):
        raise ConfigurationError(found)
    data = {split: load_dataset(config.dataset, split, place.root, config.limit) for split in ("train", "validation", "test")}
    stop_if_cancelled(progress)
    shape = tuple(data["train"].images.shape[1:])
    model = initialised(MODEL, config.model_config(shape), config.seed, place.device)
    images, validation = (data[split].images.to(place.device) for split in ("train", "validation"))
    count = len(images) * config.passes

    def validate(epoch: float) -> dict[str, float]:
        found = likelihoods(model, validation, config.radius, sigma0=config.sigma0, clip=config.clip)
        return {"validation": -float(found.bound.mean()), "elbo": float(found.elbo.mean())}

    def batches(generator: torch.Generator) -> Iterator[tuple[Tensor]]:
        for chosen in shuffled(len(images), config.batch_size, generator, config.passes):
            yield (images[chosen.to(images.device)],)

    schedules = {key: PiecewiseLinear(getattr(config, key)).stretched(config.epochs) for key in ("learning_rate", "ramp")}
    train_and_keep(
        model,
        bound_loss(config.sigma0, config.clip),
        batches,
        header=_header(name, config, data["train"], shape),
        epochs=config.epochs,
        batches_per_epoch=_batches(count, config),
        schedules={"learning_rate": schedules["learning_rate"], "radius": lambda epoch: config.radius * schedules["ramp"](epoch)},
        after=AfterEpoch(validate, lambda: (config.radius, {}), lambda radius: strip(model, validation[:1])),
        place=place,
        progress=progress,
    )
    return finish(name, config, place, data, progress)


def bound_loss(sigma0: float, clip: bool) -> Loss:
    """−(lower bound of the ELBO over the box of the state's `radius`), one sample of the noise, in nats (proVAE, §3.3).

    At radius 0 it is −ELBO, at a third of the cost."""

    def loss(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch"]:
        (x,) = batch
        noise = state.draws(len(x), lambda count: torch.randn(count, model.latent_dim, generator=state.generator)).to(x)
        if not state.values["radius"]:
            return -elbo(model, x, noise, sigma0)
        return -elbo_lower_bound(model, x, state.values["radius"], noise, sigma0=sigma0, clip=clip)

    return loss


def steps(config: CertifiedVaeConfig, root: Path | None) -> int:
    """How many batches a training sees. Raises DataNotFound."""
    images = load_dataset(config.dataset, "train", root, config.limit, download=False)
    return config.epochs * _batches(len(images) * config.passes, config)


def finish(name: str, config: CertifiedVaeConfig, place: Place, data: dict[str, ImageDataset], progress: Progress) -> Path:
    """Round the best weights to float16, measure Table 1's columns, with both boxes, and save."""
    best = load(place.output / "best.safetensors", place.device)
    model = best.model.half().float()
    metrics = dict(best.header.metrics)
    for split in ("train", "test"):
        images = data[split].images.to(place.device)
        for clip, ending in ((False, ""), (True, "_clipped")):
            found = likelihoods(model, images, config.radius, clip=clip, progress=Inner(progress))
            metrics |= {f"{split}_bound{ending}": float(found.bound.mean()), f"{split}_elbo": float(found.elbo.mean())}
    path = place.output / f"{name}.safetensors"
    save(path, model, replace(best.header, metrics=metrics), dtype=torch.float16)
    return path


def strip(model: VAE, image: Float[Tensor, "1 c h w"]) -> Float[Tensor, "n c h w"]:
    """An image, its reconstruction, and samples of the prior, the same z after every epoch."""
    with torch.inference_mode():
        rebuilt, _ = model(image, posterior_noise(model, range(1)).to(image))
        return torch.cat([image, rebuilt, prior_samples(model, SAMPLED - 1)])


def _batches(count: int, config: CertifiedVaeConfig) -> int:
    return math.ceil(count / config.batch_size)


def _header(name: str, config: CertifiedVaeConfig, data: ImageDataset, shape: tuple[int, int, int]) -> Header:
    own = config.model_config(shape)
    paper = asdict(model_config(MODEL, dict(zip(("channels", "height", "width"), shape))))
    return new_header(KIND, name, config, data, MODEL, own, size_differences(own, paper), radius=config.radius)
