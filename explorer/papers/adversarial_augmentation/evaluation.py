"""What Tables 1, 6, 7 and 8 and Figure 4 say of a classifier: over its test images, resumable after an interruption."""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from explorer.attacks import ATTACKS, changed_attack
from explorer.batches import Columns, over_batches
from explorer.data.corruptions import SEVERITIES, applicable
from explorer.evaluation.attacks import attack_columns
from explorer.evaluation.corruption_error import error_on_new_images, error_on_renditions, errors_of, made, published, wrong, wrong_columns
from explorer.measuring import Opened, batch, count, of_images, own_folder, refuse, share_and_error
from explorer.randomness import Streams
from explorer.sets import LpBall
from explorer.types import Inner, Progress

from .measured import BALLS, AttackSettings, AttackTable, CorruptionSettings, CorruptionTable, settings_problems


def corruption_table(opened: Opened, digest: str, settings: CorruptionSettings, folder: Path, progress: Progress, root: Path | None = None) -> Iterator[CorruptionTable]:
    """Errors of the images measured so far, after each batch. Batches are kept in `folder`, so that the same call goes on after a stop.
    Raises ConfigurationError, DataNotFound for published files that are not there, InvalidInput, OutputError or Cancelled."""
    refuse(settings_problems(settings))
    names = applicable(opened.checkpoint.model.image_shape[0])
    cases = [(name, severity) for name in names for severity in SEVERITIES]
    corrupted = published(opened.data.name, opened.images.labels[: count(opened, settings)], cases, root) if settings.source == "published" else made(settings.seed)
    elsewhere = (opened.checkpoint.model, opened.data.name, opened.device, root, settings.limit, settings.batch_size)
    common = of_images(opened, digest, settings, new=error_on_new_images(*elsewhere), renditions=error_on_renditions(*elsewhere), progress=progress_of(opened))

    def measured(first: int, last: int) -> Columns:
        return wrong_columns(opened.checkpoint.model, *batch(opened, first, last), cases, corrupted, first, progress)

    for columns in over_batches(own_folder(folder, "corruptions", common), count(opened, settings), settings.batch_size, measured, progress):
        found = errors_of(columns, names)
        yield CorruptionTable(clean=found.clean, errors={name: list(row.values()) for name, row in found.errors.items()}, images=len(columns["clean"]), **common)


def attack_table(opened: Opened, digest: str, settings: AttackSettings, folder: Path, progress: Progress) -> Iterator[AttackTable]:
    """Accuracies under attack of the images measured so far; resumed and refused as `corruption_table`."""
    refuse(settings_problems(settings))

    def measured(first: int, last: int) -> Columns:
        x, labels = batch(opened, first, last)
        columns = {name: _survived(opened, x, labels, LpBall(*ball), settings, first, progress) for name, ball in BALLS.items()}
        return {"clean": 1 - wrong(opened.checkpoint.model, x, labels), **columns}

    common = of_images(opened, digest, settings)
    for columns in over_batches(own_folder(folder, "attacks", common), count(opened, settings), settings.batch_size, measured, progress):
        shares = {name: share_and_error(column) for name, column in columns.items()}
        yield AttackTable(accuracies={name: share for name, (share, _) in shares.items()}, standard_errors={name: error for name, (_, error) in shares.items()}, images=len(columns["clean"]), **common)


def progress_of(opened: Opened) -> float:
    """The share of its training that a classifier has seen; 1 where it does not say."""
    header = opened.checkpoint.header
    done, whole = header.metrics.get("epoch"), header.training.get("epochs")
    return min(float(done) / whole, 1.0) if done and whole else 1.0


def _survived(opened: Opened, x: Tensor, labels: Tensor, ball: LpBall, settings: AttackSettings, first: int, progress: Progress) -> Tensor:
    """1 for the images that are right and that none of the attacks fools; each sees the survivors of those before it."""
    alive = (1 - wrong(opened.checkpoint.model, x, labels)).bool().cpu()
    for name in settings.attacks:
        rows = alive.nonzero().flatten()
        if len(rows):
            attack, place = changed_attack(ATTACKS[name], settings.steps, settings.restarts), rows.to(x.device)
            found = attack_columns(opened.checkpoint.model, x[place], labels[place], ball, attack, Streams(settings.seed, (rows + first).tolist()), Inner(progress))
            alive[rows] = found["fooled"] == 0
    return alive.to(torch.uint8)
