"""Linear bounds propagated from an output back to the input (CROWN: Zhang et al., 2018): A·node + bias ≤ rows of a specification.

Only lower bounds are propagated: an upper bound of C·f is the negative of the lower bound of −C·f."""

from typing import Any

from jaxtyping import Float
from torch import Tensor

from . import rounding
from .graph import Graph, Node
from .interval import Ball
from .linear_pass import Pass, products
from .linear_rules import LINEAR_RULES
from .relaxations import KINKED, RELAXATIONS

Rows = Float[Tensor, "examples rows ..."]  # `examples` is 1 where all examples have the same
NONLINEAR = {*RELAXATIONS, "max_pool2d"}


def lower_bound(run: Pass, start: int, rows: Rows) -> Float[Tensor, "batch rows"]:
    """A lower bound of each row's inner product with the value of node `start`, over the input set."""
    pending: dict[int, Tensor] = {start: rows}
    bias: Any = 0.0
    for index in range(start, 0, -1):
        coefficients = pending.pop(index, None)
        node = run.graph.nodes[index]
        if coefficients is None:
            continue
        if run.outward:
            bias = bias - rounding.lost_backwards(node, coefficients, run.values)
        given, offset = LINEAR_RULES[node.name](run, node, coefficients)
        bias = bias if offset is None else bias + offset
        for place, value in given.items():
            pending[place] = pending[place] + value if place in pending else value
    return concretised(run, pending[0]) + bias if 0 in pending else bias.expand(run.batch, rows.shape[1])


def concretised(run: Pass, rows: Rows) -> Float[Tensor, "batch rows"]:
    """The smallest value of rows·x over the input set: ℓ1 is dual to the box's norm, ℓ2 to the ball's."""
    flat = rows.flatten(2)
    if isinstance(run.given, Ball):
        smallest = products(flat, run.given.center.flatten(1)) - flat.norm(dim=2) * run.given.radius[:, None]
    else:
        smallest = products(flat, run.given.center.flatten(1)) - products(flat.abs(), run.given.radius.flatten(1))
    return smallest - rounding.lost_at_input(flat, run.values[0]) if run.outward else smallest


def is_relaxed(graph: Graph, node: Node) -> bool:
    """Whether bounds of its inputs are needed."""
    product = node.name == "mul" and all(hasattr(part, "index") and graph.nodes[part.index].varies for part in node.args[:2])
    return node.varies and (node.name in NONLINEAR or product)


def is_kinked(node: Node) -> bool:
    return node.name in KINKED
