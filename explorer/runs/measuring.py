"""What the kinds of runs that measure a checkpoint share."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from explorer.checkpoints import describe
from explorer.errors import CheckpointError
from explorer.papers import save_result

from .task import RESULTS, Task

MEASURED = f"{RESULTS}/measured.json"  # a results file, which the papers' tables read


def follow_tables(task: Task, opened: Any, name: str, measure: Callable[..., Iterable[Any]]) -> Any:
    """What is measured so far is a table after each batch. Returns the last one, the whole."""
    table = None
    for table in measure(opened, task.inputs.digest, task.parameters, task.batches, task.progress):
        task.table(name, asdict(table))
    return table


def follow(task: Task, opened: Any, kind: str, name: str, measure: Callable[..., Iterable[Any]]) -> None:
    """The same, and the whole is a results file of that kind."""
    save_result(kind, follow_tables(task, opened, name, measure), task.folder / MEASURED)


def kind_problems(inputs: Any, kind: str) -> list[str]:
    """That the checkpoint cannot be read, or is of another kind."""
    try:
        header = describe(inputs.checkpoint)
    except CheckpointError as error:
        return [str(error)]
    return [] if header.kind == kind else [f"{Path(inputs.checkpoint).name} holds a {header.kind!r}, expected a {kind!r}"]


def first_few(settings: Any, available: int, few: int) -> tuple[Any, float]:
    """The settings of a trial on the first few, at once, and how many times as much the whole is."""
    wanted = min(settings.limit or available, available)
    few = min(few, wanted)
    return replace(settings, limit=few, batch_size=min(settings.batch_size, few)), wanted / few
