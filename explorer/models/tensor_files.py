"""What torch.save has written of a model elsewhere, read as tensors by name; nothing that a file carries is run."""

import io
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from explorer.errors import CheckpointUnreadable

WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
LARGEST_GIGABYTES = 4  # the published U-Net of scenes with its optimiser's state has 3.1
FOREIGN = re.compile(r"Unsupported (?:global: GLOBAL|class) (\S{1,100})")  # in torch's words
SCALAR = np._core.multiarray.scalar
NUMBERS = [SCALAR, (SCALAR, "numpy.core.multiarray.scalar"), np.dtype, np.dtypes.Float64DType]  # learning rates that NumPy computed


def read_tensor_file(path: Path) -> tuple[dict[str, Tensor], bytes]:
    """A state_dict's tensors in their order, without the prefix of a wrapper, and the file's bytes. Raises CheckpointUnreadable for a file that
    holds more than tensors, numbers and text."""
    try:
        if path.stat().st_size > LARGEST_GIGABYTES << 30:
            raise CheckpointUnreadable(f"{path.name} has {path.stat().st_size / 1e9:.1f} GB. At most {LARGEST_GIGABYTES} GB are read.")
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointUnreadable(f"{path} cannot be read: {error.strerror or error}.") from None
    return tensors_of(content, path.name), content


def tensors_of(content: bytes, name: str) -> dict[str, Tensor]:
    """The same of bytes that are here already, from a file of that name."""
    try:
        with torch.serialization.safe_globals(NUMBERS):
            found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # of many kinds, from damaged or foreign content
        asked = FOREIGN.search(str(error))
        reason = f"it asks for {asked[1]}" if asked else type(error).__name__
        raise CheckpointUnreadable(f"{name} is not a file of tensors and numbers alone, and nothing else is opened ({reason}). Code in it is not run: save model.state_dict() and take that.") from None
    for wrapper in WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(wrapper), Mapping):
            found = found[wrapper]
    if not isinstance(found, Mapping) or not found or not all(isinstance(key, str) and isinstance(value, Tensor) for key, value in found.items()):
        raise CheckpointUnreadable(f"{name} holds no tensors by name. Expected a state_dict, or a dictionary with one under {', '.join(WRAPPERS)}.")
    return {key.removeprefix("module."): value for key, value in found.items()}
