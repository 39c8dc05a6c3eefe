"""Results files: what `python -m explorer.evaluate` has measured, and what tables are read from."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from explorer.checkpoints import Header, describe
from explorer.configuration import from_mapping
from explorer.errors import CheckpointError, ConfigurationError
from explorer.storage import runs_folder, write_atomically

FORMAT = 1
SHIPPED = Path(__file__).parents[2] / "checkpoints"
LARGEST_FILE = 1 << 20
NUMBER = r"(?:-?[\d.]+(?:e[-+]?\d+)?|null)"
NUMBERS = re.compile(rf"\[\s*{NUMBER}(?:,\s*{NUMBER})*\s*\]")  # a list of them
Table = TypeVar("Table")


@dataclass(frozen=True)
class Results:
    """The tables of all results files, by kind, newest first, each with its file; what was wrong with files left out; and the
    headers of the checkpoints that a training finished, by their files."""

    tables: tuple[tuple[str, Any, Path], ...] = ()
    problems: tuple[str, ...] = ()
    checkpoints: tuple[tuple[Path, Header], ...] = ()

    def of(self, kind: str) -> list[tuple[Any, Path]]:
        return [(table, path) for each, table, path in self.tables if each == kind]


def save_result(kind: str, table: Any, path: Path) -> None:
    """Write a table, whole or not at all, a row of numbers to a line. Raises OutputError."""
    text = json.dumps({"format": FORMAT, "kind": kind, **asdict(table)}, indent=1)
    write_atomically(path, NUMBERS.sub(lambda found: " ".join(found[0].split()), text).encode())


def own_results() -> Path:
    """The folder of one's own results files."""
    return runs_folder() / "results"


def own_place(what: str, table: Any, usual: bool) -> Path:
    """Where a measurement belongs: `NAME-what.json` for the usual one over everything. One of a part of the data, at other settings, or of
    another file than the one whose measurement is there, never replaces that: its name ends in a digest of file and settings."""
    name = re.sub(r"[^\w.-]", "_", table.checkpoint)[:80]
    target = own_results() / f"{name}-{what}.json"
    if usual and _digest_there(target) in (None, table.digest):
        return target
    identity = json.dumps([table.digest, table.settings], sort_keys=True)
    return target.with_name(f"{target.stem}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}.json")


def as_usual(table: Any, usual: dict, *silent: str) -> bool:
    """Whether a measurement was made with these settings, apart from the limit, the size of batches, and the silent ones."""
    return all(table.settings.get(name) == value for name, value in usual.items() if name not in ("limit", "batch_size", *silent))


def read_results(kinds: dict[str, type], folders: tuple[Path, ...] | None = None, trained: tuple[Path, ...] | None = None) -> Results:
    """Every results file in the folders and the folders in them, by default the shipped, one's own and those of runs; one that is none,
    or not of this format, is left out and named. Checkpoints are looked for in the folders of `trained`, and in the outputs of runs there."""
    tables, problems = [], []
    paths = [path for folder in folders or (SHIPPED, own_results()) for pattern in ("*.json", "*/*.json") for path in sorted(folder.glob(pattern))]
    paths += [] if folders else sorted(runs_folder().glob("*/results/measured.json"))
    trained = trained or (SHIPPED, runs_folder())
    for path in sorted(paths, key=_modified, reverse=True):
        try:
            kind, table = read_result(path, kinds)
            tables.append((kind, table, path))
        except ConfigurationError as error:
            problems.append(f"{path.name} is left out: {error}")
    return Results(tuple(tables), tuple(problems), _finished(trained))


def read_result(path: Path, kinds: dict[str, type]) -> tuple[str, Any]:
    """The kind and the table of one file. Raises ConfigurationError saying what is wrong with it."""
    try:
        large = path.stat().st_size > LARGEST_FILE
        content = None if large else json.loads(path.read_text(encoding="utf-8"))
        json.dumps(content, ensure_ascii=False).encode()
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError([f"it cannot be read as JSON ({type(error).__name__})"]) from None
    if large:
        raise ConfigurationError([f"it has more than {LARGEST_FILE >> 20} MB"])
    if not isinstance(content, dict) or not isinstance(content.get("kind"), str) or content["kind"] not in kinds:
        raise ConfigurationError([f"expected a results file of kind {', '.join(kinds)}"])
    if content.get("format") != FORMAT:
        raise ConfigurationError([f"format {str(content.get('format'))[:20]}, expected {FORMAT}"])
    kind = content["kind"]
    return kind, from_mapping(kinds[kind], {name: value for name, value in content.items() if name not in ("format", "kind")}, path.name)


def _digest_there(path: Path) -> str | None:
    """Of which checkpoint file a results file is; None where it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))["digest"]
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _finished(folders: tuple[Path, ...]) -> tuple[tuple[Path, Header], ...]:
    """A training writes `best` and `last` on its way, and its own name at the end."""
    found = []
    for path in [path for folder in folders for pattern in ("*/*.safetensors", "*/output/*.safetensors") for path in sorted(folder.glob(pattern))]:
        try:
            header = describe(path)
        except CheckpointError:
            continue
        if path.stem == header.name:
            found.append((path, header))
    return tuple(found)


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
