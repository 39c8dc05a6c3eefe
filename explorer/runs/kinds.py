"""What can be run. A new kind is a function that takes a Task, and a line in KINDS."""

import dataclasses
import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from explorer.configuration import from_mapping
from explorer.errors import ConfigurationError, ExplorerError
from explorer.hardware import pick_device
from explorer.measuring import file_digest
from explorer.papers import EXPERIMENTS
from explorer.papers.adversarial_augmentation.parameter_noise import NoiseSettings
from explorer.papers.adversarial_augmentation.reconstruction import ReconstructionSettings
from explorer.papers.adversarial_augmentation.similarity import SimilaritySettings
from explorer.papers.certified_vae.evaluation import AttackSettings, ElboSettings
from explorer.papers.contextual_budgets.measured import ErrorSettings, FollowedSettings, VolumeSettings
from explorer.papers.learned_sets.extremes import ExtremesSettings
from explorer.papers.learned_sets.quality import QualitySettings
from explorer.papers.learned_sets.segmentation_measured import CertifiedSettings, RobustSettings
from explorer.papers.manifold_directions.measured import AccuracySettings, SpectraSettings
from explorer.randomness import LARGEST_KEY
from explorer.registry import look_up
from explorer.studies.attack import AttackSettings as FooledSettings
from explorer.studies.attack import CrossSettings, CurveSettings
from explorer.studies.certify import CertifySettings
from explorer.studies.corruptions import ErrorSettings as CorruptionSettings

from .adversarial_augmentation import (
    few_imitated,
    few_searched,
    measure_noise,
    measure_reconstruction,
    measure_similarity,
    noise_run_problems,
    reconstruction_run_problems,
    similarity_run_problems,
)
from .attack import attack_run_problems as search_run_problems
from .attack import certify_run_problems, few_attacked, measure_certified, measure_cross_sets, measure_curve
from .attack import measure_attack as measure_fooled
from .budgets import budget_run_problems, few_test_images, measure_errors, measure_followed, measure_volumes
from .certified_vae import attack_run_problems, elbo_run_problems, few_images, measure_attack, measure_elbo
from .corruptions import error_run_problems, few_corrupted
from .corruptions import measure_errors as measure_corruptions
from .manifold_directions import direction_run_problems, few_images_of_all_classes, measure_accuracies, measure_spectra
from .segmentation import few_pictures, measure_certified_pixels, measure_robust, segmentation_run_problems
from .specification import Specification
from .task import Task
from .work import (
    extremes_problems,
    few_pairs,
    few_steps,
    find_extremes,
    measure_quality,
    quality_problems,
    train_experiment,
    training_problems,
)


@dataclass(frozen=True)
class CheckpointInputs:
    """A checkpoint file, the digest of its content, and the folder of the data sets."""

    checkpoint: str
    digest: str = ""
    root: str | None = None

    @property
    def subject(self) -> str:
        return Path(self.checkpoint).stem

    def resolved(self) -> "CheckpointInputs":
        """With its absolute path, its digest and the folder that data come from now. Raises ConfigurationError."""
        path = Path(self.checkpoint).expanduser().absolute()
        if not path.is_file():
            raise ConfigurationError([f"checkpoint {self.checkpoint}: there is no such file"])
        digest = _digest(path, path.stat().st_mtime_ns, path.stat().st_size)
        if self.digest and self.digest != digest:
            raise ConfigurationError([f"{path} has changed since the run was specified (digest {digest}, expected {self.digest}). Submit a new run."])
        return CheckpointInputs(str(path), digest, _root(self.root))


@dataclass(frozen=True)
class TrainingInputs:
    """An experiment by name, and the folder of the data sets."""

    experiment: str
    root: str | None = None

    @property
    def subject(self) -> str:
        return self.experiment

    def resolved(self) -> "TrainingInputs":
        look_up(EXPERIMENTS, self.experiment, "experiment")
        return TrainingInputs(self.experiment, _root(self.root))


@dataclass(frozen=True)
class Kind:
    """A kind of run: what it takes, its parameters with the paper's values, the function that does it, all that is wrong with a
    specification before it starts, and for an estimate of its time a smaller version of the work with the factor between them.

    The seed is the specification's: a field `seed` of the parameters is filled in from it."""

    title: str
    inputs: type
    defaults: Callable[[Any], Any]
    work: Callable[[Task], None]
    problems: Callable[[Any, Any], list[str]]
    sample: Callable[[Any, Any], tuple[Any, float]]


KINDS: dict[str, Kind] = {
    "quality": Kind("Quality of a set", CheckpointInputs, lambda _: QualitySettings(), measure_quality, quality_problems, few_pairs),
    "extremes": Kind("Closest and farthest members", CheckpointInputs, lambda _: ExtremesSettings(), find_extremes, extremes_problems, few_pairs),
    "elbo_table": Kind("ELBO and its bound", CheckpointInputs, lambda _: ElboSettings(), measure_elbo, elbo_run_problems, few_images),
    "elbo_attack": Kind("ELBO under attack", CheckpointInputs, lambda _: AttackSettings(), measure_attack, attack_run_problems, few_images),
    "budget_errors": Kind("Errors under budgets", CheckpointInputs, lambda _: ErrorSettings(), measure_errors, budget_run_problems, few_test_images),
    "budget_volumes": Kind("Largest certified volumes", CheckpointInputs, lambda _: VolumeSettings(), measure_volumes, budget_run_problems, few_test_images),
    "budget_followed": Kind("What budgets follow", CheckpointInputs, lambda _: FollowedSettings(), measure_followed, budget_run_problems, few_test_images),
    "direction_accuracies": Kind("Accuracy off and on the manifold", CheckpointInputs, lambda _: AccuracySettings(), measure_accuracies, direction_run_problems, few_images_of_all_classes),
    "direction_spectra": Kind("Spectra under an attack", CheckpointInputs, lambda _: SpectraSettings(), measure_spectra, direction_run_problems, few_images_of_all_classes),
    "attack": Kind("Images that an attack fools", CheckpointInputs, lambda _: FooledSettings(), measure_fooled, search_run_problems, few_attacked),
    "attack_curve": Kind("Robust accuracy over radii", CheckpointInputs, lambda _: CurveSettings(), measure_curve, search_run_problems, few_attacked),
    "cross_sets": Kind("Classifiers attacked in several sets", CheckpointInputs, lambda _: CrossSettings(), measure_cross_sets, search_run_problems, few_attacked),
    "certify": Kind("Certified accuracy by smoothing", CheckpointInputs, lambda _: CertifySettings(), measure_certified, certify_run_problems, few_attacked),
    "corruption_errors": Kind("Errors under common corruptions", CheckpointInputs, lambda _: CorruptionSettings(), measure_corruptions, error_run_problems, few_corrupted),
    "worst_weights": Kind("Worst weights of image-to-image networks", CheckpointInputs, lambda _: SimilaritySettings(), measure_similarity, similarity_run_problems, few_searched),
    "imitated_corruptions": Kind("Corruptions imitated by changed weights", CheckpointInputs, lambda _: ReconstructionSettings(), measure_reconstruction, reconstruction_run_problems, few_imitated),
    "parameter_noise": Kind("Errors under noise on the parameters", CheckpointInputs, lambda _: NoiseSettings(), measure_noise, noise_run_problems, few_searched),
    "segmentation": Kind("Materials under adversarial light", CheckpointInputs, lambda _: RobustSettings(), measure_robust, segmentation_run_problems, few_pictures),
    "certified_segmentation": Kind("Certified materials", CheckpointInputs, lambda _: CertifiedSettings(), measure_certified_pixels, segmentation_run_problems, few_pictures),
    "training": Kind("Training", TrainingInputs, lambda inputs: EXPERIMENTS[inputs.experiment].config, train_experiment, training_problems, few_steps),
}  # fmt: skip


def specify(kind: str, inputs: Mapping[str, Any], parameters: Mapping[str, Any] | None = None, device: str = "auto", seed: int = 0, elsewhere: bool = False) -> Specification:
    """A specification with every field filled in: paths absolute, digests taken, the device chosen. `elsewhere`: for machines that have a GPU, whatever
    this one has. Raises ConfigurationError with all that is wrong, UnknownName, or InvalidInput for a device that this machine lacks."""
    entry = look_up(KINDS, kind, "kind of run")
    resolved = from_mapping(entry.inputs, inputs, "inputs").resolved()
    default = entry.defaults(resolved)
    problems = [] if type(seed) is int and 0 <= seed <= LARGEST_KEY else [f"seed = {seed}: expected a whole number of at least 0"]
    made = from_mapping(type(default), {**asdict(default), **_unseeded(parameters or {}), **({} if problems else _seeded(default, seed))}, "parameters")
    if problems := problems + entry.problems(resolved, made):
        raise ConfigurationError(problems)
    chosen = torch.device("cuda") if elsewhere and device in ("auto", "cuda") else pick_device(device)
    plain = _plain(_unseeded(asdict(made)))
    return Specification(kind, _plain(asdict(resolved)), plain, str(chosen) if device != "auto" else chosen.type, seed)


def opened(specification: Specification) -> tuple[Kind, Any, Any]:
    """The kind of a specification that was read from a file, its inputs and its parameters, checked anew: a file may have gone since.
    Raises ExplorerError."""
    again = specify(specification.kind, specification.inputs, specification.parameters, specification.device, specification.seed)
    entry = KINDS[again.kind]
    inputs = from_mapping(entry.inputs, again.inputs, "inputs")
    default = entry.defaults(inputs)
    return entry, inputs, from_mapping(type(default), {**again.parameters, **_seeded(default, again.seed)}, "parameters")


def subject(specification: Specification) -> str:
    """What a run works on, in a word: a checkpoint's name, or an experiment's."""
    try:
        return from_mapping(KINDS[specification.kind].inputs, specification.inputs, "inputs").subject
    except (KeyError, ExplorerError):
        return "?"


def title(kind: str) -> str:
    return KINDS[kind].title if kind in KINDS else kind


@functools.lru_cache(maxsize=64)
def _digest(path: Path, modified: int, size: int) -> str:
    """Of this version of the file."""
    return file_digest(path)


def _unseeded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "seed"}


def _seeded(default: Any, seed: int) -> dict[str, int]:
    return {"seed": seed} if any(field.name == "seed" for field in dataclasses.fields(default)) else {}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Tuples as lists, as they come back from a file."""
    return {name: _listed(value) for name, value in values.items()}


def _listed(value: Any) -> Any:
    return [_listed(each) for each in value] if isinstance(value, (tuple, list)) else value


def _root(root: str | None) -> str | None:
    folder = root or os.environ.get("EXPLORER_DATA")
    return str(Path(folder).expanduser().absolute()) if folder else None
