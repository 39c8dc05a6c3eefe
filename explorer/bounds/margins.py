"""Specifications: bounds of C·f(x), with C merged into a last linear layer; margins, and the fused cross-entropy."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from explorer.errors import InvalidInput

from . import rounding
from .arguments import named
from .graph import Graph, substitute
from .interval import Ball, Interval
from .interval_propagation import check_rules, propagate
from .interval_rules import INTERVAL_RULES
from .linear_pass import Pass
from .linear_relaxation import lower_bound
from .linear_rules import LINEAR_RULES
from .recording import recorded
from .relaxations import Slopes


def margin_rows(labels: Int[Tensor, "batch"], classes: int) -> Float[Tensor, "batch rows classes"]:
    """For each example the K − 1 rows f_label − f_other, in the order of the other classes."""
    identity = torch.eye(classes, device=labels.device)
    rows = identity[labels].unsqueeze(1) - identity
    others = torch.arange(classes, device=labels.device) != labels.unsqueeze(1)
    return rows[others].view(len(labels), classes - 1, classes)


def check_specification(specification: Tensor | None, graph: Graph, given: Interval | Ball) -> None:
    """Raise InvalidInput unless it is batch × rows × classes of this network."""
    if specification is None:
        return
    shape, batch = graph.nodes[graph.output].shape, len(given.point)
    if len(shape) != 1:
        raise InvalidInput(f"a specification is of networks with one row of outputs for each example, this one gives {shape}. Flatten its output.")
    if specification.ndim != 3 or specification.shape[0] != batch or specification.shape[2] != shape[0] or not specification.shape[1]:
        raise InvalidInput(f"specification must have the shape batch × rows × classes = {batch} × rows × {shape[0]}, got {tuple(specification.shape)}.")
    if not specification.isfinite().all():
        raise InvalidInput("the specification holds NaN or infinity.")


def apply_rows(graph: Graph, values: list, specification: Tensor | None, outward: bool = False) -> Interval:
    """Interval bounds of the output, or of C·output: merged with a last linear layer, they are the exact range of that layer."""
    output, node = values[graph.output], graph.nodes[graph.output]
    if specification is None:
        return output
    if node.name != "linear" or not isinstance(values[node.inputs[0]], Interval):
        return _affine(specification, None, output, outward)
    given = named(node, input=None, weight=None, bias=None)
    weight, bias = (substitute(given[name], values) for name in ("weight", "bias"))
    return _affine(specification @ weight, None if bias is None else specification @ bias, values[given["input"].index], outward)


def _affine(rows: Float[Tensor, "batch rows n"], bias: Tensor | None, x: Interval, outward: bool) -> Interval:
    middle = torch.bmm(rows, x.center.unsqueeze(2)).squeeze(2)
    middle = middle if bias is None else middle + bias
    radius = torch.bmm(rows.abs(), x.radius.unsqueeze(2)).squeeze(2)
    if outward:
        radius = radius + 2 * rounding.lost_at_input(rows, x) + rounding.PASSES * rounding.UNIT * middle.abs()
    return Interval(middle - radius, middle + radius)


def cross_entropy_bound(
    network: nn.Module | Graph, given: Interval | Ball, labels: Int[Tensor, "batch"], method: str = "crown-ibp", slopes: Slopes = "adaptive"
) -> Float[Tensor, "batch"]:
    """An upper bound of the cross-entropy over a set of inputs, in nats, with one row propagated back instead of K − 1 (loss fusion:
    Xu et al., 2020; Budgets, §3.4).

    exp of every margin f_j − f_y lies below its chord on the margin's interval, so their sum lies below one linear function of the
    logits. `ibp` takes the largest margins of interval propagation; `crown-ibp` is the smaller of both. Raises as `bounds`."""
    if method not in ("ibp", "crown-ibp"):
        raise InvalidInput(f"method = {method!r}: the fused cross-entropy has ibp and crown-ibp")
    found = _propagated(network, given, labels)
    return found.by_intervals if method == "ibp" else torch.minimum(_fused(found, slopes), found.by_intervals)


def mixed_cross_entropy(network: nn.Module | Graph, given: Interval | Ball, labels: Int[Tensor, "batch"], share: float) -> Float[Tensor, "batch"]:
    """share·(CROWN-IBP) + (1 − share)·(IBP) bound of the cross-entropy: the mixture that CROWN-IBP training takes from 1 to 0 while the
    radius grows (Zhang et al., 2020, §3.3). Intervals are propagated once for both; with a share of 0 nothing else is."""
    if not 0 <= share <= 1:
        raise InvalidInput(f"share = {share}: expected 0 to 1")
    found = _propagated(network, given, labels)
    if share == 0:
        return found.by_intervals
    fused = torch.minimum(_fused(found), found.by_intervals)
    return fused if share == 1 else share * fused + (1 - share) * found.by_intervals


@dataclass(frozen=True, eq=False)
class _Propagated:
    """What interval propagation knows: the margins f_j − f_y of all classes, and the cross-entropy at the largest of them."""

    graph: Graph
    values: list
    given: Interval | Ball
    differences: Float[Tensor, "batch rows classes"]
    margins: Interval
    by_intervals: Float[Tensor, "batch"]


def _propagated(network: nn.Module | Graph, given: Interval | Ball, labels: Int[Tensor, "batch"]) -> _Propagated:
    given.check()
    graph = recorded(network, given.point)
    check_rules(graph, INTERVAL_RULES, "INTERVAL_RULES")
    classes = graph.nodes[graph.output].shape
    if len(classes) != 1 or labels.shape != (len(given.point),) or not ((labels >= 0) & (labels < classes[0])).all():
        raise InvalidInput(f"expected one label below {classes[0]} for each of {len(given.point)} examples.")
    identity = torch.eye(classes[0], dtype=given.point.dtype, device=given.point.device)
    differences = identity - F.one_hot(labels, classes[0]).to(identity).unsqueeze(1)  # f_j − f_y, 0 for the label itself
    values = propagate(graph, given.box if isinstance(given, Ball) else given)
    margins = apply_rows(graph, values, differences)
    return _Propagated(graph, values, given, differences, margins, torch.logsumexp(margins.upper, 1))


def _fused(found: _Propagated, slopes: Slopes = "adaptive") -> Float[Tensor, "batch"]:
    """The bound by one linear function of the logits, propagated back to the input."""
    check_rules(found.graph, LINEAR_RULES, "LINEAR_RULES")
    margins = found.margins
    largest = margins.upper.detach().amax(1, keepdim=True)  # so that nothing overflows
    low, high = torch.exp(margins.lower - largest), torch.exp(margins.upper - largest)
    width = margins.upper - margins.lower
    wide = width > 1e-6
    slope = torch.where(wide, (high - low) / torch.where(wide, width, 1.0), high)
    offset = (torch.where(wide, low - slope * margins.lower, high - slope * margins.lower)).sum(1)
    row = -(slope.unsqueeze(1) @ found.differences)
    total = offset - lower_bound(Pass(found.graph, found.values, found.given, slopes), found.graph.output, row).squeeze(1)
    return torch.log(total.clamp(min=torch.finfo(total.dtype).tiny)) + largest.squeeze(1)
