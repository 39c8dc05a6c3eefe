"""Training a CVAE perturbation set, and measuring what was trained (Perturbation sets, §4 and Appendix B)."""

import math
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.batches import as_many
from explorer.checkpoints import Header, load, save
from explorer.data import PairBatch, PairSource, open_pairs
from explorer.data.ahead import made_ahead
from explorer.errors import ConfigurationError
from explorer.evaluation import encode_pairs, percentile_radii, set_quality
from explorer.models import ConditionalVAE, kl_divergence, model_config
from explorer.randomness import LARGEST_KEY, Streams
from explorer.randomness import generator as seeded
from explorer.sets import LatentBall
from explorer.training import PiecewiseLinear, cvae_loss
from explorer.training.augmentation import mirrored_and_shifted
from explorer.training.losses import RECONSTRUCTION, Likelihood
from explorer.types import Inner, Progress, Silent, stop_if_cancelled

from explorer.papers.base import Place
from explorer.papers.training import AfterEpoch, initialised, new_header, shuffled, size_differences, train_and_keep

from .beginning import begin_with
from .config import KIND, LearnedSetConfig, problems

EVALUATION_SEED, SAMPLED = 0, 9
FEWEST, BATCH = 500, 1000


def train(name: str, config: LearnedSetConfig, place: Place, progress: Progress) -> Path:
    """Train a perturbation set; write best, last and, at the end, `NAME.safetensors`: the best one rounded to float16, with
    the radii and metrics that it has after the rounding."""
    if found := problems(config):
        raise ConfigurationError(found)
    source = {split: open_pairs(config.pairs, config.dataset, split, place.root, config.limit) for split in ("train", "validation", "test")}
    training = source["train"] if source["train"].costly else source["train"].on(place.device)
    shape = training.image_shape(tuple(training.images.images.shape[1:]))
    stop_if_cancelled(progress)
    model = initialised(config.model, config.model_config(shape), config.seed, place.device)
    colour = {"memory_format": torch.channels_last} if shape[0] > 1 else {}  # the faster order for convolutions of many maps
    model.to(**colour)
    begun = begin_with(model, config.begin_with) if config.begin_with else {}
    clean, perturbed = evaluated(source["validation"], place.device)
    final_beta, waiting = config.beta[-1][1], Waiting()

    def validate(epoch: float) -> dict[str, float]:
        found = validation(model, clean, perturbed, config.likelihood, final_beta)
        return {**found, "waiting_share": waiting.share()} if training.costly else found

    def radii() -> tuple[float, dict[str, float]]:
        found = percentile_radii(encode_pairs(model, clean, perturbed).norms)
        return found["100"], found

    stored_draws = None
    if config.stored:
        stored_draws = torch.rand(len(training.images), config.stored, training.draws, generator=seeded("stored pairs", config.seed))

    def tasks(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        for chosen in shuffled(len(training.images), config.batch_size, generator, config.passes):
            if stored_draws is None:
                yield chosen, torch.rand(len(chosen), training.draws, generator=generator)
            else:
                which = torch.randint(config.stored, (len(chosen),), generator=generator)
                yield chosen, stored_draws[chosen, which]

    def batches(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        ahead = torch.Generator().manual_seed(int(torch.randint(LARGEST_KEY, (), generator=generator))) if training.costly else generator
        made = made_ahead(lambda task: training.drawn(*task), tasks(ahead), _workers(config, place) if training.costly else 0)
        for batch in waiting.of(made):
            both = torch.cat(batch.both, 1).to(place.device)
            moved = mirrored_and_shifted(both, generator, config.crop_padding) if config.crop_and_flip else both
            yield tuple(half.contiguous(**colour) for half in moved.chunk(2, 1))

    train_and_keep(
        model,
        cvae_loss(config.likelihood),
        batches,
        header=_header(name, config, source["train"], shape, begun),
        epochs=config.epochs,
        batches_per_epoch=_batches(len(training.images) * config.passes, config),
        schedules={key: PiecewiseLinear(getattr(config, key)).stretched(config.epochs) for key in ("learning_rate", "beta")},
        after=AfterEpoch(validate, radii, lambda radius: _strip(model, clean[:1], radius)),
        place=place,
        progress=progress,
        weight_decay=config.weight_decay,
    )
    return finish(name, config, place, source, progress)


class Waiting:
    """How much of the time goes by waiting for pairs."""

    def __init__(self):
        self._waited, self._begun = 0.0, time.perf_counter()

    def of(self, made: Iterator[PairBatch]) -> Iterator[PairBatch]:
        """The same, with the time that each took to come counted."""
        self._waited, self._begun = 0.0, time.perf_counter()
        while True:
            asked = time.perf_counter()
            batch = next(made, None)
            self._waited += time.perf_counter() - asked
            if batch is None:
                return
            yield batch

    def share(self) -> float:
        """Of the time since the epoch began."""
        return self._waited / max(time.perf_counter() - self._begun, 1e-9)


def steps(config: LearnedSetConfig, root: Path | None) -> int:
    """How many batches a training sees. Raises DataNotFound."""
    scenes = open_pairs(config.pairs, config.dataset, "train", root, config.limit).images
    return config.epochs * _batches(len(scenes) * config.passes, config)


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


def evaluated(source: PairSource, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
    """The first fixed pairs of a split, one of each scene and at least 500: the same on every machine and in every batch."""
    return source.fixed(range(min(len(source), max(len(source.images), FEWEST)))).to(device).both


def all_norms(model: ConditionalVAE, source: PairSource, device: torch.device | str = "cpu", progress: Progress | None = None) -> Float[Tensor, "n"]:
    """‖u‖₂ of the encoding of every fixed pair of a split."""
    progress, norms, batch = progress or Silent(), [], as_many(BATCH, model.image_shape)
    for first in range(0, len(source), batch):
        stop_if_cancelled(progress)
        norms.append(encode_pairs(model, *source.fixed(range(first, min(first + batch, len(source)))).to(device).both).norms.cpu())
        progress.advance(min(first + batch, len(source)), len(source), "encoding the validation pairs")
    return torch.cat(norms)


def finish(name: str, config: LearnedSetConfig, place: Place, source: dict[str, PairSource], progress: Progress) -> Path:
    """Round the best weights to float16, choose the radius on all validation pairs, measure on test pairs, and save."""
    best = load(place.output / "best.safetensors", place.device)
    model = best.model.half().float()
    norms = all_norms(model, source["validation"], place.device, Inner(progress))
    radii = percentile_radii(norms)
    measured = set_quality(model, *evaluated(source["test"], place.device), seed=EVALUATION_SEED, progress=Inner(progress))
    metrics = {**best.header.metrics, **asdict(measured), "norm_mean": float(norms.mean()), "norm_deviation": float(norms.std(correction=0))}
    header = replace(best.header, metrics=metrics, radius=radii["100"], percentile_radii=radii)
    path = place.output / f"{name}.safetensors"
    save(path, model, header, dtype=torch.float16)
    return path


def _batches(count: int, config: LearnedSetConfig) -> int:
    return math.ceil(count / config.batch_size)


def _workers(config: LearnedSetConfig, place: Place) -> int:
    """Beside a device of its own all cores can make pairs, else one process, as the training itself is on the others."""
    if config.workers is not None:
        return config.workers
    return max(1, min(16, (os.cpu_count() or 2) - 1)) if place.device.type != "cpu" else 1


def _strip(model: ConditionalVAE, clean: Float[Tensor, "1 c h w"], radius: float) -> Float[Tensor, "n c h w"]:
    """A clean image and members of its set, the same points u after every epoch."""
    set_at = LatentBall(model, radius).at(clean.expand(SAMPLED, -1, -1, -1))
    delta = set_at.region.sample(Streams(EVALUATION_SEED, range(SAMPLED), purpose="members"), "normal")
    with torch.inference_mode():
        return torch.cat([clean, set_at.perturb(delta)])


def _header(name: str, config: LearnedSetConfig, pairs: PairSource, shape: tuple[int, int, int], begun: dict[str, str]) -> Header:
    paper = model_config(config.model, {"channels": shape[0], "height": shape[1], "width": shape[2]})
    own = config.model_config(shape)
    return new_header(
        KIND, name, config, pairs.images, config.model, own, size_differences(own, asdict(paper)),
        pairs=config.pairs, train_fingerprint=pairs.fingerprint(), types=list(pairs.type_names), **begun,
    )  # fmt: skip
