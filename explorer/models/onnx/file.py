"""What an ONNX file says, read from its bytes: nodes, tensors, inputs and outputs (onnx.proto, IR version 3 and later).

Nothing that a file carries is executed, and nothing outside it is opened. What is allocated is at most as large as the file."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from explorer.errors import CheckpointUnreadable, UnsupportedOperation

from . import wire

MAXIMUM_BYTES = 1 << 30
MAXIMUM_NODES = 20_000
MAXIMUM_DIMENSIONS = 8
OPSETS = (7, 25)  # versions of the operators whose meaning is known here
# number of the type in onnx.proto: its bytes in raw_data, and as what it is kept
TYPES = {1: (torch.float32, torch.float32), 10: (torch.float16, torch.float32), 11: (torch.float64, torch.float32), 16: (torch.bfloat16, torch.float32),
         6: (torch.int32, torch.int64), 7: (torch.int64, torch.int64), 9: (torch.bool, torch.bool)}  # fmt: skip
NAMES = {2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 8: "string", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 17: "float8", 21: "uint4", 22: "int4"}
Attribute = int | float | str | tuple[int, ...] | tuple[float, ...] | Tensor


@dataclass(frozen=True)
class OnnxNode:
    """An operation on named values; '' is an input left out."""

    operation: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Attribute]

    def __str__(self) -> str:
        return f"{self.operation} {self.name or self.outputs[0]!r}"


@dataclass(frozen=True)
class OnnxFile:
    """The main graph. Of inputs: name and dimensions, None where one is free; tensors are not among them."""

    nodes: tuple[OnnxNode, ...]
    tensors: dict[str, Tensor]
    inputs: dict[str, tuple[int | None, ...]]
    outputs: tuple[str, ...]
    opset: int
    producer: str = ""


@dataclass
class _Graph:
    nodes: list[OnnxNode] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    inputs: dict[str, tuple[int | None, ...]] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)


def read_onnx(content: bytes) -> OnnxFile:
    """Raises CheckpointUnreadable for what is no ONNX file, damaged or too large, UnsupportedOperation for what it may hold but is not read."""
    if len(content) > MAXIMUM_BYTES:
        raise CheckpointUnreadable(f"the file has {len(content) / 1e9:.1f} GB. At most {MAXIMUM_BYTES >> 30} GB are read.")
    graph, opset, producer = None, None, ""
    for number, kind, value in wire.fields(memoryview(content)):
        if number == 7:
            if graph is not None:
                raise CheckpointUnreadable("the file is damaged: it holds two graphs.")
            graph = _graph(wire.message(kind, value))
        elif number == 8:
            domain, version = _operator_set(wire.message(kind, value))
            if domain in ("", "ai.onnx"):
                opset = version
        elif number == 2:
            producer = wire.text(kind, value)
        elif number == 25:
            raise UnsupportedOperation("the file defines functions of its own. Export without them, or inline them (onnx.inliner).")
        elif number > 32:
            raise CheckpointUnreadable(f"the file is not ONNX, or it is damaged: a model has no field {number}.")
    if graph is None or opset is None or not graph.nodes or not graph.outputs:
        raise CheckpointUnreadable("the file is not ONNX, or it is truncated: it holds no graph with nodes, outputs and a version of its operators.")
    if not OPSETS[0] <= opset <= OPSETS[1]:
        raise UnsupportedOperation(f"the file has operators of version {opset}, known are {OPSETS[0]} to {OPSETS[1]}. Export with opset_version=20.")
    inputs = {name: shape for name, shape in graph.inputs.items() if name not in graph.tensors}
    return OnnxFile(tuple(graph.nodes), graph.tensors, inputs, tuple(graph.outputs), opset, producer)


def _graph(message: memoryview) -> _Graph:
    found = _Graph()
    for number, kind, value in wire.fields(message):
        if number == 1:
            found.nodes.append(_node(wire.message(kind, value)))
            if len(found.nodes) > MAXIMUM_NODES:
                raise CheckpointUnreadable(f"the graph has more than {MAXIMUM_NODES:,} nodes.")
        elif number == 5:
            name, tensor = _tensor(wire.message(kind, value))
            if name in found.tensors:
                raise CheckpointUnreadable(f"the file is damaged: it holds two tensors named {name!r}.")
            found.tensors[name] = tensor
        elif number in (11, 12):
            name, shape = _value_info(wire.message(kind, value))
            if number == 12:
                found.outputs.append(name)
            elif found.inputs.setdefault(name, shape) is not shape:
                raise CheckpointUnreadable(f"the file is damaged: it has two inputs named {name!r}.")
        elif number == 15:
            raise UnsupportedOperation("the graph holds sparse tensors. Export with dense ones.")
    return found


def _node(message: memoryview) -> OnnxNode:
    inputs, outputs, name, operation, domain, attributes = [], [], "", "", "", {}
    for number, kind, value in wire.fields(message):
        if number in (1, 2):
            (inputs if number == 1 else outputs).append(wire.text(kind, value))
        elif number == 3:
            name = wire.text(kind, value)
        elif number == 4:
            operation = wire.text(kind, value)
        elif number == 5:
            key, attribute = _attribute(wire.message(kind, value))
            attributes[key] = attribute
        elif number == 7:
            domain = wire.text(kind, value)
    if not outputs or not operation:
        raise CheckpointUnreadable("the file is damaged: a node has no operation or no outputs.")
    if domain not in ("", "ai.onnx"):
        operation = f"{domain}.{operation}"
    return OnnxNode(operation, name, tuple(inputs), tuple(outputs), attributes)


def _attribute(message: memoryview) -> tuple[str, Attribute]:
    name, lists, found = "", {"floats": [], "ints": []}, 0
    for number, kind, value in wire.fields(message):
        if number == 1:
            name = wire.text(kind, value)
        elif number in (2, 3, 4, 5):
            reader: Callable = (wire.single, wire.integer, wire.text, _tensor)[number - 2]
            found = reader(kind, value) if number < 5 else _tensor(wire.message(kind, value))[1]
        elif number == 7:
            lists["floats"] += [wire.single(kind, value)] if kind == wire.FOUR_BYTES else _floats(wire.message(kind, value))
        elif number == 8:
            lists["ints"] += wire.integers(kind, value)
        elif number in (6, 11):
            raise UnsupportedOperation(f"the attribute {name!r} holds a graph: loops and branches are not read. Export a network without them.")
        elif number == 20 and (written := wire.integer(kind, value)) in (6, 7):
            found = tuple(lists["floats" if written == 6 else "ints"])
        elif number in (9, 10, 14, 15, 22, 23):
            raise UnsupportedOperation(f"the attribute {name!r} is of a type that is not read: known are numbers, text and dense tensors.")
    for listed in lists.values():
        found = tuple(listed) if listed else found
    return name, found


def _floats(packed: memoryview) -> list[float]:
    if len(packed) % 4:
        raise CheckpointUnreadable("the file is damaged: a list of floats has odd bytes.")
    return _from_bytes(packed, torch.float32).tolist()


def _tensor(message: memoryview) -> tuple[str, Tensor]:
    """A dense tensor with its name; all floats as float32, all integers as int64."""
    dims, kind_of, name, raw, numbers, floats, doubles = [], 0, "", None, [], [], []
    for number, kind, value in wire.fields(message):
        if number == 1:
            dims += wire.integers(kind, value)
        elif number == 2:
            kind_of = wire.integer(kind, value)
        elif number == 8:
            name = wire.text(kind, value)
        elif number == 9:
            raw = wire.message(kind, value)
        elif number in (5, 7):
            numbers += wire.integers(kind, value)
        elif number == 4:
            floats.append(wire.message(kind, value))
        elif number == 10:
            doubles.append(wire.message(kind, value))
        elif number == 13 or number == 14 and wire.integer(kind, value) != 0:
            raise UnsupportedOperation(f"the tensor {name!r} is kept in another file: external data are refused. Export with external_data=False.")
        elif number == 3:
            raise UnsupportedOperation(f"the tensor {name!r} is one of several segments.")
    if kind_of not in TYPES:
        raise UnsupportedOperation(f"the tensor {name!r} has the type {NAMES.get(kind_of, kind_of)}: known are floats, int32, int64 and bool.")
    if len(dims) > MAXIMUM_DIMENSIONS or any(not 0 <= size < 1 << 31 for size in dims):
        raise CheckpointUnreadable(f"the tensor {name!r} has the shape {str(dims)[:80]}: expected at most {MAXIMUM_DIMENSIONS} sizes of at least 0.")
    stored, kept = TYPES[kind_of]
    if raw is not None:
        flat = _from_bytes(raw, stored, name)
    elif floats or doubles:
        flat = torch.cat([_from_bytes(part, torch.float32 if floats else torch.float64, name) for part in floats or doubles])
    else:
        flat = torch.tensor(numbers, dtype=torch.int64, device="cpu")
        if stored.is_floating_point:  # 16-bit floats come as their bits
            flat = flat.to(torch.int16).view(stored) if stored.itemsize == 2 else flat.to(stored)
    if math.prod(dims) != len(flat):
        raise CheckpointUnreadable(f"the tensor {name!r} of shape {str(dims)[:80]} holds {len(flat):,} numbers: the file is damaged.")
    return name, flat.to(kept).reshape(dims)


def _from_bytes(content: memoryview, dtype: torch.dtype, name: str = "") -> Tensor:
    if len(content) % dtype.itemsize:
        raise CheckpointUnreadable(f"the tensor {name!r} has {len(content):,} bytes, no whole number of {dtype}: the file is damaged.")
    if dtype is torch.bool:
        return torch.frombuffer(bytearray(content), dtype=torch.uint8) != 0 if len(content) else torch.zeros(0, dtype=dtype)
    return torch.frombuffer(bytearray(content), dtype=dtype) if len(content) else torch.zeros(0, dtype=dtype, device="cpu")


def _value_info(message: memoryview) -> tuple[str, tuple[int | None, ...]]:
    """Name and dimensions; 0 of them where none are told."""
    name, shape = "", ()
    for number, kind, value in wire.fields(message):
        if number == 1:
            name = wire.text(kind, value)
        elif number == 2:
            for of_type, inner_kind, inner in wire.fields(wire.message(kind, value)):
                if of_type != 1:
                    raise UnsupportedOperation(f"the value {name!r} is no dense tensor.")
                shape = _shape(wire.message(inner_kind, inner))
    return name, shape


def _shape(message: memoryview) -> tuple[int | None, ...]:
    dims: list[int | None] = []
    for number, kind, value in wire.fields(message):
        if number == 2:
            for _, dim_kind, dim in wire.fields(wire.message(kind, value)):
                sizes = [wire.integer(k, v) for n, k, v in wire.fields(wire.message(dim_kind, dim)) if n == 1]
                dims.append(sizes[0] if sizes and sizes[0] > 0 else None)
    return tuple(dims)


def _operator_set(message: memoryview) -> tuple[str, int]:
    domain, version = "", 0
    for number, kind, value in wire.fields(message):
        if number == 1:
            domain = wire.text(kind, value)
        elif number == 2:
            version = wire.integer(kind, value)
    return domain, version
