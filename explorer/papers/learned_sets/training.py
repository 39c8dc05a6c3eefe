"""Training a CVAE perturbation set, and measuring what was trained (Perturbation sets, §4 and Appendix B)."""

import math
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.checkpoints import Header, load, save
from explorer.data import PAIRS, ImageDataset, Pairs, load_dataset
from explorer.errors import ConfigurationError
from explorer.evaluation import encode_pairs, percentile_radii, set_quality
from explorer.models import ConditionalVAE, kl_divergence, model_config
from explorer.randomness import Streams
from explorer.randomness import generator as seeded
from explorer.sets import LatentBall
from explorer.training import PiecewiseLinear, cvae_loss
from explorer.training.losses import RECONSTRUCTION, Likelihood
from explorer.types import Inner, Progress, stop_if_cancelled

from explorer.papers.base import Place
from explorer.papers.training import AfterEpoch, initialised, new_header, shuffled, size_differences, train_and_keep

from .config import KIND, LearnedSetConfig, problems

EVALUATION_SEED, SAMPLED = 0, 9


def train(name: str, config: LearnedSetConfig, place: Place, progress: Progress) -> Path:
    """Train a perturbation set; write best, last and, at the end, `NAME.safetensors`: the best one rounded to float16, with
    the radii and metrics that it has after the rounding."""
    if found := problems(config):
        raise ConfigurationError(found)
    pairs = PAIRS[config.pairs]()
    data = {split: load_dataset(config.dataset, split, place.root, config.limit) for split in ("train", "validation", "test")}
    shape = pairs.image_shape(tuple(data["train"].images.shape[1:]))
    stop_if_cancelled(progress)
    model = initialised(config.model, config.model_config(shape), config.seed, place.device)
    clean, perturbed = evaluation_pairs(pairs, data["validation"], place.device)
    final_beta = config.beta[-1][1]

    def validate(epoch: float) -> dict[str, float]:
        return validation(model, clean, perturbed, config.likelihood, final_beta)

    def radii() -> tuple[float, dict[str, float]]:
        found = percentile_radii(encode_pairs(model, clean, perturbed).norms)
        return found["100"], found

    images = data["train"].images.to(place.device)
    count, numbers = len(images) * config.passes, pairs.draws(tuple(images.shape[1:]))
    stored_draws = None
    if config.stored:
        stored_draws = torch.rand(len(images), config.stored, numbers, generator=seeded("stored pairs", config.seed))

    def batches(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        for chosen in shuffled(len(images), config.batch_size, generator, config.passes):
            batch = images[chosen.to(images.device)]
            if stored_draws is None:
                draws = torch.rand(len(batch), numbers, generator=generator).to(batch)
            else:
                which = torch.randint(config.stored, (len(batch),), generator=generator)
                draws = stored_draws[chosen, which].to(batch)
            yield pairs.clean(batch), pairs.perturb(batch, draws)

    train_and_keep(
        model,
        cvae_loss(config.likelihood),
        batches,
        header=_header(name, config, data["train"], shape),
        epochs=config.epochs,
        batches_per_epoch=_batches(count, config),
        schedules={key: PiecewiseLinear(getattr(config, key)).stretched(config.epochs) for key in ("learning_rate", "beta")},
        after=AfterEpoch(validate, radii, lambda radius: _strip(model, clean[:1], radius)),
        place=place,
        progress=progress,
    )
    return finish(name, config, place, data, progress)


def steps(config: LearnedSetConfig, root: Path | None) -> int:
    """How many batches a training sees. Raises DataNotFound."""
    images = load_dataset(config.dataset, "train", root, config.limit, download=False)
    return config.epochs * _batches(len(images) * config.passes, config)


def validation(
    model: ConditionalVAE, clean: Tensor, perturbed: Tensor, likelihood: Likelihood, beta: float, batch_size: int = 256
) -> dict[str, float]:
    """The training objective on fixed pairs and fixed noise, with the final β."""
    total, kl_total = 0.0, 0.0
    with torch.inference_mode():
        for start in range(0, len(clean), batch_size):
            x, y = clean[start : start + batch_size], perturbed[start : start + batch_size]
            noise = Streams(EVALUATION_SEED, range(start, start + len(x)), purpose="posterior").normal((model.latent_dim,)).to(x)
            decoded, posterior, prior = model(x, y, noise)
            kl = kl_divergence(posterior, prior)
            total += float((RECONSTRUCTION[likelihood](decoded, y) + beta * kl).double().sum())
            kl_total += float(kl.double().sum())
    return {"validation": total / len(clean), "kl_nats": kl_total / len(clean)}


def evaluation_pairs(
    pairs: Pairs, dataset: ImageDataset, device: torch.device | str = "cpu", first: int = 0
) -> tuple[Tensor, Tensor]:
    """The fixed pairs of a split's images number `first`, `first` + 1, …: the same on every machine and in every batch."""
    draws = evaluation_draws(pairs, dataset, first)
    return pairs.clean(dataset.images).to(device), pairs.perturb(dataset.images, draws).to(device)


def evaluation_draws(pairs: Pairs, dataset: ImageDataset, first: int = 0) -> Float[Tensor, "n draws"]:
    """The uniform numbers that decide the fixed pairs of images number `first`, `first` + 1, …"""
    numbers = range(first, first + len(dataset))
    return Streams(EVALUATION_SEED, numbers, purpose="pairs").uniform((pairs.draws(tuple(dataset.images.shape[1:])),))


def finish(name: str, config: LearnedSetConfig, place: Place, data: dict[str, ImageDataset], progress: Progress) -> Path:
    """Round the best weights to float16, choose the radius on the validation split, measure on the test split, and save."""
    best = load(place.output / "best.safetensors", place.device)
    model = best.model.half().float()
    pairs = PAIRS[config.pairs]()
    radii = percentile_radii(encode_pairs(model, *evaluation_pairs(pairs, data["validation"], place.device)).norms)
    measured = set_quality(model, *evaluation_pairs(pairs, data["test"], place.device), seed=EVALUATION_SEED, progress=Inner(progress))
    metrics = {**best.header.metrics, **asdict(measured)}
    header = replace(best.header, metrics=metrics, radius=radii["100"], percentile_radii=radii)
    path = place.output / f"{name}.safetensors"
    save(path, model, header, dtype=torch.float16)
    return path


def _batches(count: int, config: LearnedSetConfig) -> int:
    return math.ceil(count / config.batch_size)


def _strip(model: ConditionalVAE, clean: Float[Tensor, "1 c h w"], radius: float) -> Float[Tensor, "n c h w"]:
    """A clean image and members of its set, the same points u after every epoch."""
    set_at = LatentBall(model, radius).at(clean.expand(SAMPLED, -1, -1, -1))
    delta = set_at.region.sample(Streams(EVALUATION_SEED, range(SAMPLED), purpose="members"), "normal")
    with torch.inference_mode():
        return torch.cat([clean, set_at.perturb(delta)])


def _header(name: str, config: LearnedSetConfig, data: ImageDataset, shape: tuple[int, int, int]) -> Header:
    paper = model_config(config.model, {"channels": shape[0], "height": shape[1], "width": shape[2]})
    own = config.model_config(shape)
    return new_header(KIND, name, config, data, config.model, own, size_differences(own, asdict(paper)), pairs=config.pairs)
