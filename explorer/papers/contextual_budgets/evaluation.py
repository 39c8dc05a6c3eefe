"""What Tables 1 to 4, Appendices B and C and Figures 2 to 6 say of a checkpoint: over its test images, resumable after an interruption."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from explorer.batches import Columns, over_batches
from explorer.checkpoints import load
from explorer.errors import InvalidInput
from explorer.evaluation.budgets import agreement_columns, error_columns, half_widths, rank_correlation, volume_columns
from explorer.measuring import batch, count, file_digest, mean_and_error, of_images, own_folder, plain, refuse, share_and_error
from explorer.models import BudgetedClassifier
from explorer.randomness import Streams
from explorer.sets import BudgetBox, LpBall, PerturbationSet
from explorer.types import Inner, Progress

from .measured import (
    BOXES,
    HEADINGS,
    SHARES,
    ErrorSettings,
    ErrorTable,
    FollowedSettings,
    FollowedTable,
    VolumeSettings,
    VolumeTable,
    settings_problems,
)
from .opening import OpenedBudgets, regions


def error_table(opened: OpenedBudgets, digest: str, settings: ErrorSettings, folder: Path, progress: Progress) -> Iterator[ErrorTable]:
    """The errors of the images measured so far, after each batch. Batches are kept in `folder`, so that the same call goes on after a
    stop. Raises ConfigurationError, CheckpointError, InvalidInput, OutputError or Cancelled."""
    refuse(settings_problems(settings))
    volume = opened.volume if settings.volume is None else settings.volume
    boxes, shown = _boxes(opened, volume, settings)

    def measured(first: int, last: int) -> Columns:
        x, labels = batch(opened, first, last)
        streams = Streams(settings.seed, range(first, last))
        found = {
            name: error_columns(opened.model, x, labels, each, streams, steps=settings.steps, restarts=settings.restarts, progress=Inner(progress))
            for name, each in boxes.items()
        }
        columns = {"clean": found["uniform"]["clean"]}
        for name, errors in found.items():
            columns |= {f"{name}, attacked": errors["attacked"], f"{name}, verified": errors["crown-ibp"], f"{name}, IBP alone": errors["ibp"]}
        return columns

    common = of_images(opened, digest, shown)
    for columns in over_batches(own_folder(folder, "errors", common), count(opened, settings), settings.batch_size, measured, progress):
        means, errors = zip(*(share_and_error(columns[name]) if name in columns else (None, None) for name in HEADINGS))
        yield ErrorTable(volume=volume, errors=means, standard_errors=errors, images=len(columns["clean"]), **common)


def volume_table(opened: OpenedBudgets, digest: str, settings: VolumeSettings, folder: Path, progress: Progress) -> Iterator[VolumeTable]:
    """Liu et al.'s volumes of the images measured so far, after each batch; resumed and refused as `error_table`."""
    settings = replace(settings, targets=settings.targets or (opened.volume,))
    refuse(settings_problems(settings))

    def measured(first: int, last: int) -> Columns:
        x, labels = batch(opened, first, last)
        start = half_widths(opened.learned_boxes(), x) if opened.learned else None
        return volume_columns(
            opened.model, x, labels, method=settings.method, warm_start=start, iterations=settings.iterations,
            enough=1.0 if settings.whole else max(settings.targets), progress=Inner(progress),
        )  # fmt: skip

    common = of_images(opened, digest, settings)
    for columns in over_batches(own_folder(folder, "volumes", common), count(opened, settings), settings.batch_size, measured, progress):
        volumes, radii = columns["log_volume"].exp(), columns["log_radius"].exp()
        if not settings.whole:
            volumes, radii = volumes.clamp(max=max(settings.targets)), radii.clamp(max=max(settings.targets))
        below = [(columns["log_volume"] < math.log(target) - 1e-9).double() for target in settings.targets]
        errors, standard_errors = zip(*map(share_and_error, below))
        yield VolumeTable(
            targets=settings.targets, errors=errors, standard_errors=standard_errors, volumes=_quantiles(volumes), radii=_quantiles(radii),
            mean_iterations=float(columns["iterations"].mean()), images=len(volumes), **common,
        )  # fmt: skip


def followed_table(opened: OpenedBudgets, digest: str, settings: FollowedSettings, folder: Path, progress: Progress) -> Iterator[FollowedTable]:
    """What the budgets follow, over the images measured so far, after each batch; resumed and refused as `error_table`."""
    refuse(settings_problems(settings))
    boxes = opened.learned_boxes(settings.volume)
    masks = regions(opened.data, opened.images.images[: count(opened, settings)])

    def measured(first: int, last: int) -> Columns:
        x, labels = batch(opened, first, last)
        inside = {name: mask[first:last].to(x.device) for name, mask in masks.items()}
        budgets = half_widths(boxes, x)
        strokes = {"digit's mask": rank_correlation(budgets, inside["digit"].unsqueeze(1).expand_as(x).to(x))} if "digit" in inside else {}
        return {**agreement_columns(opened.model, x, labels, budgets, inside), **strokes}

    common = of_images(opened, digest, settings)
    volume = opened.volume if settings.volume is None else settings.volume
    for columns in over_batches(own_folder(folder, "followed", common), count(opened, settings), settings.batch_size, measured, progress):
        kept = {name: values[values.isfinite()] for name, values in columns.items()}
        names = tuple(name for name, values in kept.items() if len(values))
        means, errors = zip(*(mean_and_error(kept[name]) for name in names)) if names else ((), ())
        yield FollowedTable(volume=volume, names=names, means=means, standard_errors=errors, images=len(columns["gradient"]), **common)


def _boxes(opened: OpenedBudgets, volume: float, settings: ErrorSettings) -> tuple[dict[str, PerturbationSet], dict]:
    """Learned boxes, where there are some, and uniform ones; and the settings with the generator's name and digest in place of its path."""
    shown, model = plain(settings), opened.model if opened.learned else None
    if settings.generator is not None:
        other = load(settings.generator, opened.device)
        if not isinstance(other.model, BudgetedClassifier):
            raise InvalidInput(f"{Path(settings.generator).name} has no generator of budgets. Choose a checkpoint of one of the experiments named budgets-….")
        model = other.model
        shown["generator"] = f"{other.header.name} ({file_digest(settings.generator)})"
    learned = {} if model is None else {BOXES[0]: BudgetBox(model, volume)}
    return {**learned, BOXES[1]: LpBall(math.inf, volume)}, shown


def _quantiles(values: Tensor) -> tuple[float, float, float]:
    return tuple(torch.quantile(values, values.new_tensor(SHARES)).tolist())
