"""One image corrupted by the weights that a classifier bears worst: every step of the search, the guard after it, and what is compared."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.metrics import ssim
from explorer.metrics.similarity_line_search import LineSearch
from explorer.metrics.structural_similarity import check_large_enough
from explorer.randomness import Streams
from explorer.sets import WeightBall
from explorer.types import Progress, Silent

from .search import SSIM_LIMIT, STEPS, adversarial_corruptions, random_corruptions

LOST = 0.1  # an SSIM below which hardly anything of the image is left


@dataclass(frozen=True)
class PathSettings:
    """Of a search for the weights of one image; the distance 1 − SSIM is at most `ssim_limit`."""

    radius: float
    steps: int = STEPS
    ssim_limit: float = SSIM_LIMIT
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Seen:
    """An image, the classifier's logits for it, and its SSIM to the clean one."""

    image: Float[Tensor, "1 c h w"]
    logits: Float[Tensor, " classes"]
    ssim: float


@dataclass(frozen=True, eq=False)
class CorruptionPath:
    """`frames` are the network's outputs: with its own weights, at the random start, and after each step, without the guard. `shares` says how
    much of its radius each layer uses; `alone` how much the last frame's change of that layer changes the image by itself: the mean absolute
    difference per pixel to the first frame. `guarded` is what the line search leaves, `random` the image under random weights of the same radius."""

    clean: Seen
    frames: Float[Tensor, "frames c h w"]
    logits: Float[Tensor, "frames classes"]
    ssim: Float[Tensor, " frames"]
    shares: Float[Tensor, "frames layers"]
    layers: tuple[str, ...]
    alone: Float[Tensor, " layers"]
    guarded: Seen
    line: LineSearch
    random: Seen

    @property
    def lost(self) -> bool:
        """Whether hardly anything of the image is left where the guard does not help."""
        return float(self.ssim[-1]) < LOST


def corruption_path(
    classifier: Callable[[Tensor], Tensor], ball: WeightBall, image: Float[Tensor, "1 c h w"], label: int, settings: PathSettings, progress: Progress | None = None
) -> CorruptionPath:
    """The search of `adversarial_corruptions` for one image, step by step. Raises InvalidInput or Cancelled."""
    check_large_enough(image)
    at, labels, streams = ball.at(image), torch.tensor([label], device=image.device), Streams(settings.seed, [0])
    points = [torch.zeros(1, *at.region.shape).to(image)]
    common = {"streams": streams, "limit": settings.ssim_limit, "progress": progress or Silent()}
    found = adversarial_corruptions(classifier, ball, image, labels, steps=settings.steps, observe=lambda delta, loss: points.append(delta), keep_delta=True, **common)
    random = random_corruptions(classifier, ball, image, labels, streams=streams, limit=None).unguarded
    with torch.no_grad():
        frames = torch.cat([at.perturb(point) for point in points])
        logits = classifier(frames)
        shares = torch.cat([at.region.shares(point) for point in points])
        return CorruptionPath(
            clean=_seen(classifier, image, image), frames=frames.cpu(), logits=logits.cpu(), ssim=ssim(frames, image.expand_as(frames)).cpu(), shares=shares.cpu(),
            layers=tuple(layer.path for layer in ball.layers), alone=_alone(at, frames[:1], found.delta).cpu(), guarded=_seen(classifier, found.perturbed, image),
            line=LineSearch(**{name: value.cpu() for name, value in vars(found.line).items()}), random=_seen(classifier, random, image),
        )  # fmt: skip


def one_step(classifier: Callable[[Tensor], Tensor], ball: WeightBall, image: Float[Tensor, "1 c h w"], label: int, settings: PathSettings) -> tuple[Seen, LineSearch]:
    """What one long step of the search makes of the image, after the guard: fast enough to follow ν while it is dragged."""
    labels = torch.tensor([label], device=image.device)
    found = adversarial_corruptions(classifier, ball, image, labels, streams=Streams(settings.seed, [0]), steps=1, limit=settings.ssim_limit)
    with torch.no_grad():
        return _seen(classifier, found.perturbed, image), found.line


def _alone(at, own: Float[Tensor, "1 c h w"], delta: Float[Tensor, "1 parameters"]) -> Float[Tensor, " layers"]:
    """One layer at a time, for the weights of all of them together would be as many images."""
    changes, first = [], 0
    for size in at.region.sizes:
        only = torch.zeros_like(delta)
        only[:, first : first + size] = delta[:, first : first + size]
        changes.append((at.perturb(only) - own).abs().mean())
        first += size
    return torch.stack(changes)


def _seen(classifier: Callable[[Tensor], Tensor], image: Float[Tensor, "1 c h w"], clean: Float[Tensor, "1 c h w"]) -> Seen:
    return Seen(image.cpu(), classifier(image)[0].cpu(), float(ssim(image, clean)))
