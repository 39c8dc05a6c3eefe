"""One safetensors file per model: tensors, and a JSON header that says what they are. Nothing is ever unpickled."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from explorer.configuration import from_mapping
from explorer.errors import (
    CheckpointMismatch,
    CheckpointTooNew,
    CheckpointUnreadable,
    ConfigurationError,
    ExplorerError,
    UnknownName,
)
from explorer.models import build_model, model_config
from explorer.storage import write_atomically

FORMAT = 1
HEADER_KEY = "explorer"
MAXIMUM_HEADER_BYTES = 1 << 20
MAXIMUM_BYTES = 2 << 30
STORED_DTYPES = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float64, "I64": torch.int64}


@dataclass(frozen=True)
class Header:
    """What a checkpoint says about itself."""

    kind: str
    name: str
    model: str
    model_config: dict
    dataset: dict
    training: dict
    metrics: dict
    seed: int
    radius: float
    percentile_radii: dict
    description: str = ""
    versions: dict = field(default_factory=dict)
    revision: str = "unknown"
    format: int = FORMAT


@dataclass(frozen=True)
class Checkpoint:
    """A model in evaluation mode, float32, with the header it was built from."""

    model: nn.Module
    header: Header


def save(path: str | Path, model: nn.Module, header: Header, dtype: torch.dtype = torch.float32) -> None:
    """Write a checkpoint atomically. `dtype` float16 halves the file; integers stay integers. Raises OutputError."""
    from safetensors.torch import save as serialise

    tensors = {
        name: (value.to(dtype) if value.is_floating_point() else value).detach().cpu().contiguous()
        for name, value in model.state_dict().items()
    }
    write_atomically(Path(path), serialise(tensors, {HEADER_KEY: json.dumps(asdict(header), sort_keys=True)}))


def describe(path: str | Path) -> Header:
    """The header of a checkpoint, without its tensors. Raises CheckpointUnreadable or CheckpointTooNew."""
    return parse_header(_table(Path(path)), Path(path).name)


def load(path: str | Path, device: str | torch.device = "cpu") -> Checkpoint:
    """The model a checkpoint holds, in evaluation mode and float32.

    Every key, shape, type and value is checked first. Raises CheckpointUnreadable, CheckpointTooNew or CheckpointMismatch.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = Path(path)
    table = _table(path)
    header = parse_header(table, path.name)
    try:
        with torch.device("meta"), Undrawn():
            expected = build_model(header.model, header.model_config).state_dict()
    except (UnknownName, ConfigurationError) as error:
        raise CheckpointMismatch(f"{path.name}: {error}") from None
    except Exception as error:
        raise CheckpointMismatch(f"{path.name}: no model can be built from its configuration {header.model_config} ({error})") from None
    _compare(path.name, header.model, expected, {name: entry for name, entry in table.items() if name != "__metadata__"})
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointUnreadable(f"{path.name} is damaged or truncated ({error}). Copy or download it again.") from None
    tensors = {name: value.to(expected[name].dtype) for name, value in tensors.items()}
    broken = [name for name, value in tensors.items() if not torch.isfinite(value).all()]
    if broken:
        raise CheckpointMismatch(f"{path.name} holds values that are not finite in {_shorten(broken)}: the training diverged.")
    negative = [name for name, value in tensors.items() if name.endswith("running_var") and (value < 0).any()]
    if negative:
        raise CheckpointMismatch(f"{path.name} holds negative variances in {_shorten(negative)}.")
    with Undrawn():
        model = build_model(header.model, header.model_config)
    model.load_state_dict(tensors)
    return Checkpoint(model.to(device).eval().requires_grad_(False), header)


class Undrawn(TorchFunctionMode):
    """No random numbers are drawn for weights that a file replaces: on the device "meta" the first draw alone takes torch seconds of imports."""

    LAWS = ("normal_", "uniform_", "trunc_normal_", "kaiming_normal_", "kaiming_uniform_", "xavier_normal_", "xavier_uniform_")

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", "") in self.LAWS:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


def parse_header(table: Mapping[str, Any], name: str) -> Header:
    """The explorer's header in a safetensors table of contents. `name` stands in the messages."""
    text = (table.get("__metadata__") or {}).get(HEADER_KEY)
    if text is None:
        raise CheckpointUnreadable(
            f"{name} is a safetensors file without the header {HEADER_KEY!r}. Checkpoints are written by python -m explorer.train."
        )
    try:
        content = json.loads(text)
        json.dumps(content, ensure_ascii=False).encode()
        written = content["format"]
        if type(written) is not int:
            raise ValueError("format is not a number")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointUnreadable(f"{name}: its header is not valid JSON with a format number ({error}).") from None
    if written > FORMAT:
        raise CheckpointTooNew(f"{name} has format {written}, this version reads up to {FORMAT}. Update the explorer.")
    try:
        header = from_mapping(Header, content, name)
        model_config(header.model, header.model_config)
        _check_numbers(header)
    except (ExplorerError, ValueError) as error:
        raise CheckpointMismatch(f"{name}: {error}") from None
    return header


def _check_numbers(header: Header) -> None:
    """Raise ValueError unless radii are finite and at least 0, percentiles lie in 0 to 100, and metrics are numbers."""
    radii = {"radius": header.radius, **{f"percentile radius {key}": value for key, value in header.percentile_radii.items()}}
    wrong = [f"{key} = {value!r}" for key, value in radii.items() if type(value) not in (int, float) or not 0 <= value < 1e6]
    wrong += [f"percentile {key!r}" for key in header.percentile_radii if not (key.isdecimal() and len(key) <= 3 and int(key) <= 100)]
    wrong += [f"metric {key} = {value!r}" for key, value in header.metrics.items() if not _is_moderate(value)]
    if wrong:
        raise ValueError(f"expected finite radii of at least 0, percentiles to 100 and numbers as metrics, got {', '.join(wrong)[:300]}")


def _is_moderate(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e15


def _table(path: Path) -> dict[str, Any]:
    """The table of contents at the head of a safetensors file, checked against the file's length."""
    try:
        if not path.is_file():
            raise CheckpointUnreadable(f"{path} cannot be read: there is no such file.")
        size = path.stat().st_size
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or not 2 <= length <= min(MAXIMUM_HEADER_BYTES, size - 8):
                raise CheckpointUnreadable(f"{path.name} is not a safetensors file, or it is truncated. Copy or download it again.")
            if size > MAXIMUM_BYTES:
                raise CheckpointUnreadable(f"{path.name} has {size / 1e9:.1f} GB. At most {MAXIMUM_BYTES >> 30} GB can be loaded.")
            table = json.loads(file.read(length))
    except OSError as error:
        raise CheckpointUnreadable(f"{path} cannot be read: {error.strerror or error}.") from None
    except (ValueError, RecursionError):
        raise CheckpointUnreadable(f"{path.name} is not a safetensors file: its table of contents is not JSON.") from None
    if not isinstance(table, dict) or not all(_is_entry(name, entry) for name, entry in table.items()):
        raise CheckpointUnreadable(f"{path.name} is not a safetensors file: its table of contents is malformed.")
    end = max((entry["data_offsets"][1] for name, entry in table.items() if name != "__metadata__"), default=0)
    if end != size - 8 - length:
        raise CheckpointUnreadable(f"{path.name} is truncated: {end + 8 + length} bytes expected, {size} found. Copy or download it again.")
    return table


def _is_entry(name: str, entry: Any) -> bool:
    """Whether this is the metadata, or a tensor's type, shape and place, as the format wants them."""
    if not isinstance(entry, dict):
        return False
    if name == "__metadata__":
        return all(isinstance(value, str) for value in entry.values())
    shape, offsets = entry.get("shape"), entry.get("data_offsets")
    numbers = all(isinstance(each, list) and all(type(n) is int and n >= 0 for n in each) for each in (shape, offsets))
    return isinstance(entry.get("dtype"), str) and numbers and len(offsets) == 2


def _compare(name: str, model: str, expected: Mapping[str, Tensor], found: Mapping[str, Any]) -> None:
    """Raise CheckpointMismatch with all differences between the model's tensors and the file's."""
    problems = []
    missing, extra = [key for key in expected if key not in found], [key for key in found if key not in expected]
    if missing:
        problems.append(f"missing {_shorten(missing)}")
    if extra:
        problems.append(f"unexpected {_shorten(extra)}")
    for key in expected.keys() & found.keys():
        shape, dtype = tuple(found[key].get("shape", ())), found[key].get("dtype")
        if shape != tuple(expected[key].shape):
            problems.append(f"{key} has shape {shape}, expected {tuple(expected[key].shape)}")
        if dtype not in STORED_DTYPES or STORED_DTYPES[dtype].is_floating_point != expected[key].is_floating_point():
            problems.append(f"{key} has type {dtype}, expected {expected[key].dtype}")
    if problems:
        raise CheckpointMismatch(f"{name} does not hold the {model!r} its header describes: " + "; ".join(sorted(problems)[:6]))


def _shorten(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
