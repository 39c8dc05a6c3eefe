"""From an ONNX file to the lines and tensors of a classifier: constants are computed, dead nodes left out, old forms brought up to date."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from explorer.errors import InvalidInput, UnsupportedOperation

from . import OPERATIONS
from .file import OnnxFile, OnnxNode
from .graph import IMAGE, attempt, check_attributes, look_up_operation
from .text import Argument, Line, Name, is_small, literal, written

SMALL = 4096  # numbers in a constant that is computed on import


@dataclass(frozen=True)
class Converted:
    """`lines` and `shapes` as OnnxConfig has them, how many numbers come last, and the tensors t0, t1, … themselves."""

    classes: int
    lines: tuple[str, ...]
    shapes: tuple[str, ...]
    tensors: dict[str, Tensor]


@dataclass
class _State:
    """Values by their names in the file: those of constants, and of all for a first batch; and what was written so far."""

    values: dict[str, Tensor | float]
    constants: set[str]
    names: dict[str, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)


def convert(file: OnnxFile, image_shape: tuple[int, int, int], output: str | None = None, *, cut_softmax: bool = False) -> Converted:
    """The computation of one output from images of this shape. Raises UnsupportedOperation for what is not known here, InvalidInput for
    a graph that does not fit together or to such images."""
    source, given = _input(file, image_shape)
    batch = given[0] if given and given[0] else 2
    target = _output(file, output)
    nodes = _needed(file, target)
    if cut_softmax:
        nodes, target = _without_softmax(nodes, target)
    state = _State(dict(file.tensors), set(file.tensors), {source: IMAGE})
    flat = len(given) == 2
    state.values[source] = torch.empty(batch, *image_shape, device="meta")
    if flat:
        state.lines.append(Line(("v1",), "Flatten", (Name(IMAGE),), {}))
        state.names[source], state.values[source] = "v1", state.values[source].flatten(1)
    for node in nodes:
        _convert_node(node, state, file.opset, batch if given and given[0] else None)
    if target not in state.names:
        raise InvalidInput(f"the output {target!r} does not depend on the image.")
    logits = state.values[target]
    if logits.ndim != 2 or len(logits) != batch or logits.shape[1] < 2:
        raise InvalidInput(f"the network makes {tuple(logits.shape)} of {batch} image{'s' if batch > 1 else ''}: expected a row of logits for each.")
    return _numbered(_reachable(state.lines, state.names[target]), state.tensors, logits.shape[1])


def _input(file: OnnxFile, image_shape: tuple[int, int, int]) -> tuple[str, tuple[int | None, ...]]:
    """The one input and its dimensions. Raises InvalidInput where it is no image of that shape."""
    if len(file.inputs) != 1:
        raise InvalidInput(f"the graph has {len(file.inputs)} inputs ({', '.join(list(file.inputs)[:4])}): expected one, the image.")
    ((name, given),) = file.inputs.items()
    flat = image_shape[0] * image_shape[1] * image_shape[2]
    fits = len(given) == 4 and all(size in (None, own) for size, own in zip(given[1:], image_shape)) or len(given) == 2 and given[1] == flat
    if given and not fits:
        raise InvalidInput(f"the network takes {_sizes(given)}, the images are of {' × '.join(map(str, image_shape))}: expected batch × {' × '.join(map(str, image_shape))}, channels first.")
    return name, given


def _output(file: OnnxFile, output: str | None) -> str:
    if output is None and len(file.outputs) == 1:
        return file.outputs[0]
    if output not in file.outputs:
        raise InvalidInput(f"the graph has the outputs {', '.join(file.outputs[:8])}: say which holds the logits.")
    return output


def _needed(file: OnnxFile, target: str) -> list[OnnxNode]:
    """The nodes that the output depends on, in the order of their computation. Raises InvalidInput for a graph that is cyclic, makes a
    value twice, or takes one that nothing makes."""
    makers: dict[str, int] = {}
    for place, node in enumerate(file.nodes):
        for name in node.outputs:
            if name and (name in makers or name in file.tensors or name in file.inputs):
                raise InvalidInput(f"the graph makes {name!r} twice.")
            makers[name] = place
    needed, open_ = set(), [target]
    while open_:
        name = open_.pop()
        if name in file.tensors or name in file.inputs or not name:
            continue
        if name not in makers:
            raise InvalidInput(f"the graph takes {name!r}, which nothing in it makes.")
        if makers[name] not in needed:
            needed.add(makers[name])
            open_ += file.nodes[makers[name]].inputs
    return _sorted([file.nodes[place] for place in sorted(needed)], {*file.tensors, *file.inputs, ""})


def _sorted(nodes: Sequence[OnnxNode], known: set[str]) -> list[OnnxNode]:
    """Each after those that it takes from; as they are where they are so already."""
    waiting = {place: {name for name in node.inputs if name not in known} for place, node in enumerate(nodes)}
    takers: dict[str, list[int]] = {}
    for place, names in waiting.items():
        for name in names:
            takers.setdefault(name, []).append(place)
    ready = [place for place in reversed(waiting) if not waiting[place]]
    found = []
    while ready:
        place = ready.pop()
        found.append(nodes[place])
        for name in nodes[place].outputs:
            for taker in reversed(takers.get(name, ())):
                waiting[taker].discard(name)
                if not waiting[taker]:
                    ready.append(taker)
    if len(found) < len(nodes):
        stuck = next(node for place, node in enumerate(nodes) if waiting[place])
        raise InvalidInput(f"the graph is cyclic: {stuck} takes what follows from its own result.")
    return found


def _without_softmax(nodes: list[OnnxNode], target: str) -> tuple[list[OnnxNode], str]:
    last = next(node for node in nodes if target in node.outputs)
    if last.operation not in ("Softmax", "LogSoftmax"):
        raise InvalidInput(f"the last operation is {last.operation}, no Softmax that could be cut off.")
    return [node for node in nodes if node is not last], last.inputs[0]


def _convert_node(node: OnnxNode, state: _State, opset: int, fixed_batch: int | None) -> None:
    """Compute a constant node, or write a line for another."""
    label = str(node)
    if node.operation == "Constant":
        value = _constant(node)
        state.values[node.outputs[0]] = value
        state.constants.add(node.outputs[0])
        return
    look_up_operation(node.operation, f" (node {node.name or node.outputs[0]!r})")
    attributes = _modern(node, opset, state)
    inputs = [None if not name else name for name in node.inputs]
    outputs = [name for name in node.outputs]
    while outputs and not outputs[-1]:
        outputs.pop()
    arguments = tuple(None if name is None else Name(name) for name in inputs)
    line = Line(tuple(outputs), node.operation, arguments, attributes)
    check_attributes(line, f" (node {node.name or node.outputs[0]!r})")
    constant = all(name is None or name in state.constants for name in inputs)
    if constant and OPERATIONS[node.operation].small and all(name is None or state.values[name].numel() <= SMALL for name in inputs):
        attempt(line, state.values, label)
        state.constants.update(outputs)
        return
    light = {name: _light(name, state, node, place) for place, name in enumerate(inputs) if name is not None}
    attempt(line, light, label)
    state.values.update({name: light[name] for name in outputs})
    for name in outputs:
        state.names[name] = f"v{len(state.names) + 1}"
    taken = tuple(None if name is None else _argument(name, state) for name in inputs)
    if fixed_batch:
        taken = _for_any_batch(node, taken, state, fixed_batch)
    state.lines.append(Line(tuple(state.names[name] for name in outputs), node.operation, taken, attributes))


def _light(name: str, state: _State, node: OnnxNode, place: int) -> Tensor:
    """A value for the first batch: without its numbers where these are not read."""
    value = state.values[name]
    return value.to("meta") if name in state.constants and place not in OPERATIONS[node.operation].reads and value.is_floating_point() and value.ndim else value


def _argument(name: str, state: _State) -> Argument:
    """A value as an argument of a line: a small constant as it is, another as a tensor of the checkpoint."""
    if name not in state.constants:
        return Name(state.names[name])
    value = state.values[name]
    if is_small(value) and value.numel() <= SMALL:
        return literal(value)
    state.tensors.setdefault(name, value if value.is_floating_point() else value.to(torch.int64))
    return Name(f"t.{name}")


def _constant(node: OnnxNode) -> Tensor:
    known = {key: value for key, value in node.attributes.items() if key in ("value", "value_float", "value_int", "value_floats", "value_ints")}
    if len(known) != 1 or len(node.attributes) != 1:
        raise UnsupportedOperation(f"{node}: expected one number, list or dense tensor.")
    (value,) = known.values()
    if isinstance(value, Tensor):
        return value
    whole = "int" in next(iter(known))
    return torch.tensor(value, dtype=torch.int64 if whole else torch.float32, device="cpu")


def _modern(node: OnnxNode, opset: int, state: _State) -> dict:
    """A node's attributes as the newest version has them, plain numbers and text."""
    attributes = dict(node.attributes)
    if node.operation in ("Softmax", "LogSoftmax") and opset < 13:
        attributes = {"axis": attributes.get("axis", 1), "flattened": 1}
    if node.operation == "ConstantOfShape" and isinstance(value := attributes.get("value"), Tensor):
        attributes["value"] = value.item() if value.numel() == 1 and value.is_floating_point() else int(value) if value.numel() == 1 else None
    if node.operation == "BatchNormalization" and len(node.outputs) > 1 and any(node.outputs[1:]):
        raise UnsupportedOperation(f"{node} is in training mode: export with model.eval().")
    if node.operation == "Dropout":
        attributes.pop("ratio", None)
    for key, value in attributes.items():
        if isinstance(value, Tensor) or value is None:
            raise UnsupportedOperation(f"{node}: the attribute {key!r} holds a tensor.")
        if isinstance(value, str) and not value.replace("_", "").isalpha():
            raise UnsupportedOperation(f"{node}: the attribute {key!r} is {value[:40]!r}, which is not known here.")
    return attributes


def _for_any_batch(node: OnnxNode, arguments: tuple[Argument, ...], state: _State, batch: int) -> tuple[Argument, ...]:
    """A reshape to the batch that a network was exported for becomes one to any batch, where its examples stay apart."""
    if node.operation != "Reshape" or not isinstance(arguments[1], Tensor):
        return arguments
    before, after = state.values[node.inputs[0]].shape, state.values[node.outputs[0]].shape
    if not before or not after or before[0] != batch or after[0] != batch:
        return arguments
    return arguments[0], torch.tensor([-1, *after[1:]], dtype=torch.int64, device="cpu")


def _reachable(lines: list[Line], target: str) -> list[Line]:
    """The lines that the last one needs, which is the one that makes the target."""
    needed, kept = {target}, []
    for line in reversed(lines):
        if needed & set(line.outputs):
            needed.update(line.names)
            kept.append(line)
    kept.reverse()
    if kept[-1].outputs[0] != target:
        kept.append(Line(("v999999",), "Identity", (Name(target),), {}))
    return kept


def _numbered(lines: list[Line], tensors: dict[str, Tensor], classes: int) -> Converted:
    """With tensors t0, t1, … and values v1, v2, … in the order of their use."""
    names: dict[str, str] = {IMAGE: IMAGE}
    kept: dict[str, Tensor] = {}
    texts = []
    for line in lines:
        for name in line.names:
            if name.startswith("t.") and name not in names:
                names[name] = f"t{len(kept)}"
                kept[names[name]] = tensors[name[2:]]
        for name in line.outputs:
            names[name] = f"v{sum(each.startswith('v') for each in names.values())}"
        arguments = tuple(Name(names[each.name]) if isinstance(each, Name) else each for each in line.arguments)
        texts.append(written(Line(tuple(names[name] for name in line.outputs), line.operation, arguments, line.attributes)))
    shapes = tuple(f"{'float' if value.is_floating_point() else 'int'} {'x'.join(map(str, value.shape))}".rstrip() for value in kept.values())
    return Converted(classes, tuple(texts), shapes, kept)


def _sizes(given: tuple[int | None, ...]) -> str:
    return " × ".join("any" if size is None else str(size) for size in given)
