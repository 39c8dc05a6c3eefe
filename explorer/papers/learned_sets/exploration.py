"""Looking into a learned set: one member, random members, the way between members, and the directions of real data."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.checkpoints import Checkpoint, load
from explorer.data import ImageDataset, PairSource, Source, open_pairs, pair_kind
from explorer.errors import CheckpointMismatch, InvalidInput
from explorer.evaluation import encode_pairs
from explorer.randomness import Streams
from explorer.sets import LatentBall
from explorer.sets.base import Law

from .config import KIND
from .training import evaluated

DIRECTIONS = 12


@dataclass(frozen=True)
class Directions:
    """Principal directions of the encoded pairs: unit vectors in order of variance, the share of the variance each
    explains, and the largest |<u, direction>| that real pairs reach."""

    vectors: Float[Tensor, "directions latent"]
    shares: Float[Tensor, "directions"]
    extents: Float[Tensor, "directions"]


@dataclass(frozen=True)
class LearnedSet:
    """An opened checkpoint with the test pairs. `note` says where they are not of the data that it was trained for."""

    name: str
    checkpoint: Checkpoint
    pairs: PairSource
    data: Source
    note: str | None = None

    @property
    def images(self) -> ImageDataset:
        """What is perturbed, without frames."""
        return self.pairs.images

    def of_split(self, split: str) -> PairSource:
        """The pairs of another split. Never downloads. Raises DataNotFound."""
        return open_pairs(str(self.checkpoint.header.dataset["pairs"]), self.data.name, split, self.data.root)

    @cached_property
    def directions(self) -> "Directions":
        """Of the validation pairs. Raises CheckpointMismatch for a model whose encodings are not finite."""
        encoded = encode_pairs(self.checkpoint.model, *evaluated(self.of_split("validation"), self.device))
        if not encoded.delta.isfinite().all():
            raise CheckpointMismatch(f"{self.name} encodes real pairs as values that are not finite: its weights are unusable.")
        return principal_directions(encoded.delta)

    @property
    def radius(self) -> float:
        return float(self.checkpoint.header.radius)

    @property
    def latent_dim(self) -> int:
        return self.checkpoint.model.latent_dim

    @property
    def device(self) -> torch.device:
        return next(self.checkpoint.model.parameters()).device

    def clean(self, index: int) -> Float[Tensor, "1 c h w"]:
        """Test image number `index`, framed as the model takes it."""
        if not 0 <= index < len(self.images):
            raise InvalidInput(f"image {index} does not exist: the test images are numbered 0 to {len(self.images) - 1}")
        return self.pairs.clean(self.images.images[index : index + 1]).to(self.device)

    def real_pairs(self, image: Float[Tensor, "1 c h w"], key: int) -> "RealPairs":
        """Real perturbations of an unframed image and where they lie, one of each type; of a single type several, of which the first is the
        pair used in evaluation."""
        batch, names = self.pairs.shown(image.cpu(), key)
        batch = batch.to(self.device)
        return RealPairs(batch.perturbed, encode_pairs(self.checkpoint.model, *batch.both).delta, names)


@dataclass(frozen=True)
class RealPairs:
    """Real perturbations of one image, their encodings u, and what was done to it, in words."""

    perturbed: Float[Tensor, "n c h w"]
    delta: Float[Tensor, "n latent"]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Settings:
    """What the page asks for. `delta` is a point of the ball, empty for its centre; `radius` in latent standard deviations."""

    radius: float
    delta: tuple[float, ...] = ()
    seed: int = 0
    law: Law = "normal"
    members: int = 64


@dataclass(frozen=True)
class Exploration:
    """One member of S(x): the clean image, the member, its parameter after the projection onto the ball, and ‖u‖."""

    clean: Float[Tensor, "1 c h w"]
    perturbed: Float[Tensor, "1 c h w"]
    delta: Float[Tensor, "latent"]
    norm: float


@dataclass(frozen=True)
class Interpolation:
    """Members along the straight lines between points of the ball, in order; `delta` holds their parameters."""

    frames: Float[Tensor, "frames c h w"]
    delta: Float[Tensor, "frames latent"]


def open_learned_set(path: str | Path, device: str | torch.device = "cpu", root: str | Path | None = None) -> LearnedSet:
    """Load a checkpoint and its test images. Where its data set is not at hand, the embedded digits stand in, and `note` says
    so. Raises CheckpointError, UnknownName, or InvalidInput for another kind."""
    checkpoint = load(path, device)
    header = checkpoint.header
    if header.kind != KIND:
        raise InvalidInput(f"{Path(path).name} holds a {header.kind!r}, expected a {KIND!r}: a set that python -m explorer.train has learned from pairs")
    pairs, data, note = pair_kind(str(header.dataset.get("pairs"))[:40]).at_hand(str(header.dataset.get("name")), root)
    framed, taken = pairs.image_shape(tuple(pairs.images.images.shape[1:])), checkpoint.model.image_shape
    if framed != taken:
        raise InvalidInput(f"{Path(path).name} takes images of {taken}, the pairs of {data.name!r} are {framed}")
    return LearnedSet(Path(path).name, checkpoint, pairs, data, note)


def principal_directions(delta: Float[Tensor, "n latent"], count: int = DIRECTIONS) -> Directions:
    """Principal components of encoded pairs. Each vector's sign makes its largest entry positive."""
    from sklearn.decomposition import PCA

    analysis = PCA(min(count, *delta.shape), svd_solver="full").fit(delta.cpu().double().numpy())
    vectors = torch.tensor(analysis.components_)
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    vectors = (vectors * largest.sign()).float()
    shares = torch.tensor(analysis.explained_variance_ratio_).float()
    return Directions(vectors, shares, (delta.cpu() @ vectors.T).abs().amax(0))


def explore(learned: LearnedSet, clean: Float[Tensor, "1 c h w"], settings: Settings) -> Exploration:
    """The member of S(clean) at the settings' point, projected onto the ball of the settings' radius."""
    perturbations = LatentBall(learned.checkpoint.model, settings.radius).at(clean)
    delta = torch.tensor([settings.delta or (0.0,) * learned.latent_dim], device=clean.device)
    if delta.shape[1] != learned.latent_dim:
        raise InvalidInput(f"the point has {delta.shape[1]} coordinates, the model {learned.latent_dim}")
    delta = perturbations.region.project(delta)
    with torch.inference_mode():
        perturbed = perturbations.perturb(delta)
    return Exploration(clean, perturbed, delta[0], float(delta.norm()))


def members(learned: LearnedSet, clean: Float[Tensor, "1 c h w"], settings: Settings) -> Interpolation:
    """Random members of S(clean) at the settings' radius: number i depends on the seed and i alone."""
    batch = clean.expand(settings.members, -1, -1, -1)
    perturbations = LatentBall(learned.checkpoint.model, settings.radius).at(batch)
    delta = perturbations.region.sample(Streams(settings.seed, range(settings.members), purpose="members"), settings.law)
    with torch.inference_mode():
        return Interpolation(perturbations.perturb(delta), delta)


def interpolate(
    learned: LearnedSet, clean: Float[Tensor, "1 c h w"], points: Float[Tensor, "points latent"], radius: float, frames: int
) -> Interpolation:
    """From point to point in `frames` equal steps for each line; points outside the ball are projected first."""
    if len(points) < 2 or frames < 1:
        raise InvalidInput(f"an interpolation needs at least 2 points and 1 step, got {len(points)} and {frames}")
    ball = LatentBall(learned.checkpoint.model, radius)
    corners = ball.at(clean.expand(len(points), -1, -1, -1)).region.project(points.to(clean))
    lines = [torch.lerp(a, b, step / frames) for a, b in zip(corners, corners[1:]) for step in range(frames)]
    delta = torch.stack([*lines, corners[-1]])
    perturbations = ball.at(clean.expand(len(delta), -1, -1, -1))
    with torch.inference_mode():
        return Interpolation(perturbations.perturb(delta), delta)
