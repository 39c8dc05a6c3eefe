"""Votes of a classifier under noise in the parameters of a perturbation set, packed into batches across images."""

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.errors import InvalidInput
from explorer.randomness import Streams, generator
from explorer.sets import Perturbations
from explorer.types import Progress, Silent, stop_if_cancelled

BLOCK = 64  # samples that are drawn together: their numbers depend on nothing but the keys of the block
SIZES = (64, 128, 256, 512, 1024, 2048, 4096)
GAIN = 1.03  # what a larger batch has to bring at least

Classifier = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Needed:
    """What an image's votes are for: one class of each image (of each pixel where pixels are labelled), and how many votes it needs."""

    classes: Int[Tensor, "images ..."]
    votes: int


@dataclass(frozen=True)
class Counted:
    """Votes so far, and of how many samples of each image."""

    votes: Int[Tensor, "images classes ..."]
    drawn: Int[Tensor, " images"]


def count_votes(
    classifier: Classifier,
    perturbations: Perturbations,
    *,
    sigma: float,
    samples: int,
    streams: Streams,
    batch_size: int = 512,
    needed: Needed | None = None,
    progress: Progress | None = None,
) -> Int[Tensor, "images classes ..."]:
    """How often each class won among `samples` inputs perturb(δ), δ ~ N(0, σ²I), for every image of the perturbations; for each pixel
    where the classifier labels pixels (Perturbation sets, Algorithm 2, SampleUnderNoise).

    Votes depend on the streams' seed, purpose and examples, but neither on the batch size nor on the other images. An image is given up
    once its needed votes are out of reach everywhere, at most a batch later, and its counts are then partial. Raises InvalidInput where the classifier answers
    with NaN, Cancelled where the progress asks for it."""
    counted = None
    for counted in votes_as_they_come(
        classifier, perturbations, sigma=sigma, samples=samples, streams=streams, batch_size=batch_size, needed=needed, progress=progress
    ):
        pass
    return counted.votes if counted else torch.zeros(0, 1, dtype=torch.long)


def votes_as_they_come(
    classifier: Classifier,
    perturbations: Perturbations,
    *,
    sigma: float,
    samples: int,
    streams: Streams,
    batch_size: int = 512,
    needed: Needed | None = None,
    progress: Progress | None = None,
) -> Iterator[Counted]:
    """`count_votes`, after each batch: the last are all."""
    check_sampling(sigma, samples, batch_size)
    progress, images = progress or Silent(), len(streams)
    drawn, alive = torch.zeros(images, dtype=torch.long), torch.ones(images, dtype=torch.bool)
    votes, queue, blocks_at_once = None, _blocks(alive, samples), max(1, batch_size // BLOCK)
    with ThreadPoolExecutor(1, "noise") as ahead:  # the next batch's noise is drawn while the classifier looks at this one

        def draw() -> tuple[Tensor, Future] | None:
            batch = list(islice(queue, blocks_at_once))
            rows = torch.tensor([image for image, first in batch for _ in range(first, min(first + BLOCK, samples))])
            return (rows, ahead.submit(_noise, perturbations, streams, batch, samples, len(rows), sigma)) if batch else None

        drawn_ahead = draw()
        while drawn_ahead:
            stop_if_cancelled(progress)
            (rows, noise), drawn_ahead = drawn_ahead, draw()
            logits = _logits(classifier, perturbations, noise.result(), rows)
            votes = torch.zeros(images, *logits.shape[1:], dtype=torch.long) if votes is None else votes
            _add(votes, rows, logits.argmax(1).cpu())
            drawn += torch.bincount(rows, minlength=images)
            if needed is not None:
                alive &= _within_reach(votes, samples - drawn, needed)
            progress.advance(int(torch.where(alive, drawn, samples).sum()), images * samples)
            yield Counted(votes.clone(), drawn.clone())


def best_batch_size(classifier: Classifier, perturbations: Perturbations, *, sigma: float, streams: Streams, repetitions: int = 3) -> int:
    """The batch size that classifies most inputs a second here: sizes are doubled until that brings nothing more."""
    best, fastest = SIZES[0], 0.0
    for size in SIZES:
        rows = torch.arange(size) % len(streams)
        noise = sigma * torch.randn(size, *perturbations.region.shape)
        _logits(classifier, perturbations, noise, rows)  # memory is fetched once
        seconds = min(_seconds(lambda: _logits(classifier, perturbations, noise, rows)) for _ in range(repetitions))
        if size / seconds < GAIN * fastest:
            break
        best, fastest = size, size / seconds
    return best


def check_sampling(sigma: float, samples: int, batch_size: int) -> None:
    """Raise InvalidInput unless there is noise, and something to draw."""
    if not 0 < sigma < math.inf:
        raise InvalidInput(f"sigma = {sigma}: expected a finite standard deviation above 0, in the units of the set's parameters")
    if samples < 1 or batch_size < 1:
        raise InvalidInput(f"samples and batch_size must be at least 1, got {samples} and {batch_size}")


def _blocks(alive: Tensor, samples: int) -> Iterator[tuple[int, int]]:
    """(image, first sample) of all blocks, image after image, of those that are alive when their turn comes."""
    for image in range(len(alive)):
        for first in range(0, samples, BLOCK):
            if not alive[image]:
                break
            yield image, first


def _noise(perturbations: Perturbations, streams: Streams, blocks: list[tuple[int, int]], samples: int, rows: int, sigma: float) -> Float[Tensor, "rows ..."]:
    """Written where it is used: for a small network every copy of the noise would show."""
    noise, last = torch.empty(rows, *perturbations.region.shape), 0
    for image, first in blocks:
        own, place, last = generator(streams.purpose, streams.seed, streams.examples[image], streams.restart, first // BLOCK), last, last + min(BLOCK, samples - first)
        if last - place == BLOCK:
            noise[place:last].normal_(0.0, sigma, generator=own)
        else:  # the same numbers as the beginning of a whole block
            noise[place:last] = torch.empty(BLOCK, *perturbations.region.shape).normal_(0.0, sigma, generator=own)[: last - place]
    return noise


@torch.inference_mode()
def _logits(classifier: Classifier, perturbations: Perturbations, delta: Tensor, rows: Tensor) -> Tensor:
    perturb = perturbations.of_rows(rows)
    logits = classifier(perturb(delta.to(next(perturb.buffers()).device)))
    if logits.isnan().any():
        raise InvalidInput("the classifier answers some noisy inputs with NaN. Choose a smaller sigma, or check its weights.")
    return logits


def _add(votes: Tensor, rows: Tensor, labels: Tensor) -> None:
    """One vote for each row's label, pixel by pixel."""
    images, classes, *pixels = votes.shape
    place = torch.arange(math.prod(pixels))
    flat = (rows.unsqueeze(1) * classes + labels.view(len(rows), -1)) * len(place) + place
    votes += torch.bincount(flat.flatten(), minlength=votes.numel()).view_as(votes)


def _within_reach(votes: Tensor, left: Tensor, needed: Needed) -> Tensor:
    """Which images can still get what they need, in at least one pixel."""
    own = votes.gather(1, needed.classes.unsqueeze(1)).squeeze(1)
    return (own.view(len(own), -1) + left.unsqueeze(1) >= needed.votes).any(1)


def _seconds(run: Callable[[], Tensor]) -> float:
    start = time.perf_counter()
    if run().is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start
