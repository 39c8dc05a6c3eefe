"""Arrays that were rendered once, in the user's cache folder."""

import hashlib
import io
import os
import zipfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from explorer.errors import OutputError
from explorer.storage import write_atomically

CACHE_VARIABLE = "EXPLORER_CACHE"
KEEPING = ("__init__", "cache", "dataset", "lit")  # what only says which are rendered, and where they lie
Arrays = dict[str, np.ndarray]


def kept(name: str) -> Path:
    """Where arrays of that name lie, of this renderer."""
    return _cache_folder() / f"{name}-{_renderer()}.npz"


def kept_arrays(path: Path, shapes: Mapping[str, tuple[int, ...]], make: Callable[[], Arrays]) -> Arrays:
    """What lies there, where it is a whole file of these shapes, else what is made, which is then kept where that can be."""
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {key: file[key] for key in shapes}
        if all(arrays[key].shape == shape for key, shape in shapes.items()):
            return arrays
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # none there, or a damaged one
    arrays, content = make(), io.BytesIO()
    np.savez_compressed(content, **arrays)
    try:
        write_atomically(path, content.getvalue())
    except OutputError:
        pass  # a folder that cannot be written only costs time
    return arrays


def _cache_folder() -> Path:
    """The variable EXPLORER_CACHE, else the user's cache folder."""
    own = os.environ.get(CACHE_VARIABLE)
    return Path(own).expanduser() if own else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "perturbation-set-explorer"


@lru_cache(maxsize=1)
def _renderer() -> str:
    """Changes with any line of this package that has to do with rendering, so that no picture of an older renderer is taken for one of this."""
    sources = sorted(path for path in Path(__file__).parent.glob("*.py") if path.stem not in KEEPING)
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
