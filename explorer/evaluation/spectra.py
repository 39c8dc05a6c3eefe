"""Where data and attacks lie in terms of a class's principal directions (Manifold directions, §5.1 and Figures 2 and 3)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.errors import InvalidInput

LARGE = 30  # eigenvalues that the paper draws as the large ones (§5.1)


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues of a class's covariance in descending order, in squared pixel intensities, its principal directions as rows, and how
    many images it was made of."""

    eigenvalues: Float[Tensor, "d"]
    directions: Float[Tensor, "d d"]
    count: int

    def parts(self, large: int = LARGE) -> tuple[float, float]:
        """The sums of the large eigenvalues and of the others."""
        return float(self.eigenvalues[:large].sum()), float(self.eigenvalues[large:].sum())


@dataclass(frozen=True, eq=False)
class Energy:
    """The share of an attack's energy E‖δ‖² along each principal direction, with a band that holds it with the stated confidence."""

    share: Float[Tensor, "d"]
    lower: Float[Tensor, "d"]
    upper: Float[Tensor, "d"]
    confidence: float

    def beyond(self, large: int = LARGE) -> float:
        """The share that lies off the first directions."""
        return float(self.share[large:].sum())


def class_eigenvalues(images: Float[Tensor, "n ..."], labels: Int[Tensor, "n"], classes: int) -> Float[Tensor, "classes d"]:
    """Eigenvalues of the covariance of each class's images, in descending order, in float64; NaN for a class of fewer than two images."""
    found = [_eigenvalues(images[labels == label]) for label in range(classes)]
    if all(each is None for each in found):
        raise InvalidInput("no class has two images: there is no covariance.")
    unknown = torch.full((images[0].numel(),), torch.nan, dtype=torch.float64, device=images.device)
    return torch.stack([unknown if each is None else each for each in found])


def spectrum(images: Float[Tensor, "n ..."]) -> Spectrum:
    """The principal components of one class. Raises InvalidInput for fewer than two images."""
    covariance = _covariance(images)
    if covariance is None:
        raise InvalidInput(f"expected at least two images, got {len(images)}.")
    values, vectors = torch.linalg.eigh(covariance)
    return Spectrum(values.flip(0).clamp(min=0), vectors.flip(1).T.contiguous(), len(images))


def attack_energy(
    delta: Float[Tensor, "n ..."], directions: Float[Tensor, "d d"], generator: torch.Generator, *, resamples: int = 500, confidence: float = 0.95
) -> Energy:
    """How an attack's perturbations spread over principal directions: Σₙ (vᵢ·δₙ)² / Σₙ ‖δₙ‖², and percentile bands by drawing the
    examples anew (bootstrap; Efron, 1979). Raises InvalidInput for perturbations that are all 0 or not finite."""
    flat = delta.flatten(1).double()
    if flat.shape[1] != directions.shape[1]:
        raise InvalidInput(f"the perturbations have {flat.shape[1]} elements, the directions {directions.shape[1]}.")
    if not flat.isfinite().all() or not flat.any():
        raise InvalidInput("expected finite perturbations of which some are not 0.")
    energies = (flat @ directions.T).square()
    weights = _multinomial(len(flat), resamples, generator)
    drawn = weights @ energies
    shares = drawn / drawn.sum(1, keepdim=True)
    shares = shares[shares.isfinite().all(1)]  # without draws of zero perturbations alone
    ends = torch.quantile(shares, torch.tensor([(1 - confidence) / 2, (1 + confidence) / 2], dtype=torch.float64), dim=0)
    return Energy(energies.sum(0) / energies.sum(), ends[0], ends[1], confidence)


def _covariance(images: Tensor) -> Tensor | None:
    if len(images) < 2:
        return None
    centred = _centred(images)
    return centred.T @ centred / (len(images) - 1)


def _eigenvalues(images: Tensor) -> Tensor | None:
    """Of the covariance; of fewer images than pixels by their products with each other, the other eigenvalues being 0."""
    if not 2 <= len(images) < images[:1].numel():
        covariance = _covariance(images)
        return None if covariance is None else torch.linalg.eigvalsh(covariance).flip(0).clamp(min=0)
    centred = _centred(images)
    values = torch.linalg.eigvalsh(centred @ centred.T / (len(images) - 1)).flip(0).clamp(min=0)
    return torch.nn.functional.pad(values, (0, centred.shape[1] - len(images)))


def _centred(images: Tensor) -> Float[Tensor, "n d"]:
    flat = images.flatten(1).double()
    return flat - flat.mean(0)


def _multinomial(count: int, resamples: int, generator: torch.Generator) -> Float[Tensor, "resamples n"]:
    """How often each example is drawn, for draws with replacement of as many as there are."""
    drawn = torch.randint(count, (resamples, count), generator=generator)
    return torch.zeros(resamples, count, dtype=torch.float64).scatter_add_(1, drawn, torch.ones(1, dtype=torch.float64).expand_as(drawn))
