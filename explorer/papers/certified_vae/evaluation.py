"""Table 1 and Figure 3 for a checkpoint: over its data set, resumable after an interruption."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explorer.batches import Columns, over_batches
from explorer.bounds.elbo import elbo_lower_bound
from explorer.configuration import from_mapping, out_of_range
from explorer.errors import ConfigurationError
from explorer.measuring import Measured, Origin, common_problems, count, mean_and_error, of_images, origin, own_folder, refuse
from explorer.models.vae import SIGMA0
from explorer.randomness import Streams
from explorer.types import Inner, Progress

from .attack import RESTARTS, STEPS, attack_elbo
from .exploration import CertifiedVae
from .measuring import likelihoods, posterior_noise

ELBO_KIND, ATTACK_KIND = "certified_vae.elbo", "certified_vae.attack"
HEADINGS = ("train bound", "test bound", "test ELBO", "train bound, clipped", "test bound, clipped")
CURVE = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2)  # Figure 3: 0 ≤ ε_attack ≤ 0.2
Five = tuple[float | None, float | None, float | None, float | None, float | None]


@dataclass(frozen=True)
class ElboSettings:
    """How Table 1's columns are measured. `limit` keeps the first images of each split."""

    radius: float | None = None  # the radius of the training, as in the table
    sigma0: float = SIGMA0
    limit: int | None = None
    seed: int = 0
    batch_size: int = 250


@dataclass(frozen=True)
class AttackSettings:
    """How Figure 3's curve is measured. The attack at each radius sets out from what the one before has found."""

    radii: tuple[float, ...] = CURVE
    clip: bool = False  # eq. 15
    sigma0: float = SIGMA0
    steps: int = STEPS  # the paper names neither steps nor restarts
    restarts: int = RESTARTS
    limit: int | None = None
    seed: int = 0
    batch_size: int = 250


@dataclass(frozen=True, kw_only=True)
class ElboTable(Origin):
    """Means in nats over the images so far, in the order of HEADINGS, with standard errors; None for a split that is not begun. `images`
    and `available` count the train and the test split."""

    radius: float
    images: tuple[int, int]
    available: tuple[int, int]
    means: Five
    standard_errors: Five

    def __post_init__(self):
        from_mapping(ElboSettings, self.settings, "settings")
        refuse([f"{some} of {of} images" for some, of in zip(self.images, self.available) if not 0 <= some <= of])
        _check_positive((*self.standard_errors, self.radius))


@dataclass(frozen=True, kw_only=True)
class AttackTable(Measured):
    """Means in nats over the test images so far at each of `radii`, with standard errors: of the lowest ELBO that PGD found, an upper bound
    of the worst case; and of the certified lower bound."""

    radius: float
    radii: tuple[float, ...]
    attacked: tuple[float, ...]
    attacked_errors: tuple[float, ...]
    bounds: tuple[float, ...]
    bound_errors: tuple[float, ...]

    def __post_init__(self):
        super().__post_init__()
        from_mapping(AttackSettings, self.settings, "settings")
        _check_positive((*self.attacked_errors, *self.bound_errors, self.radius, *self.radii))
        if len({len(each) for each in (self.radii, self.attacked, self.attacked_errors, self.bounds, self.bound_errors)}) != 1:
            raise ConfigurationError([f"expected {len(self.radii)} values of each column, one for each radius"])


def elbo_table(opened: CertifiedVae, digest: str, settings: ElboSettings, folder: Path, progress: Progress) -> Iterator[ElboTable]:
    """The table of the images measured so far, the test split first, after each batch. Batches are kept in `folder`, so that the same
    call goes on after a stop. Raises ConfigurationError, DataNotFound, OutputError or Cancelled."""
    refuse(elbo_problems(settings))
    radius = opened.radius if settings.radius is None else settings.radius
    splits = [opened.data.load(split) for split in ("test", "train")]
    chosen = [each.images[: settings.limit] for each in splits]
    counts = [len(each) for each in chosen]

    def measured(first: int, last: int) -> Columns:
        parts = [_rows(opened, images[max(0, first - start) : max(0, last - start)], max(0, first - start), radius, settings, progress)
                 for images, start in zip(chosen, (0, counts[0]))]  # fmt: skip
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    common = origin(opened, digest, settings, splits[0].fingerprint())
    for columns in over_batches(own_folder(folder, "elbo", common, str(settings.limit)), sum(counts), settings.batch_size, measured, progress):
        done = len(columns["elbo"])
        parts = {name: values.split([min(done, counts[0]), max(0, done - counts[0])]) for name, values in columns.items()}
        order = [parts["bound"][1], parts["bound"][0], parts["elbo"][0], parts["clipped"][1], parts["clipped"][0]]
        means, errors = zip(*map(mean_and_error, order))
        images = max(0, done - counts[0]), min(done, counts[0])
        yield ElboTable(radius=radius, images=images, available=(len(splits[1]), len(splits[0])), means=means, standard_errors=errors, **common)


def attack_columns(opened: CertifiedVae, settings: AttackSettings, progress: Progress) -> Callable[[int, int], Columns]:
    """A function of (first, last) that attacks those test images: a column for each radius of the lowest ELBO found, and of the bound."""

    def search(first: int, last: int) -> Columns:
        x = opened.images.images[first:last].to(opened.device)
        noise = posterior_noise(opened.model, range(first, last), settings.seed).to(x)
        streams, delta, found, bounds = Streams(settings.seed, range(first, last)), None, [], []
        for radius in settings.radii:
            result = attack_elbo(
                opened.model, x, radius, noise, streams, clip=settings.clip, sigma0=settings.sigma0, steps=settings.steps if radius else 0,
                restarts=settings.restarts if radius else 1, start=delta, progress=Inner(progress),
            )  # fmt: skip
            delta = result.delta
            found.append(result.loss)
            with torch.inference_mode():
                bounds.append(elbo_lower_bound(opened.model, x, radius, noise, sigma0=settings.sigma0, clip=settings.clip))
        return {"attacked": torch.stack(found, 1).double(), "bound": torch.stack(bounds, 1).double()}

    return search


def attack_table(opened: CertifiedVae, digest: str, settings: AttackSettings, folder: Path, progress: Progress) -> Iterator[AttackTable]:
    """Figure 3's curve over the test images measured so far, after each batch; resumed and refused as `elbo_table`."""
    refuse(attack_problems(settings))
    common = of_images(opened, digest, settings)
    for columns in over_batches(own_folder(folder, "attack", common), count(opened, settings), settings.batch_size, attack_columns(opened, settings, progress), progress):
        attacked, errors = zip(*map(mean_and_error, columns["attacked"].T))
        bounds, bound_errors = zip(*map(mean_and_error, columns["bound"].T))
        yield AttackTable(
            radius=opened.radius, radii=settings.radii, images=len(columns["bound"]),
            attacked=attacked, attacked_errors=errors, bounds=bounds, bound_errors=bound_errors, **common,
        )  # fmt: skip


def elbo_problems(settings: ElboSettings) -> list[str]:
    """All that is wrong with the settings, in the user's words."""
    found = [] if settings.radius is None or 0 <= settings.radius <= 1 else [f"radius = {settings.radius}: expected 0 to 1, or none"]
    return found + _problems(settings)


def attack_problems(settings: AttackSettings) -> list[str]:
    found = out_of_range(settings, steps=(1, 100_000), restarts=(1, 1000), radii=(0, 1))
    if list(settings.radii) != sorted(set(settings.radii)):
        found.append(f"radii = {settings.radii}: expected rising radii, each once")
    return found + _problems(settings)


def _problems(settings: Any) -> list[str]:
    found = common_problems(settings)
    if not 1e-3 <= settings.sigma0 <= 1e3:
        found.append(f"sigma0 = {settings.sigma0}: expected 0.001 to 1000")
    return found


def _rows(opened: CertifiedVae, images: Tensor, first: int, radius: float, settings: ElboSettings, progress: Progress) -> Columns:
    """ELBO and both bounds of images of one split, of which there may be none."""
    if not len(images):
        return {name: torch.empty(0, dtype=torch.float64) for name in ("elbo", "bound", "clipped")}
    x, how = images.to(opened.device), {"sigma0": settings.sigma0, "seed": settings.seed, "first": first, "progress": Inner(progress)}
    whole, cut = (likelihoods(opened.model, x, radius, clip=clip, **how) for clip in (False, True))
    return {"elbo": whole.elbo, "bound": whole.bound, "clipped": cut.bound}


def _check_positive(values: tuple[float | None, ...]) -> None:
    if min(value for value in values if value is not None) < 0:
        raise ConfigurationError(["expected radii and standard errors of at least 0"])
