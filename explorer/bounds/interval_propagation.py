"""Interval bound propagation: a box for every operation from the boxes before it (Gowal et al., 2018; proVAE, §3.1.1)."""

from typing import Any

import torch
from torch import Tensor

from explorer.errors import InvalidInput, UnsupportedOperation

from . import rounding
from .arguments import BATCH_NORM, named
from .graph import Graph, Node, evaluate_node, where
from .interval import Interval
from .interval_rules import INTERVAL_RULES, Value

FRESH = ("linear", "conv2d", "conv_transpose2d", "batch_norm")  # share no memory with anything
VIEWS = ("reshape", "same", "getitem", "narrow", "select", "chunk", "split", "transpose", "permute")  # may share their input's memory


def propagate(graph: Graph, box: Interval, outward: bool = False, keep: bool = True) -> list[Value]:
    """The interval of every node that varies, the value of every other. With `outward` each interval is widened by what the rounding of
    its own operation may have cost. Without `keep` intervals are given up after their last use, for all but the output and what it is
    made of."""
    values: list[Value] = []
    last = {} if keep else _last_uses(graph)
    overwrite = not keep and not torch.is_grad_enabled()
    for node in graph.nodes:
        if node.index and overwrite and node.name == "relu" and last[node.index] == node.inputs and graph.nodes[node.inputs[0]].name in FRESH:
            x = values[node.inputs[0]]
            values.append(Interval(x.lower.relu_(), x.upper.relu_()))
        else:
            values.append(box if node.index == 0 else _value(node, values, box, outward))
        for index in last.get(node.index, ()):
            values[index] = None
    return values


def propagate_from(graph: Graph, values: list[Value], index: int, interval: Interval, outward: bool = False) -> list[Value]:
    """The same intervals with another one for one node, and what follows from it; no interval becomes wider."""
    known = list(values)
    known[index] = interval
    changed = {index}
    for node in graph.nodes[index + 1 :]:
        if node.varies and changed & set(node.inputs):
            known[node.index] = _value(node, known, known[0], outward) & values[node.index]
            changed.add(node.index)
    return known


def _value(node: Node, values: list[Value], box: Interval, outward: bool) -> Value:
    if not node.varies:
        return _in_type(evaluate_node(node, values, 0), box)
    interval = INTERVAL_RULES[node.name](node, values, len(box.lower))
    return rounding.widened(node, interval, values) if outward else interval


def _last_uses(graph: Graph) -> dict[int, list[int]]:
    """For each node the ones that vary and that nothing after it needs. A node that only hands its input on keeps it in use."""
    last: dict[int, int] = {}
    for node in graph.nodes:
        last.update(dict.fromkeys(node.inputs, node.index))
    for node in reversed(graph.nodes):
        if node.name in VIEWS and node.index in last:
            last.update({index: max(last[index], last[node.index]) for index in node.inputs})
    needed = {graph.output, *graph.nodes[graph.output].inputs, 0}
    found: dict[int, list[int]] = {node.index: [] for node in graph.nodes}
    for index, by in last.items():
        if graph.nodes[index].varies and index not in needed and not needed & _handed_on(graph, index):
            found[by].append(index)
    return found


def _handed_on(graph: Graph, index: int) -> set[int]:
    """The nodes that may share this one's memory."""
    return {node.index for node in graph.nodes if node.name in VIEWS and index in node.inputs}


def _in_type(value: Any, box: Interval) -> Any:
    return value.to(box.lower.dtype) if isinstance(value, Tensor) and value.is_floating_point() else value


def check_rules(graph: Graph, rules: dict[str, Any], table: str) -> None:
    """Raise UnsupportedOperation naming every operation without a rule, before anything is computed."""
    missing = [node for node in graph.nodes if node.varies and node.index and node.name not in rules]
    if missing:
        named_ones = "; ".join(dict.fromkeys(where(node) for node in missing))
        raise UnsupportedOperation(f"no bound is known for {named_ones}. A rule for it would be a line in {table} (explorer/bounds).")
    for node in graph.nodes:
        if node.name == "batch_norm" and node.varies and named(node, **BATCH_NORM)["training"]:
            raise InvalidInput(f"{where(node)} is in training mode, where the examples of a batch depend on each other. Call network.eval() first.")
