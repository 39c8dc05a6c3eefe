"""Which checkpoints there are: shipped ones, those in a user's folders, and uploads."""

import hashlib
import os
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from explorer.checkpoints import Header, describe, load
from explorer.errors import CheckpointError, InvalidInput, OutputError
from explorer.registry import look_up
from explorer.runs import Store
from explorer.storage import imported_folder, runs_folder, write_atomically

SHIPPED = Path(__file__).parents[2] / "checkpoints"
UPLOADS = Path(tempfile.gettempdir()) / f"explorer-uploads-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
MAXIMUM_UPLOAD_MB = 200
VARIABLE = "EXPLORER_CHECKPOINTS"


@dataclass(frozen=True)
class Found:
    """A checkpoint file. `header` is None where it cannot be opened, and `problem` says why."""

    key: str
    path: Path
    origin: str
    header: Header | None = None
    problem: str | None = None


def find_checkpoints(folders: tuple[str, ...] = ()) -> list[Found]:
    """Shipped ones first, then those that runs and the command have trained, those of EXPLORER_CHECKPOINTS and of the folders given, then imported
    ones and uploads; a file that is found twice is there once."""
    own = [part for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    roots = list(dict.fromkeys(Path(folder).expanduser().resolve() for folder in (*own, *folders)))
    found = _in(SHIPPED, "shipped", "") + _trained()
    for index, root in enumerate(roots):
        same = sum(earlier.name == root.name for earlier in roots[:index])
        found += _in(root, "folder", f"{root.name}{f'-{same + 1}' if same else ''}/")
    found += _in(imported_folder(), "imported", "imported/") + _in(UPLOADS, "uploaded", "upload/")
    return list({each.path.resolve(): each for each in reversed(found)}.values())[::-1]


def checkpoint_path(key: str, folders: tuple[str, ...] = ()) -> Path:
    """The file of a checkpoint by its key. Raises UnknownName with the nearest known key."""
    known = {each.key: each.path for each in find_checkpoints(folders) if each.header}
    return look_up(known, key, "checkpoint")


def check_folder(text: str) -> str:
    """A folder a user typed. Raises InvalidInput where it is none."""
    path = Path(text).expanduser()
    if not path.is_dir():
        raise InvalidInput(f"{text!r} is not a folder on the machine that runs the explorer.")
    return str(path)


def keep_upload(name: str, content: bytes, usable: Callable[[Path], object]) -> str:
    """Check an uploaded checkpoint by opening it once with `usable`, keep it, and return its key. Raises ExplorerError."""
    if len(content) > MAXIMUM_UPLOAD_MB << 20:
        raise InvalidInput(f"{name} has {len(content) / 1e6:.0f} MB. At most {MAXIMUM_UPLOAD_MB} MB can be uploaded; larger ones: {VARIABLE}.")
    stem = f"{Path(name).stem[:40]}-{hashlib.sha256(content).hexdigest()[:8]}"
    trial = UPLOADS / f"{stem}.{secrets.token_hex(4)}.trial"
    write_atomically(trial, content)
    try:
        load(trial)
        usable(trial)
        os.replace(trial, UPLOADS / f"{stem}.safetensors")
    except (CheckpointError, InvalidInput) as error:
        raise CheckpointError(str(error).replace(trial.name, name)) from None
    except OSError as error:
        raise OutputError(f"{name} could not be kept: {error.strerror or error}.") from None
    finally:
        trial.unlink(missing_ok=True)
    return f"upload/{stem}"


def forget_upload(key: str) -> None:
    """Delete an uploaded checkpoint."""
    path = UPLOADS / f"{key.removeprefix('upload/')}.safetensors"
    if path.parent == UPLOADS:
        path.unlink(missing_ok=True)


def _trained() -> list[Found]:
    """What trainings have finished, in the store of runs, newest first, then by the command in its usual place; `best` and `last` on their way
    are left out."""
    try:
        runs = Store().runs()
    except OutputError:
        return []
    places = [(f"run/{run.number}/{path.stem}", path, f"run {run.number}") for run in runs for path in sorted(run.output.glob("*.safetensors"))]
    places += [(f"trained/{path.stem}", path, "trained here") for path in sorted(runs_folder().glob("*/*.safetensors")) if path.parent.name == path.stem]
    found = []
    for key, path, origin in places:
        try:
            if (header := describe(path)).name == path.stem:
                found.append(Found(key, path, origin, header))
        except CheckpointError:
            continue
    return found


def _in(folder: Path, origin: str, prefix: str) -> list[Found]:
    found = []
    for path in _files(folder):
        key = prefix + (path.stem if origin == "shipped" else str(path.relative_to(folder).with_suffix("")))
        try:
            found.append(Found(key, path, origin, describe(path)))
        except CheckpointError as error:
            if path.name != "state.safetensors":  # a training that can be resumed
                found.append(Found(key, path, origin, problem=str(error)))
    return found


def _files(folder: Path) -> list[Path]:
    """Checkpoint files at most three folders down, the first 200 in order of their names."""
    found = []
    for here, inside, names in os.walk(folder):
        depth = len(Path(here).relative_to(folder).parts)
        inside[:] = sorted(each for each in inside if not each.startswith(".")) if depth < 3 else []
        found += [Path(here) / name for name in sorted(names) if name.endswith(".safetensors")]
        if len(found) >= 200:
            break
    return [path for path in found[:200] if path.is_file()]
