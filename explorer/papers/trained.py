"""Finding what another experiment has trained: in one's own runs, then among the shipped checkpoints."""

from pathlib import Path

from explorer.errors import CheckpointError
from explorer.storage import runs_folder

from .results import SHIPPED


def trained_path(name: str) -> Path:
    """The checkpoint of an experiment, or the file itself where a path is given. Raises CheckpointError that says which command trains it."""
    path = Path(name).expanduser()
    if path.suffix == ".safetensors":
        if path.is_file():
            return path
        raise CheckpointError(f"{name} cannot be read: there is no such file.")
    for place in (runs_folder() / name / f"{name}.safetensors", *sorted(SHIPPED.glob(f"*/{name}.safetensors"))):
        if place.is_file():
            return place
    raise CheckpointError(f"no checkpoint of {name[:60]!r} is in {runs_folder()} nor among the shipped ones. Train it: python -m explorer.train {name[:60]}; or give a .safetensors file.")
