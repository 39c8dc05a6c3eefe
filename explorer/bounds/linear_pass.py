"""What a linear propagation back from an output carries with it."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from .graph import Graph, Node
from .interval import Ball, Interval
from .relaxations import Lines, Slopes, lines


@dataclass
class Pass:
    """What a propagation back needs: the graph with the intervals of its nodes, the input set, how slopes are chosen. The lines of a
    node are made once and kept."""

    graph: Graph
    values: list[Any]
    given: Interval | Ball
    slopes: Slopes = "adaptive"
    alpha: dict[int, Tensor] = field(default_factory=dict)  # (examples, rows, *shape) for each node whose lower slopes are free
    outward: bool = False
    kept: dict[int, Lines] = field(default_factory=dict)

    @property
    def batch(self) -> int:
        return len(self.values[0].lower)

    def lines(self, node: Node) -> Lines:
        if node.index not in self.kept:
            x = self.values[node.inputs[0]]
            if node.index in self.alpha:
                x = Interval(x.lower.unsqueeze(1), x.upper.unsqueeze(1))
            self.kept[node.index] = lines(node, x, self.slopes, self.alpha.get(node.index), self.values)
        return self.kept[node.index]


def weighted(rows: Tensor, weights: Tensor) -> Tensor:
    """Inner products of rows with one weight for each example, or one for each example and row."""
    if weights.shape[1] == 1:
        return products(rows.flatten(2), weights.flatten(2).squeeze(1))
    return (rows * weights).flatten(2).sum(2)


def products(rows: Tensor, points: Tensor) -> Tensor:
    """(examples|1, rows, n) and (batch|1, n) -> (batch, rows)."""
    if len(rows) == 1:
        return points @ rows[0].T
    if len(points) == 1:
        return rows @ points[0]
    if rows.shape[1] == 1:
        return torch.linalg.vecdot(rows, points.unsqueeze(1))
    return torch.bmm(rows, points.unsqueeze(2)).squeeze(2)
