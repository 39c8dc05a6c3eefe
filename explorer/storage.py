"""Files that are whole or not there, and the folder for what is made."""

import os
import tempfile
from pathlib import Path

from explorer.errors import OutputError

RUNS_VARIABLE = "EXPLORER_RUNS"


def runs_folder() -> Path:
    """Where trainings, evaluations and runs write: the variable EXPLORER_RUNS, else ./runs."""
    return Path(os.environ.get(RUNS_VARIABLE) or "runs").expanduser()


def imported_folder() -> Path:
    """Where checkpoints go that were made of files from elsewhere, in the folder of runs."""
    return runs_folder() / "imported"


def write_atomically(path: Path, content: bytes) -> None:
    """Write a whole file or leave what is there, also when interrupted. Raises OutputError."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise OutputError(
            f"{path} could not be written: {error.strerror or error}. What was there before is unchanged. "
            f"Free some space or choose another folder."
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
