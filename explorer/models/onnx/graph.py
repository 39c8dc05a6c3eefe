"""A classifier made of the lines of an ONNX graph: torch operations on tensors, so that gradients and bounds follow."""

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.configuration import out_of_range
from explorer.errors import ConfigurationError, InvalidInput, UnsupportedOperation

from ..classifiers import Classifier, Normalise, normalisation_problems
from . import OPERATIONS
from .shapes import LARGEST, LARGEST_KNOWN, check_size
from .text import Line, Name, parsed

IMAGE = "v0"
MAXIMUM_LINES = 20_000
MAXIMUM_PRODUCTS = 2e11  # multiplications for one image: ten times those of a ViT-B at 224 pixels
MAXIMUM_VALUES = 1 << 28  # numbers that are computed for one image: a gigabyte
FAILURES = (RuntimeError, ValueError, TypeError, IndexError, KeyError, ZeroDivisionError, OverflowError, AttributeError)
PRODUCTS = ("Conv", "Gemm", "MatMul")


@dataclass(frozen=True)
class OnnxConfig:
    """A network as its lines (explorer.models.onnx.text), ending with the logits, and its tensors' types and shapes: t0, t1, … as
    "float 6x1x5x5" or "int 3". {} is a linear classifier. Images become (x − mean)/std where these are given. `one_by_one`: the lines are
    for a single image, as some networks are exported."""

    channels: int = 1
    height: int = 28
    width: int = 28
    classes: int = 10
    tensors: tuple[str, ...] = ("float 10x784", "float 10")
    lines: tuple[str, ...] = ("v1 = Flatten(v0)", "v2 = Gemm(v1, t0, t1, transB=1)")
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    one_by_one: bool = False

    def __post_init__(self):
        edge = (1, 4096)
        problems = out_of_range(self, channels=(1, 16), height=edge, width=edge, classes=(2, 65536))
        if not 0 < len(self.lines) <= MAXIMUM_LINES or len(self.tensors) > MAXIMUM_LINES:
            problems.append(f"{len(self.lines):,} lines and {len(self.tensors):,} tensors: expected 1 to {MAXIMUM_LINES:,} lines and at most as many tensors")
        if problems := problems or normalisation_problems(self):
            raise ConfigurationError(problems)


class OnnxGraph(nn.Module):
    """The lines in order, on tensors named t0, t1, …: numbers that are learned are parameters, integers are buffers."""

    def __init__(self, lines: Sequence[Line], tensors: Mapping[str, tuple[str, tuple[int, ...]]], one_by_one: bool = False):
        super().__init__()
        self.lines, self.output, self.one_by_one = tuple(lines), lines[-1].outputs[0], one_by_one
        statistics = {each.name for line in lines if line.operation == "BatchNormalization" for each in line.arguments[3:] if isinstance(each, Name)}
        for name, (kind, shape) in tensors.items():
            if kind == "float" and name not in statistics:
                self.register_parameter(name, nn.Parameter(torch.zeros(shape)))
            else:
                self.register_buffer(name, torch.zeros(shape, dtype=torch.float32 if kind == "float" else torch.int64))
        last_used = {name: place for place, line in enumerate(self.lines) for name in line.names}
        self.forgotten = [tuple(name for name, last in last_used.items() if last == place and name.startswith("v")) for place in range(len(self.lines))]

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch classes"]:
        return torch.func.vmap(lambda image: self._run(image[None])[0])(x) if self.one_by_one else self._run(x)

    def _run(self, x: Tensor) -> Tensor:
        values: dict[str, Any] = dict(self.named_parameters()) | dict(self.named_buffers())
        values[IMAGE] = x
        for line, forgotten in zip(self.lines, self.forgotten):
            compute(line, values)
            for name in forgotten:
                values.pop(name, None)
        return values[self.output]


def onnx_classifier(config: OnnxConfig) -> Classifier:
    """Raises ConfigurationError for lines that do not make a classifier of such images."""
    try:
        return classifier_of(config)
    except (InvalidInput, UnsupportedOperation) as error:
        raise ConfigurationError([f"lines: {error}"]) from None


def classifier_of(config: OnnxConfig) -> Classifier:
    """The same. Raises InvalidInput or UnsupportedOperation."""
    shape = (config.channels, config.height, config.width)
    lines = [parsed(line) for line in config.lines]
    tensors = {f"t{number}": tensor_kind(text) for number, text in enumerate(config.tensors)}
    check_names(lines, set(tensors))
    empty = {name: torch.empty(size, device="meta", dtype=torch.float32 if kind == "float" else torch.int64) for name, (kind, size) in tensors.items()}
    batch = 1 if config.one_by_one else 2
    found = dry_run(lines, empty, shape, batch)
    if tuple(found.shape) != (batch, config.classes):
        raise InvalidInput(f"the lines make {tuple(found.shape)} of {batch} image{'s'[: batch - 1]}: expected a row of logits for each, for {config.classes} classes")
    normalise = nn.Identity() if config.mean is None else Normalise(config.mean, config.std)
    return Classifier(shape, config.classes, normalise, OnnxGraph(lines, tensors, config.one_by_one), nn.Identity())


def compute(line: Line, values: dict[str, Any]) -> None:
    """Put a line's results among the values."""
    arguments = [values[each.name] if isinstance(each, Name) else each for each in line.arguments]
    found = OPERATIONS[line.operation].apply(*arguments, **line.attributes)
    values.update(zip(line.outputs, found if isinstance(found, tuple) else (found,)))


def dry_run(lines: Sequence[Line], tensors: Mapping[str, Tensor], image_shape: tuple[int, int, int], batch: int = 2) -> Tensor:
    """The result for a batch without its numbers: on the device "meta" nothing is computed but shapes. Raises UnsupportedOperation or
    InvalidInput, which name the line, for an operation that fails, and for a network that would take too much memory or time."""
    values: dict[str, Any] = {**tensors, IMAGE: torch.empty(batch, *image_shape, device="meta")}
    size = products = 0.0
    for line in lines:
        attempt(line, values)
        size += sum(_numbers(values[name]) for name in line.outputs) / batch
        products += _products(line, values) / batch
        if size > MAXIMUM_VALUES or products > MAXIMUM_PRODUCTS:
            raise InvalidInput(f"up to {line.operation} the network computes {size:,.0f} numbers by {products:.1e} multiplications for one image: at most {MAXIMUM_VALUES:,} by {MAXIMUM_PRODUCTS:.0e} are allowed.")
    return values[lines[-1].outputs[0]]


def attempt(line: Line, values: dict[str, Any], label: str = "") -> None:
    """Compute a line after its result's size is known to be moderate."""
    operation, label = OPERATIONS[line.operation], label or f"{line.outputs[0]} = {line.operation}"
    arguments = [values[each.name] if isinstance(each, Name) else each for each in line.arguments]
    known = all(not isinstance(each, Tensor) or each.device.type == "cpu" for each in arguments)
    light = [_without_numbers(each) if place not in operation.reads and line.operation != "Shape" else each for place, each in enumerate(arguments)]
    try:
        with torch.no_grad():
            found = operation.apply(*light, **line.attributes)
            for each in found if isinstance(found, tuple) else (found,):
                check_size(each.shape, LARGEST_KNOWN if known else LARGEST)
            if known:
                found = operation.apply(*arguments, **line.attributes)
    except UnsupportedOperation as error:
        raise UnsupportedOperation(f"{label}: {error}") from None
    except (*FAILURES, MemoryError) as error:
        raise InvalidInput(f"{label} cannot be computed: {str(error).splitlines()[0][:200] if str(error) else type(error).__name__}") from None
    found = found if isinstance(found, tuple) else (found,)
    if len(line.outputs) > len(found):
        raise UnsupportedOperation(f"{label} has {len(line.outputs)} outputs: known are {len(found)}.")
    values.update(zip(line.outputs, found))


def check_names(lines: Sequence[Line], tensors: set[str]) -> None:
    """Every operation is known and takes such attributes, every value is there before it is taken, and made once."""
    known = {IMAGE, *tensors}
    for line in lines:
        look_up_operation(line.operation, "")
        check_attributes(line, "")
        if missing := [name for name in line.names if name not in known]:
            raise InvalidInput(f"{line.operation} takes {missing[0]!r}, which no line before it makes.")
        if twice := [name for name in line.outputs if name in known]:
            raise InvalidInput(f"{twice[0]!r} is made twice.")
        known.update(line.outputs)


def look_up_operation(name: str, where: str) -> None:
    if name not in OPERATIONS:
        raise UnsupportedOperation(
            f"the ONNX operation {name!r}{where} is not known here. Known: {', '.join(OPERATIONS)}. A row for it belongs into OPERATIONS of explorer/models/onnx/__init__.py."
        )


def check_attributes(line: Line, where: str) -> None:
    """Raises UnsupportedOperation for attributes that the operation does not have."""
    try:
        accepted = inspect.signature(OPERATIONS[line.operation].apply).parameters
    except ValueError:  # of torch's own functions: none has attributes
        accepted = {}
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in accepted.values()):
        return
    if foreign := [name for name in line.attributes if name not in accepted]:
        raise UnsupportedOperation(f"{line.operation}{where}: the attribute {foreign[0]!r} is not known here.")


def tensor_kind(text: str) -> tuple[str, tuple[int, ...]]:
    """A tensor's type and shape. Raises InvalidInput."""
    kind, _, sizes = text.partition(" ")
    parts = sizes.split("x") if sizes else []
    if kind not in ("float", "int") or len(parts) > 8 or not all(part.isdecimal() and len(part) < 10 for part in parts) or math.prod(map(int, parts)) > 1 << 30:
        raise InvalidInput(f"{text[:60]!r} is no tensor: expected its type and shape, such as float 6x1x5x5")
    return kind, tuple(map(int, parts))


def _numbers(value: Tensor) -> int:
    """How many numbers a value takes; those on the CPU are kept while the network is looked at."""
    return value.numel() * (1 if value.device.type == "meta" else 16)


def _without_numbers(value: Any) -> Any:
    return value.to("meta") if isinstance(value, Tensor) else value


def _products(line: Line, values: Mapping[str, Any]) -> float:
    """Multiplications of a line."""
    if line.operation not in PRODUCTS:
        return 0.0
    first, second = (values[each.name] if isinstance(each, Name) else each for each in line.arguments[:2])
    inner = second.numel() / max(1, len(second)) if line.operation == "Conv" else first.shape[-1]
    return values[line.outputs[0]].numel() * inner
