"""Recording a network while it runs on a small example.

Real tensors pass through the network, so that annotated shapes can be checked and Python code runs as it is; what is recorded is what
torch is asked to do. Parameters stay references: bounds follow them, and their gradients, after a training step."""

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from explorer.errors import InvalidInput, UnsupportedOperation

from .graph import Graph, Node, Ref

FAILURES = (RuntimeError, ValueError, TypeError, IndexError)  # of a forward pass
EXAMPLES = 2  # in the batch that is recorded
SAME = ("contiguous", "clone", "to", "float", "double", "requires_grad", "dropout", "dropout2d", "feature_dropout", "identity")
RESHAPES = ("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "view_as", "reshape_as")
NAMES = {
    **dict.fromkeys(SAME, "same"), **dict.fromkeys(RESHAPES, "reshape"),
    "iadd": "add", "radd": "add", "isub": "sub", "subtract": "sub", "imul": "mul", "rmul": "mul", "multiply": "mul", "itruediv": "div",
    "truediv": "div", "true_divide": "div", "divide": "div", "rdiv": "rtruediv", "negative": "neg", "clip": "clamp", "hardtanh": "clamp",
    "clamp_min": "clamp", "clamp_max": "clamp", "relu6": "clamp", "concat": "cat", "concatenate": "cat", "absolute": "abs",
    "swapaxes": "transpose", "swapdims": "transpose",
}  # fmt: skip
QUESTIONS = {
    "size", "dim", "numel", "nelement", "stride", "is_contiguous", "is_floating_point", "is_complex", "get_device", "__len__", "__get__", "__hash__",
    "element_size", "storage_offset", "type", "is_nonzero_element", "ndimension", "is_signed", "_is_view", "__repr__", "__format__",
}  # fmt: skip


def trace(network: nn.Module, x: Tensor) -> Graph:
    """Record the network at an input of this shape and type. Raises UnsupportedOperation for what cannot be recorded, InvalidInput for a
    network that does not take such inputs."""
    try:
        return _record(network, x[:EXAMPLES])
    except InvalidInput:
        raise
    except FAILURES as error:
        if len(x) <= EXAMPLES:
            raise _unusable(network, x, error) from error
    try:
        return _record(network, x)  # some constants may belong to the whole batch
    except InvalidInput:
        raise
    except FAILURES as error:
        raise _unusable(network, x, error) from error


def recorded(network: nn.Module | Graph, x: Tensor) -> Graph:
    """The network's graph. Raises InvalidInput for a graph of inputs of another shape, else as `trace`."""
    if not isinstance(network, Graph):
        return trace(network, x)
    if network.nodes[0].shape != tuple(x.shape[1:]):
        raise InvalidInput(f"the network was recorded for inputs of shape {network.nodes[0].shape}, got {tuple(x.shape[1:])}. Record it again.")
    return network


def _record(network: nn.Module, x: Tensor) -> Graph:
    x = x.detach().clone()
    recorder = _Recorder(network, x)
    shadow = _shadow(network, "", recorder.path, {})
    with torch.no_grad(), recorder:
        result = shadow(x)
    if not isinstance(result, Tensor) or result.ndim < 2 or len(result) != len(x):
        raise InvalidInput(f"{type(network).__name__} must return one tensor with a row for each example, got {_shown(result)}. Wrap the part to be bounded.")
    if id(result) not in recorder.known or not recorder.nodes[recorder.known[id(result)]].varies:
        raise UnsupportedOperation(f"the output of {type(network).__name__} does not follow from its input by recorded operations.")
    graph = Graph(tuple(recorder.nodes), recorder.known[id(result)])
    _check_once(graph, network, x)
    return graph


_checked: weakref.WeakKeyDictionary[nn.Module, set[int]] = weakref.WeakKeyDictionary()


def _check_once(graph: Graph, network: nn.Module, x: Tensor) -> None:
    """For each network and each list of operations once: what torch does not see is missing from the same list again."""
    seen = _checked.setdefault(network, set())
    mark = hash(tuple((node.name, node.path, node.shape, tuple(node.inputs)) for node in graph.nodes))
    if mark not in seen:
        _check(graph, network, x)
        seen.add(mark)


def _check(graph: Graph, network: nn.Module, x: Tensor) -> None:
    """What was recorded is the network, at another input too: an operation that torch does not see would else pass for a constant."""
    other = (x + 0.37 * (1 + x.abs())).flip(0) * 0.61
    with torch.no_grad():
        expected, found = network(other.clone()), graph.evaluate(other.clone())
    scale = 1 + expected.abs().amax() if expected.numel() else 1
    if not torch.allclose(expected / scale, found / scale, atol=1e-3, rtol=1e-3, equal_nan=True):
        raise UnsupportedOperation(
            f"{type(network).__name__} computes something that cannot be recorded: its value at another input differs from that of its operations. "
            "Random numbers, decisions by the input's values and custom functions have no bounds."
        )


class _Recorder(TorchFunctionMode):
    def __init__(self, network: nn.Module, x: Tensor):
        super().__init__()
        self.batch, self.network, self.path = len(x), network, []
        self.nodes: list[Node] = []
        self.known: dict[int, int] = {}
        self.alive: list[Tensor] = []  # so that no number of an object is used twice
        self._add("input", _given, (), {}, x, True)
        for tensor in (*network.parameters(), *network.buffers()):
            self._add("state", _Constant(tensor), (), {}, tensor, False)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        plain = getattr(function, "__name__", str(function))
        result = function(*args, **kwargs)
        if plain in QUESTIONS and not isinstance(result, Tensor):
            return result
        taken = [tensor for tensor in _tensors((args, kwargs)) if id(tensor) in self.known]
        if not taken:
            return result
        varies = any(self.nodes[self.known[id(tensor)]].varies for tensor in taken)
        outputs = result if isinstance(result, tuple | list) else (result,)
        if not all(isinstance(each, Tensor) for each in outputs):
            if varies:
                raise UnsupportedOperation(f"{plain} in {self._where()} reads the value of a tensor: what a network decides by its input's values cannot be bounded.")
            return result
        name = _plain_name(plain)
        if name == "same" and plain.startswith(("dropout", "feature_dropout")) and _trains(args, kwargs):
            raise InvalidInput(f"dropout in {self._where()} is in training mode. Call network.eval() first.")
        for place, each in enumerate(outputs):
            if varies and (each.ndim == 0 or len(each) != self.batch):
                raise UnsupportedOperation(f"{plain} in {self._where()} mixes the examples of a batch, from {_shapes(taken)} to {tuple(each.shape)}: it has no bounds.")
            self._keep_constants((args, kwargs))
            call = function if not isinstance(result, tuple | list) else _Part(function, place)
            self._add(name, call, self._referred(args), self._referred(kwargs), each, varies)
        return result

    def _add(self, name, function, args, kwargs, result, varies) -> None:
        path = self.path[-1] if self.path else ""
        shape = tuple(result.shape[1:]) if varies else tuple(result.shape)
        self.nodes.append(Node(len(self.nodes), name, function, args, kwargs, shape, path, varies))
        self.known[id(result)] = len(self.nodes) - 1
        self.alive.append(result)

    def _keep_constants(self, value) -> None:
        """Tensors from elsewhere become nodes of their own."""
        for tensor in _tensors(value):
            if id(tensor) not in self.known:
                self._add("state", _Constant(tensor), (), {}, tensor, False)

    def _referred(self, value):
        if isinstance(value, Tensor):
            return Ref(self.known[id(value)])
        if isinstance(value, torch.Size):
            return tuple(value)
        if isinstance(value, tuple | list):
            return type(value)(self._referred(each) for each in value)
        if isinstance(value, dict):
            return {name: self._referred(each) for name, each in value.items()}
        return value

    def _where(self) -> str:
        return (self.path[-1] if self.path else "") or type(self.network).__name__


def _shadow(module: nn.Module, path: str, open_paths: list[str], made: dict[int, nn.Module]) -> nn.Module:
    """The same module, sharing all its tensors, that says when it is being computed. The given one is not touched: other threads may
    be using it."""
    if id(module) in made:
        return made[id(module)]
    shadow = object.__new__(type(module))
    made[id(module)] = shadow
    shadow.__dict__.update(module.__dict__)
    children = {name: child if child is None else _shadow(child, f"{path}.{name}".lstrip("."), open_paths, made) for name, child in module._modules.items()}
    forward = module.__dict__.get("forward") or type(module).forward.__get__(shadow)

    def told(*args, **kwargs):
        open_paths.append(path)
        try:
            return forward(*args, **kwargs)
        finally:
            open_paths.pop()

    shadow.__dict__.update(_modules=children, forward=told)
    return shadow


@dataclass(frozen=True, eq=False)
class _Constant:
    tensor: Tensor

    def __call__(self) -> Tensor:
        return self.tensor


@dataclass(frozen=True)
class _Part:
    """One of the tensors that a function returns."""

    function: Callable[..., Any]
    place: int

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)[self.place]


def _given() -> Tensor:
    raise RuntimeError("the input is given, not computed")


def _plain_name(name: str) -> str:
    name = name.removeprefix("__").removesuffix("__") if name.startswith("__") else name.rstrip("_")
    return NAMES.get(name, name)


def _trains(args, kwargs) -> bool:
    return kwargs.get("training", args[2] if len(args) > 2 else False) is True


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, tuple | list):
        return [tensor for each in value for tensor in _tensors(each)]
    if isinstance(value, dict):
        return [tensor for each in value.values() for tensor in _tensors(each)]
    return []


def _shapes(tensors: list[Tensor]) -> str:
    return ", ".join(str(tuple(tensor.shape)) for tensor in tensors)


def _shown(value: Any) -> str:
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__


def _unusable(network: nn.Module, x: Tensor, error: Exception) -> InvalidInput:
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return InvalidInput(f"{type(network).__name__} does not take inputs of shape {tuple(x.shape)} and type {x.dtype}: {reason}")
