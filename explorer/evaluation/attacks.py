"""How many images a classifier gets right, and for how many an attack finds a point of their set where it does not: at one radius, or over a
whole curve of them in one pass."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from explorer.attacks import Attack, find_adversarial, label_margin, parts_of
from explorer.batches import Columns
from explorer.errors import InvalidInput
from explorer.randomness import Streams
from explorer.sets import Perturbations, PerturbationSet
from explorer.sets.regions import as_column
from explorer.types import Inner, Progress, Silent

MOST_SCOUTED = 10  # steps

Classifier = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class AttackCounts:
    """Numbers of images: all; those that are classified right as they are; those of them that were attacked; and those of these that were
    fooled, or survived. An image that is classified wrong is never attacked."""

    images: int
    clean_correct: int
    attempted: int
    fooled: int
    survived: int

    @property
    def robust(self) -> float:
        """The share of the images that are right and survived: what was *found*, so that the true share is at most this."""
        return self.survived / self.images if self.images else math.nan

    @property
    def clean(self) -> float:
        return self.clean_correct / self.images if self.images else math.nan


def attack_columns(
    classifier: Classifier,
    x: Float[Tensor, "batch c h w"],
    labels: Int[Tensor, "batch"],
    perturbation_set: PerturbationSet,
    attack: Attack,
    streams: Streams,
    progress: Progress | None = None,
) -> Columns:
    """A row for each image: whether it is classified right, was attacked, was fooled, and the largest margin found (NaN where it was not
    attacked), the first above 0 where it was fooled. Of a worst of all the later attacks see the survivors only. Raises InvalidInput,
    or Cancelled."""
    batch = _Batch(classifier, x, labels, perturbation_set, streams, progress)
    correct = batch.correct()
    rows = correct.nonzero()[:, 0]
    found = batch.attacked(rows, attack)[1]
    margin = torch.full((len(x),), math.nan, dtype=torch.double)
    margin[rows.cpu()] = found.double().cpu()
    right = correct.cpu().double()
    return {"correct": right, "attempted": right.clone(), "fooled": (margin > 0).double(), "margin": margin}


def curve_columns(
    classifier: Classifier,
    x: Float[Tensor, "batch c h w"],
    labels: Int[Tensor, "batch"],
    largest: PerturbationSet,
    shares: Sequence[float],
    attack: Attack,
    streams: Streams,
    progress: Progress | None = None,
) -> Columns:
    """A row for each image: whether it is classified right; `falls`, the number of the smallest share of the largest set's radius at which it
    was fooled, or the number of shares where it never was; and how many searches that took.

    A survivor is not attacked at smaller shares, and who falls has fallen at all larger ones. A short search on the margin, the scout, halves
    the shares first; a point that fools is moved towards the centre, so that it may do so at several of them; the attack itself begins
    at the largest share that is left, where it mostly finds nothing, which settles the image. No row depends on the others. Raises
    InvalidInput for shares that do not rise from above 0 to at most 1, or Cancelled."""
    check_shares(shares)
    batch = _Batch(classifier, x, labels, largest, streams, progress)
    values, correct = torch.tensor(shares, dtype=x.dtype, device=x.device), batch.correct()
    low, high = torch.zeros_like(labels), torch.full_like(labels, len(shares))  # it survives below the one, and falls from the other on
    searches, scout = torch.zeros_like(labels), scout_of(attack)
    floor = low.clone()  # the scout could not fool it below this; that proves nothing, but says where to look
    while (rows := (correct & (floor < high)).nonzero()[:, 0]).numel():
        tried = (floor[rows] + high[rows]) // 2
        high[rows], floor[rows] = batch.narrowed(rows, values, floor[rows], high[rows], tried, scout)
    while (rows := (correct & (low < high)).nonzero()[:, 0]).numel():
        high[rows], low[rows] = batch.narrowed(rows, values, low[rows], high[rows], high[rows] - 1, attack)
        searches[rows] += 1
    return {name: each.cpu().double() for name, each in {"correct": correct, "falls": high, "searches": searches}.items()}


def scout_of(attack: Attack) -> Attack:
    """A search on the margin that costs a tenth."""
    steps = max(1, min(MOST_SCOUTED, sum(part.evaluations for part in parts_of(attack)) // 10))
    return Attack("scout", goal="margin", steps=steps, step_size=max(0.2, min(1.0, 2 / steps)), start="zero")


def counts(columns: Columns) -> AttackCounts:
    """Of `attack_columns`."""
    attempted, fooled = (int(columns[name].sum()) for name in ("attempted", "fooled"))
    return AttackCounts(len(columns["correct"]), int(columns["correct"].sum()), attempted, fooled, attempted - fooled)


def curve_counts(columns: Columns, shares: int) -> tuple[AttackCounts, ...]:
    """Of `curve_columns`, for each share: what is known of an image that was not attacked there follows from another share."""
    correct, falls = columns["correct"] > 0, columns["falls"]
    right = int(correct.sum())
    fallen = [int((correct & (falls <= share)).sum()) for share in range(shares)]
    return tuple(AttackCounts(len(correct), right, right, each, right - each) for each in fallen)


def check_shares(shares: Sequence[float]) -> None:
    """Raise InvalidInput unless they rise from above 0 to at most 1."""
    if not shares or not all(low < high for low, high in zip((0.0, *shares), shares)) or not shares[-1] <= 1:
        raise InvalidInput(f"expected rising shares of the largest radius, above 0 and at most 1, got {tuple(shares)[:20]}.")


@dataclass(frozen=True)
class _Batch:
    """Some images and their sets."""

    classifier: Classifier
    x: Float[Tensor, "batch c h w"]
    labels: Int[Tensor, "batch"]
    perturbation_set: PerturbationSet
    streams: Streams
    progress: Progress | None

    def correct(self) -> Bool[Tensor, "batch"]:
        with torch.no_grad():
            logits = self.classifier(self.x)
        if logits.isnan().any():
            raise InvalidInput("the classifier answers with NaN: it cannot be told what it says. Check its weights and its normalisation.")
        return logits.argmax(1) == self.labels

    def narrowed(
        self, rows: Int[Tensor, " rows"], values: Float[Tensor, " shares"], low: Int[Tensor, " rows"], high: Int[Tensor, " rows"], tried: Int[Tensor, " rows"], attack: Attack
    ) -> tuple[Int[Tensor, " rows"], Int[Tensor, " rows"]]:
        """From where on each row falls, and below what it survives, after the attack at the share of that number."""
        delta, margin = self.attacked(rows, attack, values[tried])
        fooled = margin > 0
        high = high.clone()
        high[fooled] = self.nearest(rows[fooled], delta[fooled], values, low[fooled], tried[fooled])
        return high, torch.where(fooled, low, tried + 1)

    def attacked(
        self, rows: Int[Tensor, " rows"], attack: Attack, shares: Float[Tensor, " rows"] | None = None
    ) -> tuple[Float[Tensor, "rows ..."], Float[Tensor, " rows"]]:
        """The strongest δ found of each row within its share of its set, the first that fools, and its margin."""
        alive, delta, margin = torch.arange(len(rows), device=rows.device), None, None
        for part in parts_of(attack):
            if delta is not None and not alive.numel():
                break
            at = self._at(rows[alive], None if shares is None else shares[alive])
            found = find_adversarial(at, self.classifier, self.labels[rows[alive]], part, streams=self._streams(rows[alive]), first=True, progress=Inner(self.progress or Silent()))
            if delta is None:
                delta, margin = found.delta, found.margin
            else:
                stronger = found.margin > margin[alive]
                delta[alive[stronger]], margin[alive[stronger]] = found.delta[stronger], found.margin[stronger]
            alive = alive[found.margin <= 0]
        return delta, margin

    def nearest(
        self, rows: Int[Tensor, " rows"], delta: Float[Tensor, "rows ..."], values: Float[Tensor, " shares"], low: Int[Tensor, " rows"], tried: Int[Tensor, " rows"]
    ) -> Int[Tensor, " rows"]:
        """The number of the smallest share that a bisection from `low` on finds to which δ, which fools at `tried`, can be moved and still
        does. Costs one forward pass for each halving."""
        at, bottom, top = self._at(rows), low, tried
        while (open_ := bottom < top).any():
            middle = (bottom + top) // 2
            moved = at.region.scaled(values[middle]).project(delta * as_column(values[middle] / values[tried], delta))
            with torch.no_grad():
                fools = label_margin(self.classifier(at.perturb(moved)), self.labels[rows]) > 0
            top, bottom = torch.where(open_ & fools, middle, top), torch.where(open_ & ~fools, middle + 1, bottom)
        return top

    def _at(self, rows: Int[Tensor, " rows"], shares: Float[Tensor, " rows"] | None = None) -> Perturbations:
        at = self.perturbation_set.at(self.x[rows], self.labels[rows])
        return at if shares is None else Perturbations(at.region.scaled(shares), at.perturb)

    def _streams(self, rows: Int[Tensor, " rows"]) -> Streams:
        return Streams(self.streams.seed, [self.streams.examples[row] for row in rows.tolist()], self.streams.restart, self.streams.purpose)
