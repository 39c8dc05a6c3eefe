"""What Tables 1 and 2 and Figures 2 and 3 say of a classifier: over its test images, resumable after an interruption."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.batches import Columns, over_batches
from explorer.errors import InvalidInput
from explorer.evaluation.spectra import Energy, Spectrum, attack_energy, class_eigenvalues, spectrum
from explorer.measuring import batch, count, of_images, own_folder, refuse, share_and_error
from explorer.randomness import Streams
from explorer.randomness import generator as seeded
from explorer.types import Inner, Progress

from .accuracy import HEADINGS, accuracy_columns, attacks
from .measured import AccuracySettings, AccuracyTable, SpectraSettings, SpectraTable, settings_problems
from .opening import OpenedDirections

DIGITS_KEPT, NOTHING = 5, 1e-10  # of an eigenvalue, in a results file; what is smaller, as a share of the largest, is rounding


def accuracy_table(opened: OpenedDirections, digest: str, settings: AccuracySettings, folder: Path, progress: Progress) -> Iterator[AccuracyTable]:
    """Accuracies of the images measured so far, after each batch. Batches are kept in `folder`, so that the same call goes on after a
    stop. Raises ConfigurationError, CheckpointError, InvalidInput, OutputError or Cancelled."""
    refuse(settings_problems(settings))
    strength = settings.strength(opened.data.name)
    chosen = attacks(strength, opened.vae.model if opened.vae else None, settings.restarts)

    def measured(first: int, last: int) -> Columns:
        x, labels = batch(opened, first, last)
        return accuracy_columns(opened.model, x, labels, chosen, Streams(settings.seed, range(first, last)), Inner(progress))

    common = _common(opened, digest, settings)
    for columns in over_batches(_folder(folder, "accuracies", common), count(opened, settings), settings.batch_size, measured, progress):
        means, errors = zip(*(share_and_error(columns[name]) if name in columns else (None, None) for name in HEADINGS))
        yield AccuracyTable(accuracies=means, standard_errors=errors, images=len(columns["clean"]), **common)


def spectra_table(opened: OpenedDirections, digest: str, settings: SpectraSettings, folder: Path, progress: Progress) -> Iterator[SpectraTable]:
    """Spectra of the classes once all images are attacked; resumed and refused as `accuracy_table`. Raises InvalidInput also for a class
    without two images."""
    refuse(settings_problems(settings))
    settings = replace(settings, attack=settings.attack or _own_attack(opened))
    if settings.attack == "vae":
        opened.manifold(1.0)  # says what is missing
    chosen = attacks(settings.strength(opened.data.name), opened.vae.model if opened.vae else None, settings.restarts)

    def measured(first: int, last: int) -> Columns:
        x, labels = batch(opened, first, last)
        found = {"attacked": chosen[settings.attack.upper()].perturbed(opened.model, x, labels, Streams(settings.seed, range(first, last)), Inner(progress))}
        if settings.attack == "vae":
            found["decoded"] = chosen["decoded"].perturbed(opened.model, x, labels, Streams(settings.seed, range(first, last)))
        return {name: each.flatten(1) for name, each in found.items()}

    common, images = _common(opened, digest, settings), count(opened, settings)
    labels, clean = opened.images.labels[:images], opened.images.images[:images].flatten(1)
    few = [opened.images.class_names[label] for label in range(len(opened.images.class_names)) if int((labels == label).sum()) < 2]
    if few:
        raise InvalidInput(f"a covariance needs two images of every class; of {', '.join(few[:5])} there are fewer among the {images}. Raise the limit.")
    for columns in over_batches(_folder(folder, "spectra", common), images, settings.batch_size, measured, progress):
        pass
    centre = columns.get("decoded", clean)
    delta = columns["attacked"] - centre
    classes = len(opened.images.class_names)
    own = [spectrum(clean[labels == label]) for label in range(classes)]
    energy = _energy(own, labels, delta, settings)
    eigenvalues = {"clean": tuple(_rounded(each.eigenvalues) for each in own)}
    eigenvalues |= {name: tuple(map(_rounded, class_eigenvalues(each, labels, classes))) for name, each in columns.items()}
    shares = {name: _rounded(getattr(energy, name)) for name in ("share", "lower", "upper")}
    yield SpectraTable(
        attack=settings.attack, classes=opened.images.class_names, clean=eigenvalues["clean"], attacked=eigenvalues["attacked"], decoded=eigenvalues.get("decoded", ()),
        confidence=settings.confidence, mean_norm=float(delta.double().norm(dim=1).mean()), images=images, **shares, **common,
    )  # fmt: skip


def _energy(own: Sequence[Spectrum], labels: Int[Tensor, "n"], delta: Float[Tensor, "n d"], settings: SpectraSettings) -> Energy:
    """Over the directions of each image's own class, of which the first is that of the largest eigenvalue."""
    turned = torch.zeros(delta.shape, dtype=torch.float64)
    for label, each in enumerate(own):
        turned[labels == label] = delta[labels == label].double() @ each.directions.T
    return attack_energy(turned, torch.eye(delta.shape[1], dtype=torch.float64), seeded("bootstrap", settings.seed), resamples=settings.resamples, confidence=settings.confidence)


def _own_attack(opened: OpenedDirections) -> str:
    return "vae" if opened.checkpoint.header.training.get("sources") in (["manifold"], ("manifold",)) else "pgd"


def _rounded(values: Float[Tensor, "d"]) -> tuple[float, ...]:
    return tuple(float(f"{value:.{DIGITS_KEPT}g}") if value > NOTHING * float(values.max()) else 0.0 for value in values.tolist())


def _common(opened: OpenedDirections, digest: str, settings: AccuracySettings) -> dict[str, Any]:
    vae = {"vae": opened.vae.name, "vae_digest": opened.vae.digest} if opened.vae else {"vae": "", "vae_digest": ""}
    return of_images(opened, digest, settings, strength=asdict(settings.strength(opened.data.name)), **vae)


def _folder(folder: Path, what: str, common: dict[str, Any]) -> Path:
    return own_folder(folder, what, common, common["strength"], common["vae_digest"])
