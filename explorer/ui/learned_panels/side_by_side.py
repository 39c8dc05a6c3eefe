"""Two learned sets at one image: the same u where they have as many latents, the same real pair where they do not."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from explorer.papers.learned_sets import Exploration, LearnedSet, RealPairs, Settings, explore


@dataclass(frozen=True, eq=False)
class Side:
    """What one set makes of the image at a radius in its own latent standard deviations: a member, its centre, and the member at
    the real pair's encoding, which may lie up to its ε. `error` is that member's squared error per pixel."""

    learned: LearnedSet
    radius: float
    real: RealPairs
    member: Exploration
    centre: Exploration
    encoded: Exploration

    @property
    def error(self) -> float:
        return float((self.encoded.perturbed - self.real.perturbed[:1]).square().mean())


def same_latents(first: LearnedSet, second: LearnedSet) -> bool:
    """Whether a point u of one set is a point of the other."""
    return first.latent_dim == second.latent_dim


def both_radii(first: LearnedSet, second: LearnedSet, radius: float) -> tuple[float, float]:
    """The first set's radius, and the second's: the same number where they share u, the same share of ε where they do not."""
    if same_latents(first, second):
        return radius, min(radius, second.radius)
    return radius, second.radius * (radius / first.radius if first.radius else 1.0)


def both_sides(
    first: LearnedSet,
    second: LearnedSet,
    image: Float[Tensor, "1 c h w"],
    real: tuple[RealPairs, RealPairs],
    delta: tuple[float, ...],
    radius: float,
) -> tuple[Side, Side]:
    """Members at `delta` where the sets share it, else at each one's encoding of the real pair; projected onto its ball. The image
    is without its frame."""
    radii, shared = both_radii(first, second, radius), same_latents(first, second)
    one, two = (
        _side(learned, image, pairs, delta if shared else tuple(pairs.delta[0].tolist()), own)
        for learned, pairs, own in zip((first, second), real, radii)
    )
    return one, two


def _side(learned, image, real, delta, radius):
    clean = learned.pairs.clean(image).to(learned.device)
    encoding = tuple(real.delta[0].tolist())
    return Side(
        learned=learned,
        radius=radius,
        real=real,
        member=explore(learned, clean, Settings(radius, delta)),
        centre=explore(learned, clean, Settings(radius)),
        encoded=explore(learned, clean, Settings(learned.radius, encoding)),
    )
