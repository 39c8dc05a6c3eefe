"""Any classifier, smoothed: certified accuracy over its test images for several standard deviations; and one image, vote by vote."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from explorer.batches import Columns, over_batches
from explorer.configuration import out_of_range
from explorer.errors import InvalidInput
from explorer.evaluation.certified import certified_curve, smoothing_columns
from explorer.measuring import Measured, batch, common_problems, count, file_digest, of_images, own_folder, refuse
from explorer.randomness import Streams
from explorer.sets import PerturbationSet
from explorer.smoothing import (
    ABSTAIN,
    binomial_p_value,
    count_votes,
    lower_confidence_bound,
    smoothing_radius,
    votes_as_they_come,
)
from explorer.smoothing.certification import CONFIDENCE, SELECTION
from explorer.smoothing.confidence import check_samples
from explorer.types import Inner, Progress

from .classifiers import OpenedClassifier
from .threats import build_set, parse_threat, threat_problems

SIGMAS = (0.25, 0.5, 1.0)  # Cohen et al., 2019
STEPS = 40  # of the curves that are drawn


@dataclass(frozen=True)
class CertifySettings:
    """How certified accuracies are measured: noise N(0, σ²I) in the parameters of the set, whose radius plays no part. Perturbation sets,
    Appendix E.6, takes 10,000 samples and confidence 0.999."""

    threat: str = "l2"
    sigmas: tuple[float, ...] = SIGMAS
    samples: int = 1000
    selection: int = SELECTION
    confidence: float = CONFIDENCE
    radii: tuple[float, ...] = ()  # none: even ones up to the largest that can be certified
    limit: int | None = 100
    seed: int = 0
    batch_size: int = 10  # images
    noisy_batch: int = 512  # noisy inputs that go through the classifier together


@dataclass(frozen=True, kw_only=True)
class CertifyTable(Measured):
    """For each σ, *certified* image by image with the confidence of the settings: the share of images whose label holds within each radius, the
    shares that abstained and that got another class, and the mean radius. `empirical` shares are of no certificate."""

    sigmas: tuple[float, ...]
    radii: tuple[float, ...]
    accuracy: tuple[tuple[float, ...], ...]
    abstained: tuple[float, ...]
    wrong: tuple[float, ...]
    mean_radius: tuple[float, ...]
    clean: float


@dataclass(frozen=True, eq=False)
class Voting:
    """One image's votes so far. After each batch of samples: how many were `drawn`, how many of them said `label`, and the lower confidence
    bound of its share, were that the end. Only the last bound is one that holds with the confidence; the radius follows from it."""

    label: int
    selection: Int[Tensor, " classes"]
    votes: Int[Tensor, " classes"]
    drawn: Int[Tensor, " batches"]
    own: Int[Tensor, " batches"]
    lower: Float[Tensor, " batches"]
    upper: Float[Tensor, " batches"]
    sigma: float
    samples: int
    confidence: float

    @property
    def finished(self) -> bool:
        return int(self.drawn[-1]) == self.samples

    @property
    def certified(self) -> bool:
        return self.finished and float(self.lower[-1]) > 0.5

    @property
    def radius(self) -> float:
        """0 where it abstains, or is not finished."""
        return float(smoothing_radius(self.lower[-1], self.sigma)) if self.certified else 0.0

    @property
    def predicted(self) -> int:
        """What `predict` would answer from these votes: the class that most have, or ABSTAIN."""
        first, second = self.votes.topk(2).values
        return int(self.votes.argmax()) if float(binomial_p_value(first, second)) <= 1 - self.confidence else ABSTAIN


def certify_problems(settings: CertifySettings) -> list[str]:
    """All that is wrong with settings, in the user's words."""
    found = common_problems(settings) + out_of_range(settings, selection=(1, 10**7), noisy_batch=(1, 10**6))
    found += threat_problems(settings.threat)
    if not settings.sigmas or not all(0 < sigma < math.inf for sigma in settings.sigmas):
        found.append(f"sigmas = {', '.join(f'{each:g}' for each in settings.sigmas) or 'none'}: expected finite numbers above 0")
    try:
        check_samples(settings.samples, settings.confidence)
    except InvalidInput as error:
        found.append(str(error))
    if not all(0 <= radius < math.inf for radius in settings.radii) or list(settings.radii) != sorted(set(settings.radii)):
        found.append(f"radii = {', '.join(f'{each:g}' for each in settings.radii)}: expected rising finite numbers of at least 0")
    return found


def certify_table(opened: OpenedClassifier, digest: str, settings: CertifySettings, folder: Path, progress: Progress) -> Iterator[CertifyTable]:
    """The curves of the images certified so far, after each batch. Batches are kept in `folder`, so that the same call goes on after a stop.
    Raises ConfigurationError, CheckpointError, InvalidInput, OutputError or Cancelled."""
    refuse(certify_problems(settings))
    threat = parse_threat(settings.threat)
    sets, common = build_set(threat, opened.model, opened.device), of_images(opened, digest, settings)
    radii = settings.radii or usual_radii(settings)

    def measured(first: int, last: int) -> Columns:
        x, labels = batch(opened, first, last)
        found = smoothing_columns(
            opened.model, sets.at(x, labels), labels, settings.sigmas, Streams(settings.seed, range(first, last)), samples=settings.samples,
            selection=settings.selection, confidence=settings.confidence, batch_size=settings.noisy_batch, progress=Inner(progress),
        )  # fmt: skip
        with torch.no_grad():
            return {**found, "correct": (opened.model(x).argmax(1) == labels).cpu().double()}

    place = own_folder(folder, "certify", {**common, "settings": {**common["settings"], "radii": []}}, file_digest(threat.checkpoint))
    for columns in over_batches(place, count(opened, settings), settings.batch_size, measured, progress):
        curves = [certified_curve(columns, number, radii) for number in range(len(settings.sigmas))]
        yield CertifyTable(
            sigmas=settings.sigmas, radii=radii, accuracy=tuple(each.accuracy for each in curves), abstained=tuple(each.abstained for each in curves),
            wrong=tuple(each.wrong for each in curves), mean_radius=tuple(each.mean_radius for each in curves), clean=float(columns["correct"].mean()),
            images=len(columns["target"]), **common,
        )  # fmt: skip


def usual_radii(settings: CertifySettings) -> tuple[float, ...]:
    """Even ones from 0 to what unanimous votes certify at the largest σ."""
    best = float(smoothing_radius(lower_confidence_bound(torch.tensor(settings.samples), settings.samples, settings.confidence), max(settings.sigmas)))
    return tuple(round(best * number / STEPS, 6) for number in range(STEPS)) + (best,)


def voting(
    classifier: nn.Module, perturbation_set: PerturbationSet, image: Float[Tensor, "1 c h w"], label: int, sigma: float, *,
    samples: int, selection: int = SELECTION, confidence: float = CONFIDENCE, seed: int = 0, batch_size: int = 256, progress: Progress,
) -> Iterator[Voting]:  # fmt: skip
    """One image's votes after each batch: those of `certify` with the same numbers, none given up early. `label` is the image's own: sets on a
    manifold are of a class. Raises InvalidInput or Cancelled."""
    check_samples(samples, confidence)
    at = perturbation_set.at(image, torch.tensor([label], device=image.device))
    streams = {purpose: Streams(seed, [0], purpose=f"smoothing {purpose}") for purpose in ("selection", "certification")}
    chosen = count_votes(classifier, at, sigma=sigma, samples=selection, streams=streams["selection"], batch_size=batch_size)[0]
    winner, drawn, own = int(chosen.argmax()), [], []
    for counted in votes_as_they_come(classifier, at, sigma=sigma, samples=samples, streams=streams["certification"], batch_size=batch_size, progress=progress):
        votes = counted.votes[0]
        drawn.append(int(counted.drawn))
        own.append(int(votes[winner]))
        lower = torch.stack([lower_confidence_bound(torch.tensor(k), n, confidence) for k, n in zip(own, drawn)])
        upper = torch.stack([1 - lower_confidence_bound(torch.tensor(n - k), n, confidence) for k, n in zip(own, drawn)])
        yield Voting(winner, chosen, votes, torch.tensor(drawn), torch.tensor(own), lower, upper, sigma, samples, confidence)
