"""What Tables 1, 6, 7 and 8 and Figure 4 say of a classifier: over its test images, resumable after an interruption."""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from explorer.attacks import ATTACKS, changed_attack
from explorer.batches import Columns, over_batches
from explorer.data import load_dataset
from explorer.data.cifar10_variants import load_corrupted_cifar10
from explorer.data.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from explorer.errors import DataNotFound, InvalidInput
from explorer.evaluation.attacks import attack_columns
from explorer.evaluation.corruption_error import wrong_share
from explorer.measuring import Opened, batch, count, of_images, own_folder, refuse, share_and_error
from explorer.randomness import Streams
from explorer.sets import LpBall
from explorer.types import Inner, Progress, stop_if_cancelled

from .measured import BALLS, AttackSettings, AttackTable, CorruptionSettings, CorruptionTable, settings_problems

CIFAR10 = "cifar10"


def corruption_table(opened: Opened, digest: str, settings: CorruptionSettings, folder: Path, progress: Progress, root: Path | None = None) -> Iterator[CorruptionTable]:
    """Errors of the images measured so far, after each batch. Batches are kept in `folder`, so that the same call goes on after a stop.
    Raises ConfigurationError, DataNotFound for published files that are not there, InvalidInput, OutputError or Cancelled."""
    refuse(settings_problems(settings))
    if settings.source == "published" and opened.data.name != CIFAR10:
        raise InvalidInput(f"published corruptions are those of CIFAR-10-C, {opened.checkpoint.header.name} is of {opened.data.name!r}. Leave the source at made.")
    names = [name for name, each in CORRUPTIONS.items() if opened.checkpoint.model.image_shape[0] == 3 or not each.coloured]

    def measured(first: int, last: int) -> Columns:
        x, labels = batch(opened, first, last)
        columns = {"clean": _wrong(opened, x, labels)}
        for name in names:
            for severity in SEVERITIES:
                stop_if_cancelled(progress)
                columns[f"{name} {severity}"] = _wrong(opened, _corrupted(x, name, severity, first, settings, root), labels)
        return columns

    common = of_images(opened, digest, settings, new=new_error(opened, settings, root), progress=progress_of(opened))
    for columns in over_batches(own_folder(folder, "corruptions", common), count(opened, settings), settings.batch_size, measured, progress):
        errors = {name: [float(columns[f"{name} {severity}"].double().mean()) for severity in SEVERITIES] for name in names}
        yield CorruptionTable(clean=float(columns["clean"].double().mean()), errors=errors, images=len(columns["clean"]), **common)


def attack_table(opened: Opened, digest: str, settings: AttackSettings, folder: Path, progress: Progress) -> Iterator[AttackTable]:
    """Accuracies under attack of the images measured so far; resumed and refused as `corruption_table`."""
    refuse(settings_problems(settings))

    def measured(first: int, last: int) -> Columns:
        x, labels = batch(opened, first, last)
        columns = {name: _survived(opened, x, labels, LpBall(*ball), settings, first, progress) for name, ball in BALLS.items()}
        return {"clean": 1 - _wrong(opened, x, labels), **columns}

    common = of_images(opened, digest, settings)
    for columns in over_batches(own_folder(folder, "attacks", common), count(opened, settings), settings.batch_size, measured, progress):
        shares = {name: share_and_error(column) for name, column in columns.items()}
        yield AttackTable(accuracies={name: share for name, (share, _) in shares.items()}, standard_errors={name: error for name, (_, error) in shares.items()}, images=len(columns["clean"]), **common)


def new_error(opened: Opened, settings: CorruptionSettings, root: Path | None) -> float | None:
    """On CIFAR-10.1, of a classifier of CIFAR-10; None where its files are not at hand."""
    if opened.data.name != CIFAR10:
        return None
    try:
        images = load_dataset("cifar10.1", "test", root, settings.limit, download=False)
    except DataNotFound:
        return None
    return wrong_share(opened.checkpoint.model, images.images.to(opened.device), images.labels, settings.batch_size)


def progress_of(opened: Opened) -> float:
    """The share of its training that a classifier has seen; 1 where it does not say."""
    header = opened.checkpoint.header
    done, whole = header.metrics.get("epoch"), header.training.get("epochs")
    return min(float(done) / whole, 1.0) if done and whole else 1.0


def _corrupted(x: Tensor, name: str, severity: int, first: int, settings: CorruptionSettings, root: Path | None) -> Tensor:
    if settings.source == "published":
        return load_corrupted_cifar10(name, severity, root).images[first : first + len(x)].to(x)
    return corrupt(x, name, severity, Streams(settings.seed, range(first, first + len(x)), purpose="corruption"))


@torch.no_grad()
def _wrong(opened: Opened, x: Tensor, labels: Tensor) -> Tensor:
    logits = opened.checkpoint.model(x)
    if logits.isnan().any():
        raise InvalidInput("the classifier answers with NaN, so its error would mislead.")
    return (logits.argmax(1) != labels).to(torch.uint8)


def _survived(opened: Opened, x: Tensor, labels: Tensor, ball: LpBall, settings: AttackSettings, first: int, progress: Progress) -> Tensor:
    """1 for the images that are right and that none of the attacks fools; each sees the survivors of those before it."""
    alive = (1 - _wrong(opened, x, labels)).bool().cpu()
    for name in settings.attacks:
        rows = alive.nonzero().flatten()
        if len(rows):
            attack, place = changed_attack(ATTACKS[name], settings.steps, settings.restarts), rows.to(x.device)
            found = attack_columns(opened.checkpoint.model, x[place], labels[place], ball, attack, Streams(settings.seed, (rows + first).tolist()), Inner(progress))
            alive[rows] = found["fooled"] == 0
    return alive.to(torch.uint8)
