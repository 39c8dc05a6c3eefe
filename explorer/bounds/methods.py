"""`bounds`: the range of a network over a set of inputs, by four methods with one signature."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.errors import InvalidInput
from explorer.registry import look_up

from . import rounding
from .graph import Graph
from .interval import Ball, Interval
from .interval_propagation import check_rules, propagate, propagate_from
from .interval_rules import INTERVAL_RULES
from .linear_pass import Pass
from .linear_relaxation import is_kinked, is_relaxed, lower_bound
from .linear_rules import LINEAR_RULES
from .margins import apply_rows, check_specification
from .patches import convolution_bounds
from .recording import recorded
from .relaxations import Slopes

ROUNDINGS = ("nearest", "outward")
SLOPES = ("adaptive", "zero", "one", "same")
ENDS = ("both", "lower")
MEMORY_LIMIT = 192 << 20  # bytes for the rows of one chunk, or what one row needs
COPIES = 5  # of a chunk's largest tensor that exist at once
MONOTONE = {"relu", "sigmoid", "tanh", "exp", "softplus", "clamp", "reshape", "same"}  # their range follows exactly from their argument's
ALPHA_STEPS, ALPHA_RATE = 20, 0.2


@dataclass(frozen=True)
class Settings:
    """How a method is carried out."""

    slopes: Slopes = "adaptive"
    outward: bool = False
    memory_limit: int = MEMORY_LIMIT
    ends: str = "both"
    alpha_steps: int = ALPHA_STEPS


@dataclass(frozen=True)
class Layer:
    """An operation of a network with the interval of its value: its path, its name, one example's shape."""

    path: str
    name: str
    interval: Interval


def bounds(
    network: nn.Module | Graph,
    given: Interval | Ball,
    method: str = "ibp",
    specification: Float[Tensor, "batch rows classes"] | None = None,
    *,
    slopes: str = "adaptive",
    rounding: str = "nearest",
    memory_limit: int | None = None,
    ends: str = "both",
) -> Interval:
    """Intervals that hold network(x) for every x of the given box or ball, or with a specification C those of C·network(x).

    `method`: ibp (interval propagation), crown-ibp (one linear propagation back on top of it), crown (linear propagation for every
    layer), alpha-crown (and lower slopes optimised). Each is intersected with ibp's. `slopes` are those below unstable ReLUs: adaptive,
    zero, one, or same as above. With `rounding="outward"` the intervals hold the exact value whatever the rounding. `memory_limit` is in
    bytes. With `ends="lower"` only the lower ends of C·network(x) are bounded by linear propagation, at half the cost, and the upper ones
    are ibp's. `network` may also be what `trace` has recorded, for several sets of the same shape. Differentiable in the parameters and in
    the set, also in the radii. Results of an example do not depend on the others of its batch. Raises InvalidInput, UnknownName, or UnsupportedOperation."""
    graph, given, settings, dtype = _prepared(network, given, method, slopes, rounding, memory_limit, ends)
    check_specification(specification, graph, given)
    if ends != "both" and specification is None:
        raise InvalidInput(f"ends = {ends!r} is for a specification. Give one, or leave ends out.")
    with torch.autocast(given.point.device.type, enabled=False):
        specification = None if specification is None else specification.to(given.point)
        interval = METHODS[method](graph, given, specification, settings)
    return _finished(interval, dtype, settings)


def layer_bounds(network: nn.Module | Graph, given: Interval | Ball, method: str = "ibp", *, slopes: str = "adaptive", memory_limit: int | None = None) -> list[Layer]:
    """The intervals of all operations from the input to the output, in their order. Errors as `bounds`."""
    graph, given, settings, _ = _prepared(network, given, method, slopes, "nearest", memory_limit, "both")
    values = _intermediate(graph, given, settings) if method in ("crown", "alpha-crown") else propagate(graph, _box(given))
    output = METHODS[method](graph, given, None, settings)
    values[graph.output] = Interval(output.lower.view(-1, *graph.nodes[graph.output].shape), output.upper.view(-1, *graph.nodes[graph.output].shape))
    return [Layer(node.path, node.name, values[node.index]) for node in graph.nodes if node.varies]


def _prepared(network, given, method, slopes, rounding_, memory_limit, ends) -> tuple[Graph, Interval | Ball, Settings, torch.dtype]:
    if not isinstance(given, Interval | Ball):
        raise InvalidInput(f"expected an Interval or a Ball of inputs, got {type(given).__name__}. Interval.around(x, radius) makes one.")
    look_up(METHODS, method, "method of bounds")
    if slopes not in SLOPES:
        raise InvalidInput(f"slopes = {slopes!r}: expected one of {', '.join(SLOPES)}")
    if rounding_ not in ROUNDINGS:
        raise InvalidInput(f"rounding = {rounding_!r}: expected one of {', '.join(ROUNDINGS)}")
    if ends not in ENDS:
        raise InvalidInput(f"ends = {ends!r}: expected one of {', '.join(ENDS)}")
    given.check()
    dtype = given.point.dtype
    graph = recorded(network, given.point)
    check_rules(graph, INTERVAL_RULES, "INTERVAL_RULES")
    if method != "ibp":
        check_rules(graph, LINEAR_RULES, "LINEAR_RULES")
    settings = Settings(slopes, rounding_ == "outward", MEMORY_LIMIT if memory_limit is None else memory_limit, ends)
    if method != "ibp" and memory_limit is not None:
        _check_memory(graph, len(given.point), settings)
    return graph, _doubled(given) if settings.outward else given, settings, dtype


def _ibp(graph: Graph, given: Interval | Ball, specification: Tensor | None, settings: Settings) -> Interval:
    return apply_rows(graph, propagate(graph, _box(given), settings.outward, keep=settings.outward), specification, settings.outward)


def _crown_ibp(graph: Graph, given: Interval | Ball, specification: Tensor | None, settings: Settings) -> Interval:
    return _linear(graph, given, propagate(graph, _box(given), settings.outward), specification, settings)


def _crown(graph: Graph, given: Interval | Ball, specification: Tensor | None, settings: Settings) -> Interval:
    return _linear(graph, given, _intermediate(graph, given, settings), specification, settings)


def _alpha_crown(graph: Graph, given: Interval | Ball, specification: Tensor | None, settings: Settings) -> Interval:
    return _linear(graph, given, _intermediate(graph, given, settings), specification, settings, optimised=True)


METHODS: dict[str, Callable[[Graph, Interval | Ball, Tensor | None, Settings], Interval]] = {
    "ibp": _ibp,
    "crown-ibp": _crown_ibp,
    "crown": _crown,
    "alpha-crown": _alpha_crown,
}


def _linear(graph, given, values, specification, settings, optimised=False) -> Interval:
    """One propagation back from the output, or from the last operation before a monotone end, met with interval bounds."""
    if specification is not None:
        found = _of_rows(graph, given, values, graph.output, specification, settings, optimised, both=settings.ends == "both")
        return found & apply_rows(graph, values, specification, settings.outward)
    start = graph.output
    while graph.nodes[start].name in MONOTONE and start:
        start = graph.nodes[start].inputs[0]
    if start and not (isinstance(given, Interval) and _is_exact(graph, start)):
        found = _rows_of(graph, given, values, start, None, settings, optimised)
        values = propagate_from(graph, values, start, found & values[start], settings.outward)
    return values[graph.output]


def _intermediate(graph: Graph, given: Interval | Ball, settings: Settings) -> list[Any]:
    """Intervals of all nodes, those before a nonlinearity by linear propagation where it can make a difference."""
    values = propagate(graph, _box(given), settings.outward)
    consumers, done = graph.consumers(), set()
    for node in graph.nodes:
        if not is_relaxed(graph, node):
            continue
        for source in (index for index in node.inputs if graph.nodes[index].varies):
            if source in done or (isinstance(given, Interval) and _is_exact(graph, source)):
                continue
            done.add(source)
            kinked = all(is_kinked(graph.nodes[each]) for each in consumers[source])
            needed = _unstable(values[source]) if kinked else torch.ones_like(values[source].lower, dtype=torch.bool)
            if not needed.any():
                continue
            tight = _rows_of(graph, given, values, source, needed.any(0), settings) & values[source]
            old = values[source]
            new = Interval(torch.where(needed, tight.lower, old.lower), torch.where(needed, tight.upper, old.upper))
            values = propagate_from(graph, values, source, new, settings.outward)
    return values


def _rows_of(graph, given, values, source, wanted, settings, optimised=False) -> Interval:
    """The interval of a node by linear propagation, element by element; where it is not wanted, the one that it has."""
    node, old = graph.nodes[source], values[source]
    numbers = torch.arange(math.prod(node.shape), device=old.lower.device)
    numbers = numbers if wanted is None else numbers[wanted.flatten()]
    if not optimised and not settings.outward and (found := convolution_bounds(graph, given, values, source, numbers, settings)) is not None:
        lower, upper = found
    else:
        parts = []
        for chunk in numbers.split(_rows_at_once(graph, len(old.lower), settings, optimised)):
            rows = torch.zeros(1, len(chunk), math.prod(node.shape), dtype=old.lower.dtype, device=old.lower.device)
            rows[0, torch.arange(len(chunk)), chunk] = 1
            parts.append(_of_rows(graph, given, values, source, rows.view(1, len(chunk), *node.shape), settings, optimised))
        lower, upper = torch.cat([part.lower for part in parts], 1), torch.cat([part.upper for part in parts], 1)
    return Interval(*(side.flatten(1).index_copy(1, numbers, new).view_as(side) for side, new in ((old.lower, lower), (old.upper, upper))))


def _of_rows(graph, given, values, source, rows, settings, optimised=False, both=True) -> Interval:
    """Bounds of rows·value: those above are minus those below of the negative rows, or infinite where they are not asked for."""
    count, rows = rows.shape[1], torch.cat([rows, -rows], 1) if both else rows
    if optimised:
        lower = _optimised(graph, given, values, source, rows, settings)
    else:
        chunks = -(-rows.shape[1] // (2 * _rows_at_once(graph, len(values[0].lower), settings)))
        run = Pass(graph, values, given, settings.slopes, outward=settings.outward)
        lower = torch.cat([lower_bound(run, source, part) for part in rows.tensor_split(chunks, 1)], 1)
    return Interval(lower[:, :count], -lower[:, count:] if both else torch.full_like(lower, math.inf))


def _optimised(graph, given, values, source, rows, settings) -> Tensor:
    """The best lower bound over the lower slopes of unstable ReLUs, by projected gradient ascent from the adaptive ones; every row of
    every example has slopes of its own, so that none depends on another."""
    start = Pass(graph, values, given, settings.slopes, outward=settings.outward)
    best = lower_bound(start, source, rows)
    on_the_way = _ancestors(graph, source)
    free = [node for node in graph.nodes if node.index in on_the_way and is_kinked(node) and _unstable(values[node.inputs[0]]).any()]
    if not free:
        return best
    fixed = [value.detach() if isinstance(value, Tensor) else Interval(value.lower.detach(), value.upper.detach()) for value in values]
    held = Interval(given.lower.detach(), given.upper.detach()) if isinstance(given, Interval) else Ball(given.center.detach(), given.radius.detach())
    count, alpha = len(values[0].lower), {}
    for node in free:
        x = fixed[node.inputs[0]]
        initial = (x.upper > -x.lower).to(x.lower).unsqueeze(1).expand(count, rows.shape[1], *node.shape)
        alpha[node.index] = initial.contiguous().clone().requires_grad_()
    kept = {index: value.detach().clone() for index, value in alpha.items()}
    reached, moments = best.detach().clone(), {index: (torch.zeros_like(value), torch.zeros_like(value)) for index, value in alpha.items()}
    for step in range(1, settings.alpha_steps + 1):
        with torch.enable_grad():
            found = lower_bound(Pass(graph, fixed, held, settings.slopes, alpha), source, rows.detach())
            gradients = torch.autograd.grad(found.sum(), list(alpha.values()))
        better = found.detach() > reached
        reached = torch.where(better, found.detach(), reached)
        for (index, value), gradient in zip(alpha.items(), gradients):
            kept[index] = torch.where(better.view(*better.shape, *[1] * (value.ndim - 2)), value.detach(), kept[index])
            _ascend(value, gradient, moments[index], step)
    again = lower_bound(Pass(graph, values, given, settings.slopes, kept, settings.outward), source, rows)
    return torch.maximum(best, again)


@torch.no_grad()
def _ascend(alpha: Tensor, gradient: Tensor, moments: tuple[Tensor, Tensor], step: int) -> None:
    """A step of Adam (Kingma & Ba, 2015) upwards, back into [0, 1]. torch's own takes seconds to import what this does not need."""
    first, second = moments
    first.lerp_(gradient, 0.1)
    second.lerp_(gradient.square(), 0.001)
    size = ALPHA_RATE * 0.9 ** (step - 1) * math.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    alpha.add_((first / (second.sqrt() + 1e-8)).mul_(size)).clamp_(0, 1)


def _ancestors(graph: Graph, index: int) -> set[int]:
    found, open_ = set(), [index]
    while open_:
        each = open_.pop()
        if each not in found and graph.nodes[each].varies:
            found.add(each)
            open_ += graph.nodes[each].inputs
    return found


def _is_exact(graph: Graph, index: int) -> bool:
    """Whether interval propagation already gives the exact range of a node over a box: one affine map of it, element by element else."""
    maps, node = 0, graph.nodes[index]
    while node.index:
        before = [each for each in node.inputs if graph.nodes[each].varies]
        if is_relaxed(graph, node) or len(before) != 1:
            return False
        elementwise = node.name in ("reshape", "same", "neg", "batch_norm", "div", "add", "sub", "rsub", "mul") and graph.nodes[before[0]].shape[:1] == node.shape[:1]
        maps += 0 if node.name in ("reshape", "same") or elementwise else 1
        node = graph.nodes[before[0]]
    return maps <= 1


def _unstable(x: Interval) -> Tensor:
    return (x.lower < 0) & (x.upper > 0)


def _largest_node(graph: Graph) -> int:
    return max(math.prod(node.shape) for node in graph.nodes if node.varies)


def _rows_at_once(graph: Graph, batch: int, settings: Settings, optimised: bool = False) -> int:
    """How many elements can be bounded on both sides within the memory limit."""
    row = 2 * COPIES * batch * _largest_node(graph) * (8 if settings.outward else 4) * (8 if optimised else 1)
    return max(1, settings.memory_limit // row)


def _check_memory(graph: Graph, batch: int, settings: Settings) -> None:
    row = 2 * COPIES * batch * _largest_node(graph) * (8 if settings.outward else 4)
    if settings.memory_limit < row:
        raise InvalidInput(
            f"memory_limit = {settings.memory_limit:,} bytes is too small for one row of {batch} examples: expected at least {row:,}. "
            "Give a larger limit, or fewer examples at once."
        )


def _box(given: Interval | Ball) -> Interval:
    return given.box if isinstance(given, Ball) else given


def _doubled(given: Interval | Ball) -> Interval | Ball:
    if isinstance(given, Ball):
        return Ball(given.center.double(), given.radius.double())
    return Interval(given.lower.double(), given.upper.double())


def _finished(interval: Interval, dtype: torch.dtype, settings: Settings) -> Interval:
    return rounding.rounded_outwards(interval, dtype) if settings.outward else interval
