"""AdA's corruptions: the weights of an image-to-image network that a classifier bears worst, another set for each image (AdA, Algorithm 1)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.attacks import cross_entropy, pgd
from explorer.errors import InvalidInput
from explorer.metrics.similarity_line_search import LineSearch, similarity_line_search
from explorer.randomness import Streams
from explorer.sets import BlockBall, WeightBall
from explorer.types import Inner, Progress, Silent, stop_if_cancelled

Classifier = Callable[[Tensor], Tensor]
STEPS = 10  # Appendix E.4, for CIFAR-10; 3 for ImageNet
SSIM_LIMIT = 0.3  # Appendix F, of the distance 1 − SSIM for 32 × 32 pixels; 0.7 for 128 × 128


@dataclass(frozen=True, eq=False)
class CorruptedImages:
    """`unguarded` is c_{φ+δ}(x), with the classifier's cross-entropy `loss` in nats; `perturbed` is what the line search leaves of it, and
    the same where there is none. `delta` is kept where it was asked for: it has as many numbers for each image as the network has weights."""

    perturbed: Float[Tensor, "batch channels height width"]
    unguarded: Float[Tensor, "batch channels height width"]
    loss: Float[Tensor, "batch"]
    line: LineSearch | None
    delta: Float[Tensor, "batch parameters"] | None


def adversarial_corruptions(
    classifier: Classifier,
    ball: WeightBall,
    images: Float[Tensor, "batch channels height width"],
    labels: Int[Tensor, "batch"],
    *,
    streams: Streams,
    steps: int = STEPS,
    step_size: float | None = None,
    limit: float | None = SSIM_LIMIT,
    keep_delta: bool = False,
    progress: Progress | None = None,
    observe: Callable[[Tensor, Tensor], None] | None = None,
) -> CorruptedImages:
    """Weights of uniform length in each layer's ball, `steps` signed gradient steps with projection (the last point counts, as in
    Algorithm 1), then the line search to the SSIM distance `limit`; None leaves the images as they are.

    The classifier computes as it is: give it in evaluation mode, or in the mode it shall be searched in. A step is the ball's own at 10 steps,
    in proportion longer for fewer (Appendices E.4 and G.2). `ball.chunk` images are searched together (nano-batches), so that memory does
    not grow with the batch; results do not depend on it. `observe` is shown each point of each nano-batch with its loss. Raises InvalidInput,
    or Cancelled."""

    def search(perturbations, chosen: slice, own: Streams, watched: Progress):
        objective = cross_entropy(classifier, labels[chosen])
        size = step_of(ball, steps) if step_size is None else step_size
        found = pgd(perturbations, objective, steps=steps, step_size=size, step="sign", start="uniform-norm", keep="last", streams=own, progress=watched, observe=observe)
        return found.delta, found.perturbed, found.loss

    return _in_chunks(ball, images, labels, search, streams, limit, keep_delta, progress)


def random_corruptions(
    classifier: Classifier,
    ball: WeightBall,
    images: Float[Tensor, "batch channels height width"],
    labels: Int[Tensor, "batch"],
    *,
    streams: Streams,
    limit: float | None = SSIM_LIMIT,
    at_the_edge: bool = True,
    keep_delta: bool = False,
    progress: Progress | None = None,
) -> CorruptedImages:
    """What adversarial weights are compared with: each layer changed in a random direction, by its whole radius, or with `at_the_edge`
    false by a uniform share of it (AdA's start, Algorithm 1, lines 4 to 6; the line of 0 steps in Table 6)."""

    @torch.no_grad()
    def draw(perturbations, chosen: slice, own: Streams, watched: Progress):
        region = perturbations.region
        delta = region.sample(own.restarted(own.restart), "uniform-norm")
        if at_the_edge:
            delta = to_the_edge(region, delta)
        perturbed = perturbations.perturb(delta)
        return delta, perturbed, cross_entropy(classifier, labels[chosen])(perturbed)

    return _in_chunks(ball, images, labels, draw, streams, limit, keep_delta, progress)


def step_of(ball: WeightBall, steps: int) -> float:
    """The ball's own step for AdA's 10, longer in proportion for fewer (Appendix G.2)."""
    return ball.step_size * STEPS / min(max(steps, 1), STEPS)


def to_the_edge(region: BlockBall, delta: Float[Tensor, "batch parameters"]) -> Float[Tensor, "batch parameters"]:
    """Each block in its own direction, as long as its ball allows."""
    sizes = torch.tensor(region.sizes, device=delta.device)
    shares = region.shares(delta).repeat_interleave(sizes, 1)
    return region.project(torch.where(shares > 0, delta / shares, delta))


def _in_chunks(ball, images, labels, compute, streams, limit, keep_delta, progress) -> CorruptedImages:
    _check(ball, images, labels, streams)
    progress, size = Silent() if progress is None else progress, ball.chunk or len(images)
    if not len(images):
        none = torch.empty(0, sum(layer.size for layer in ball.layers))
        return CorruptedImages(images, images, torch.empty(0), None if limit is None else similarity_line_search(images, images, limit), none if keep_delta else None)
    parts = []
    for first in range(0, len(images), size):
        stop_if_cancelled(progress)
        chosen = slice(first, first + size)
        own = Streams(streams.seed, streams.examples[chosen], streams.restart, streams.purpose)
        alone = len(images) <= size  # then each step is told of
        delta, unguarded, loss = compute(ball.at(images[chosen]), chosen, own, progress if alone else Inner(progress))
        line = None if limit is None else similarity_line_search(images[chosen], unguarded, limit)
        parts.append(CorruptedImages(unguarded if line is None else line.perturbed, unguarded, loss, line, delta if keep_delta else None))
        if not alone:
            progress.advance(min(first + size, len(images)), len(images))
    return _joined(parts)


def _joined(parts: list[CorruptedImages]) -> CorruptedImages:
    def joined(values: list) -> Tensor | None:
        return None if values[0] is None else torch.cat(values)

    lines = [part.line for part in parts]
    line = None if lines[0] is None else LineSearch(**{name: joined([getattr(each, name) for each in lines]) for name in vars(lines[0])})
    return CorruptedImages(*(joined([getattr(part, name) for part in parts]) for name in ("perturbed", "unguarded", "loss")), line, joined([part.delta for part in parts]))


def _check(ball: WeightBall, images: Tensor, labels: Tensor, streams: Streams) -> None:
    if not ball.radius > 0:
        raise InvalidInput(f"ν must be above 0 to look for corruptions, got {ball.radius:g}: with ν = 0 the network's weights cannot change. AdA takes 0.015 for EDSR and CAE.")
    if not len(images) == len(labels) == len(streams):
        raise InvalidInput(f"expected a label and a random stream for each of {len(images)} images, got {len(labels)} labels and {len(streams)} streams.")
