"""What `python -m explorer.evaluate` can measure of a checkpoint, told in one row for each."""

import sys
from argparse import Namespace
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch

from explorer.measuring import file_digest
from explorer.types import Progress

from .results import save_result

COMMON = ("limit", "seed", "batch_size")


@dataclass(frozen=True)
class Measurement:
    """`options` of the command that are given replace the fields of the same name in the usual settings, as the common ones do; `flags` ask for
    this measurement, or say more of it. `opened_with` are options that `open` takes by name, `measured_with` those that `tables` takes."""

    what: str
    kind: str  # of the results file
    open: Callable[..., Any]  # (checkpoint, device, root) -> what is measured, with a `note` where it is not quite what was asked for
    usual: Callable[[Any, Namespace], Any]  # (what is measured, options) -> settings
    tables: Callable[..., Iterable[Any]]  # (what is measured, digest, settings, folder of batches, progress) -> tables, the last of which is whole
    path: Callable[[Any], Path]  # of a table's results file
    report: Callable[[Any, Path, str], str]  # (table, its file, format) -> text
    options: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    opened_with: tuple[str, ...] = ()
    measured_with: tuple[str, ...] = ()

    def settings(self, opened: Any, options: Namespace) -> Any:
        """The usual ones, with what the options say otherwise."""
        usual = self.usual(opened, options)
        known = {field.name for field in fields(usual)}
        return replace(usual, **{name: value for name in (*COMMON, *self.options) if name in known and (value := getattr(options, name)) is not None})

    def carried_out(self, options: Namespace, device: torch.device, progress: Progress) -> str:
        """Measure, write the results file, and report. Raises what opening and measuring raise, and OutputError."""
        opened = self.open(options.checkpoint, device, options.root, **_some(options, self.opened_with))
        for note in filter(None, (getattr(opened, name, None) for name in ("note", "missing"))):
            print(note, file=sys.stderr)
        settings = self.settings(opened, options)
        *_, table = self.tables(opened, file_digest(options.checkpoint), settings, options.work, progress, **_some(options, self.measured_with))
        path = options.output or self.path(table)
        save_result(self.kind, table, path)
        print(f"written to {path}", file=sys.stderr)
        return self.report(table, path, options.format)


def _some(options: Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(options, name) for name in names}
