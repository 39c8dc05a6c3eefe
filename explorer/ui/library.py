"""Which checkpoints there are: shipped ones, those in a user's folders, and uploads."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from explorer.checkpoints import Header, describe, load, write_atomically
from explorer.errors import CheckpointError, InvalidInput, UnknownName
from explorer.registry import look_up

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
    """Shipped ones first, then those of EXPLORER_CHECKPOINTS and of the folders given, then uploads."""
    own = tuple(part for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part)
    found = _in(SHIPPED, "shipped", "")
    for folder in (*own, *folders):
        found += _in(Path(folder).expanduser(), "folder", f"{Path(folder).name}/")
    found += _in(UPLOADS, "uploaded", "upload/")
    return list({each.key: each for each in reversed(found)}.values())[::-1]


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


def keep_upload(name: str, content: bytes) -> str:
    """Check an uploaded checkpoint by loading it once, keep it, and return its key. Raises CheckpointError, OutputError."""
    if len(content) > MAXIMUM_UPLOAD_MB << 20:
        raise InvalidInput(f"{name} has {len(content) / 1e6:.0f} MB. At most {MAXIMUM_UPLOAD_MB} MB can be uploaded; larger ones: {VARIABLE}.")
    stem = f"{Path(name).stem[:40]}-{hashlib.sha256(content).hexdigest()[:8]}"
    trial = UPLOADS / f"{stem}.trial"
    write_atomically(trial, content)
    try:
        load(trial)
        os.replace(trial, UPLOADS / f"{stem}.safetensors")
    except CheckpointError as error:
        raise type(error)(str(error).replace(trial.name, name)) from None
    finally:
        trial.unlink(missing_ok=True)
    return f"upload/{stem}"


def _in(folder: Path, origin: str, prefix: str) -> list[Found]:
    found = []
    for path in sorted(folder.rglob("*.safetensors")) if folder.is_dir() else ():
        try:
            header = describe(path)
        except CheckpointError as error:
            if path.name != "state.safetensors":  # a training that can be resumed
                found.append(Found(prefix + path.stem, path, origin, problem=str(error)))
            continue
        found.append(Found(prefix + path.stem, path, origin, header))
    return found
