"""The closest and the farthest member of a learned set, with the path of the search (Perturbation sets, Appendix B, 2 and 4)."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.attacks import pgd
from explorer.evaluation.approximation import DISTANCES, STEP_SIZE, STEPS, Distance
from explorer.randomness import Streams
from explorer.sets import LatentBall
from explorer.types import Progress

from .exploration import LearnedSet

Sense = Literal["closest", "farthest"]
Start = Literal["encoding", "centre", "random"]


@dataclass(frozen=True)
class SearchSettings:
    """What is searched for, and from where; `radius` in latent standard deviations. The paper starts the closest member's search
    at the encoding of the pair and the farthest one's at a random point."""

    radius: float
    sense: Sense = "closest"
    start: Start = "encoding"
    distance: Distance = "cross_entropy"
    seed: int = 0
    steps: int = STEPS


@dataclass(frozen=True, eq=False)
class Search:
    """Every iterate of a search, the start first: its member, its parameter and its distance to the target per pixel. `best` is the
    number of the iterate that PGD returns."""

    frames: Float[Tensor, "iterates c h w"]
    delta: Float[Tensor, "iterates latent"]
    distance: Float[Tensor, "iterates"]
    best: int


def search(
    learned: LearnedSet,
    clean: Float[Tensor, "1 c h w"],
    target: Float[Tensor, "1 c h w"],
    settings: SearchSettings,
    progress: Progress | None = None,
) -> Search:
    """PGD with steps of ε/20 for the member of S(clean) closest to, or farthest from, the target: an upper bound of the approximation
    error, or a lower bound of the over-approximation error."""
    model, measure, path = learned.checkpoint.model, DISTANCES[settings.distance], []
    perturbations = LatentBall(model, settings.radius).at(clean)
    with torch.no_grad():
        encoding = model.prior(clean).standardise(model.encode(clean, target).mean)
    start = {"encoding": encoding, "centre": "zero", "random": "uniform-norm"}[settings.start]
    found = pgd(
        perturbations,
        lambda image: measure(image, target),
        steps=settings.steps,
        step_size=STEP_SIZE,
        maximise=settings.sense == "farthest",
        start=start,
        streams=Streams(settings.seed, [0]),
        progress=progress,
        observe=lambda delta, loss: path.append((delta, loss)),
    )
    deltas, losses = (torch.cat(values) for values in zip(*path))
    with torch.inference_mode():
        frames = LatentBall(model, settings.radius).at(clean.expand(len(deltas), -1, -1, -1)).perturb(deltas)
    best = int((deltas == found.delta).all(1).int().argmax())
    return Search(frames, deltas, losses / target[0].numel(), best)
