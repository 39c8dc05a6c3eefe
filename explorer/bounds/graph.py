"""A network as a list of operations."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Ref:
    """The value of an earlier node."""

    index: int


@dataclass(frozen=True)
class Node:
    """One operation: its plain name, the function with its arguments, in which earlier nodes are Refs, the shape of one example's
    value, and the path of the module that asked for it. `varies` with the input; other nodes are functions of the parameters."""

    index: int
    name: str
    function: Callable[..., Any]
    args: tuple
    kwargs: dict[str, Any]
    shape: tuple[int, ...]
    path: str
    varies: bool

    @property
    def inputs(self) -> list[int]:
        """The nodes it takes, each once."""
        return list(dict.fromkeys(ref.index for ref in refs((self.args, self.kwargs))))


@dataclass(frozen=True)
class Graph:
    """Nodes in the order of their computation; the first is the input, `output` the result."""

    nodes: tuple[Node, ...]
    output: int

    def evaluate(self, x: Tensor) -> Tensor:
        """The network's value at x."""
        values: list[Any] = []
        for node in self.nodes:
            values.append(x if node.index == 0 else evaluate_node(node, values, len(x)))
        return values[self.output]

    def consumers(self) -> dict[int, list[int]]:
        """For each node that varies, the nodes that take it."""
        found: dict[int, list[int]] = {node.index: [] for node in self.nodes if node.varies}
        for node in self.nodes:
            for index in node.inputs:
                if index in found:
                    found[index].append(node.index)
        return found


def evaluate_node(node: Node, values: Any, batch: int) -> Any:
    """A node's value from those of the nodes before it."""
    if node.name == "reshape" and node.varies:
        return values[node.inputs[0]].reshape(batch, *node.shape)
    return node.function(*substitute(node.args, values), **substitute(node.kwargs, values))


def substitute(value: Any, values: Any) -> Any:
    """The same nested lists, tuples and dictionaries with the values of Refs."""
    if isinstance(value, Ref):
        return values[value.index]
    if isinstance(value, tuple | list):
        return type(value)(substitute(each, values) for each in value)
    if isinstance(value, dict):
        return {name: substitute(each, values) for name, each in value.items()}
    return value


def refs(value: Any) -> list[Ref]:
    """All Refs in nested lists, tuples and dictionaries."""
    if isinstance(value, Ref):
        return [value]
    if isinstance(value, tuple | list):
        return [ref for each in value for ref in refs(each)]
    if isinstance(value, dict):
        return [ref for each in value.values() for ref in refs(each)]
    return []


def where(node: Node) -> str:
    return f"{node.name} in {node.path or 'the network itself'}"
