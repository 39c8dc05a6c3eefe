"""Any classifier attacked in any set: over its test images, over a curve of radii, several classifiers in several sets; and one image, step by
step."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.attacks import ATTACKS, Attack, changed_attack, find_adversarial, parts_of
from explorer.batches import Columns, over_batches
from explorer.errors import ConfigurationError, InvalidInput, UnknownName
from explorer.evaluation.attackable import attack_warnings
from explorer.evaluation.attacks import attack_columns, counts, curve_columns, curve_counts
from explorer.measuring import Measured, batch, common_problems, count, file_digest, of_images, own_folder, refuse
from explorer.randomness import Streams
from explorer.registry import look_up
from explorer.sets import PerturbationSet
from explorer.types import Inner, Progress

from .classifiers import OpenedClassifier, open_classifier
from .threats import Threat, build_set, parse_threat, radius_problems, threat_problems

MOST_FRAMES = 400  # of a path
PROBED = 64  # images that warnings are drawn from
USUAL_RADII = (0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)


@dataclass(frozen=True)
class _Searched:
    """With what is searched; steps, restarts and step_size are the attack's own where they are not given."""

    attack: str = "pgd"
    steps: int | None = None
    restarts: int | None = None
    step_size: float | None = None
    limit: int | None = None
    seed: int = 0
    batch_size: int = 100

    @property
    def search(self) -> Attack:
        return changed_attack(look_up(ATTACKS, self.attack, "attack"), self.steps, self.restarts, self.step_size)


@dataclass(frozen=True)
class AttackSettings(_Searched):
    """One classifier in one set."""

    threat: str = "linf:0.1"


@dataclass(frozen=True)
class CurveSettings(_Searched):
    """One classifier in a set of several radii; that of the threat is not used. Sets whose radius is a volume are those of the largest, with
    every budget scaled."""

    threat: str = "linf:0.4"
    radii: tuple[float, ...] = USUAL_RADII


@dataclass(frozen=True)
class CrossSettings(_Searched):
    """Several classifiers in several sets: the run's own first, then `models`, files of others for images of the same size."""

    models: tuple[str, ...] = ()
    threats: tuple[str, ...] = ("linf:0.1", "l2:1.5")


@dataclass(frozen=True, kw_only=True)
class AttackTable(Measured):
    """Counts of `AttackCounts`: `survived` is what was *found*, at least the true number."""

    clean_correct: int
    attempted: int
    fooled: int
    survived: int


@dataclass(frozen=True, kw_only=True)
class CurveTable(Measured):
    """For each radius how many survived, *found* as above; and searches of the attack for each image that was attacked."""

    radii: tuple[float, ...]
    clean_correct: int
    survived: tuple[int, ...]
    searches: float


@dataclass(frozen=True, kw_only=True)
class CrossTable(Measured):
    """A row for each classifier, a column for each set: the share of the images that are right and survived, None where it is not there yet."""

    models: tuple[str, ...]
    threats: tuple[str, ...]
    clean: tuple[float | None, ...]
    robust: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, eq=False)
class AttackPath:
    """The centre of the set and every point that a search evaluated, in order, with its logits; `best` is the number of the strongest. Of very
    many points some are left out evenly: `every` says how many evaluations lie between two frames, and the strongest is the last. `gauge` is 1
    on the set's edge; `clean` are the logits of the image itself."""

    frames: Float[Tensor, "frames c h w"]
    logits: Float[Tensor, "frames classes"]
    gauge: Float[Tensor, " frames"]
    margin: Float[Tensor, " frames"]
    best: int
    every: int
    clean: Float[Tensor, " classes"]

    @property
    def fooled(self) -> bool:
        return float(self.margin[self.best]) > 0


def search_problems(settings: _Searched) -> list[str]:
    """All that is wrong with settings of any of the three kinds, in the user's words."""
    found = common_problems(settings)
    try:
        settings.search  # noqa: B018
    except (UnknownName, ConfigurationError) as error:
        found += str(error).split("\n")
    if isinstance(settings, CrossSettings):
        found += [problem for text in settings.threats for problem in threat_problems(text)] or ([] if settings.threats else ["threats: expected at least one set"])
        found += [f"models: there is no file {path}" for path in settings.models if not Path(path).expanduser().is_file()]
    else:
        found += threat_problems(settings.threat)
    return found + (radius_problems(settings.radii) if isinstance(settings, CurveSettings) else [])


def attack_table(opened: OpenedClassifier, digest: str, settings: AttackSettings, folder: Path, progress: Progress) -> Iterator[AttackTable]:
    """The counts of the images attacked so far, after each batch. Batches are kept in `folder`, so that the same call goes on after a stop.
    Raises ConfigurationError, CheckpointError, InvalidInput, OutputError or Cancelled."""
    refuse(search_problems(settings))
    threat = parse_threat(settings.threat)
    common = of_images(opened, digest, settings, warnings=warnings_of(opened))
    for columns in _attacked(opened, threat, settings, own_folder(folder, "attack", common, file_digest(threat.checkpoint)), progress):
        found = counts(columns)
        yield AttackTable(images=found.images, clean_correct=found.clean_correct, attempted=found.attempted, fooled=found.fooled, survived=found.survived, **common)


def curve_table(opened: OpenedClassifier, digest: str, settings: CurveSettings, folder: Path, progress: Progress) -> Iterator[CurveTable]:
    """The survivors at each radius, of the images attacked so far, after each batch; resumed and refused as `attack_table`."""
    refuse(search_problems(settings))
    threat, search, largest = parse_threat(settings.threat), settings.search, settings.radii[-1]
    sets = build_set(threat.at(largest), opened.model, opened.device)
    shares = [radius / largest for radius in settings.radii]

    def measured(first: int, last: int) -> Columns:
        return curve_columns(opened.model, *batch(opened, first, last), sets, shares, search, Streams(settings.seed, range(first, last)), Inner(progress))

    common = of_images(opened, digest, settings, warnings=warnings_of(opened))
    place = own_folder(folder, "curve", common, file_digest(threat.checkpoint))
    for columns in over_batches(place, count(opened, settings), settings.batch_size, measured, progress):
        found = curve_counts(columns, len(shares))
        attacked = columns["searches"][columns["correct"] > 0]
        yield CurveTable(
            images=len(columns["correct"]), radii=settings.radii, clean_correct=found[0].clean_correct, survived=tuple(each.survived for each in found),
            searches=float(attacked.mean()) if len(attacked) else 0.0, **common,
        )  # fmt: skip


def cross_table(opened: OpenedClassifier, digest: str, settings: CrossSettings, folder: Path, progress: Progress, root: str | Path | None = None) -> Iterator[CrossTable]:
    """The matrix as far as it is filled, after each of its cells; resumed and refused as `attack_table`. Every classifier is attacked on the
    test images of its own data set. A set that does not fit a classifier leaves its cell empty, and a warning says why."""
    refuse(search_problems(settings))
    models = [(opened, digest), *((open_classifier(path, opened.device, root), file_digest(path)) for path in settings.models)]
    threats = [parse_threat(text) for text in settings.threats]
    warnings = [f"{each.checkpoint.header.name}: {text}" for each, _ in models for text in warnings_of(each)]
    clean: list[float | None] = [None] * len(models)
    robust: list[list[float | None]] = [[None] * len(threats) for _ in models]
    total, done, images = sum(count(each, settings) for each, _ in models) * len(threats), 0, 0
    for row, (model, of_model) in enumerate(models):
        for column, threat in enumerate(threats):
            common = of_images(model, of_model, settings)
            place = own_folder(folder, "cross", {**common, "settings": {**common["settings"], "models": [], "threats": []}}, threat.text, file_digest(threat.checkpoint))
            try:
                for columns in _attacked(model, threat, settings, place, _Offset(progress, done, total)):
                    found = counts(columns)
                clean[row], robust[row][column], images = found.clean, found.robust, found.images
            except ConfigurationError:
                raise
            except InvalidInput as error:  # a set of other images
                warnings.append(f"{common['checkpoint']} in {threat.title}: {error}")
            done += count(model, settings)
            progress.advance(done, total)
            yield CrossTable(
                models=tuple(each.checkpoint.header.name for each, _ in models), threats=tuple(each.title for each in threats), clean=tuple(clean),
                robust=tuple(map(tuple, robust)), images=images, **of_images(opened, digest, settings, warnings=tuple(warnings)),
            )  # fmt: skip


def attack_path(
    classifier: nn.Module, perturbation_set: PerturbationSet, image: Float[Tensor, "1 c h w"], label: int, attack: Attack, seed: int = 0, progress: Progress | None = None
) -> AttackPath:
    """One image under attack, every point on the way. Raises InvalidInput or Cancelled."""
    labels = torch.tensor([label], device=image.device)
    at, seen = perturbation_set.at(image, labels), []
    found = find_adversarial(at, classifier, labels, attack, streams=Streams(seed, [0]), progress=progress, observe=lambda delta, loss: seen.append(delta))
    every = max(1, math.ceil(len(seen) / (MOST_FRAMES - 2)))
    deltas = torch.cat([torch.zeros_like(found.delta), *seen[::every], *([found.delta] if every > 1 else [])])
    with torch.no_grad():
        perturb = at.of_rows(torch.zeros(len(deltas), dtype=torch.long, device=image.device))
        frames = perturb(deltas)
        logits, clean = classifier(frames), classifier(image)[0]
    gauge = torch.cat([at.region.gauge(each[None]) for each in deltas])
    margin = logits.scatter(1, labels.expand(len(logits), 1), -math.inf).amax(1) - logits[:, label]
    return AttackPath(frames.cpu(), logits.cpu(), gauge.cpu(), margin.cpu(), int(margin.argmax()), every, clean.cpu())


def warnings_of(opened: OpenedClassifier) -> tuple[str, ...]:
    """What would make attacks on it mislead, from its first test images."""
    return attack_warnings(opened.model, *batch(opened, 0, PROBED))


def _attacked(opened: OpenedClassifier, threat: Threat, settings: _Searched, folder: Path, progress: Progress) -> Iterator[Columns]:
    sets, search = build_set(threat, opened.model, opened.device), settings.search

    def measured(first: int, last: int) -> Columns:
        return attack_columns(opened.model, *batch(opened, first, last), sets, search, Streams(settings.seed, range(first, last)), Inner(progress))

    yield from over_batches(folder, count(opened, settings), settings.batch_size, measured, progress)


class _Offset(Inner):
    """The progress of one of several measurements that follow each other."""

    def __init__(self, outer: Progress, before: int, total: int):
        super().__init__(outer)
        self._before, self._total = before, total

    def advance(self, done: int, total: int, note: str = "") -> None:
        self._outer.advance(self._before + done, self._total, note)



def evaluations(attack: Attack, classes: int) -> int:
    """How often an attack asks the classifier about one image, about."""
    return sum(part.evaluations * (min(part.targets, classes - 1) if part.goal == "targeted_dlr" else 1) for part in parts_of(attack))
