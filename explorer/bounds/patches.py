"""Linear propagation back from a convolution, where each output sees only a patch of the image: coefficients are kept for the patches
instead of for whole images (as auto_LiRPA's patches mode; Xu et al., 2020)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .arguments import affine_of_batch_norm, convolution
from .graph import Graph, Node
from .interval import Ball, Interval
from .relaxations import RELAXATIONS, Lines, lines

LARGEST_PATCH = 0.8  # of the image, in each direction; larger ones gain nothing
DENSE_COST = 8  # how many more products a matrix may take than a convolution, and still be faster


@dataclass(frozen=True)
class Window:
    """Where each output's patch lies: kernel, stride and padding in pixels of the node at hand, and how many patches there are."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    count: tuple[int, int]

    def through(self, kernel: tuple[int, ...], stride: tuple[int, int], padding: tuple[int, int]) -> "Window":
        """The same patches seen one convolution earlier."""
        return Window(
            tuple((k - 1) * s + k2 for k, s, k2 in zip(self.kernel, stride, kernel)),
            tuple(a * b for a, b in zip(self.stride, stride)),
            tuple(p * s + p2 for p, s, p2 in zip(self.padding, stride, padding)),
            self.count,
        )

    def cut(self, image: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, patches, 1, channels·kernel); 0 outside the image."""
        edges = []
        for size, k, s, p, n in zip(reversed(image.shape[2:]), *map(reversed, (self.kernel, self.stride, self.padding, self.count))):
            edges += [p, (n - 1) * s + k - size - p]
        return F.unfold(F.pad(image, edges), self.kernel, stride=self.stride).transpose(1, 2).unsqueeze(2)


def convolution_bounds(graph: Graph, given: Interval | Ball, values: list, source: int, numbers: Tensor, settings) -> tuple[Tensor, Tensor] | None:
    """Lower and upper bounds of the elements `numbers` of a convolution's output, or None where patches do not apply."""
    chain = _chain(graph, values, source)
    if chain is None:
        return None
    node, batch = graph.nodes[source], len(values[source].lower)
    channels, height, width = node.shape
    wanted = torch.unique(numbers // (height * width))
    kept: dict[int, Lines] = {}
    largest = max(graph.nodes[each.inputs[0]].shape[0] * window.kernel[0] * window.kernel[1] for each, window in chain)
    row = 2 * 4 * batch * height * width * largest * given.center.element_size()
    parts = [_bounds(graph, given, values, chain, torch.cat([some, some]), settings, kept) for some in wanted.split(max(1, settings.memory_limit // row))]
    lower, upper = (torch.cat([part[side] for part in parts], 2) for side in (0, 1))  # (batch, positions, channels)
    place = torch.searchsorted(wanted, numbers // (height * width))
    position = numbers % (height * width)
    return lower[:, position, place], upper[:, position, place]


def _chain(graph: Graph, values: list, source: int) -> list[tuple[Node, Window]] | None:
    """The nodes from a convolution back to the input, each convolution with the window of its input, if all can be seen as patches."""
    found, window, node = [], None, graph.nodes[source]
    while node.index:
        before = [index for index in node.inputs if graph.nodes[index].varies]
        if len(before) != 1 or len(node.shape) != 3:
            return None
        shape = graph.nodes[before[0]].shape
        if node.name == "conv2d":
            _, weight, _, options = convolution(node, values)
            if options["groups"] != 1 or options["dilation"] != (1, 1):
                return None
            first = Window((1, 1), (1, 1), (0, 0), node.shape[1:]) if window is None else window
            window = first.through(weight.shape[2:], options["stride"], options["padding"])
            if any(k > LARGEST_PATCH * size for k, size in zip(window.kernel, shape[1:])):
                return None
        elif node.name not in ("batch_norm", "same", *RELAXATIONS) or window is None:
            return None
        found.append((node, window))
        node = graph.nodes[before[0]]
    return found if window is not None else None


def _bounds(graph, given, values, chain, channels, settings, kept) -> tuple[Tensor, Tensor]:
    """Bounds of the chosen channels at all positions: (batch, positions, channels) each. The second half of the rows is negative."""
    (first, window), *others = chain
    _, weight, bias, _ = convolution(first, values)
    signs = torch.ones(len(channels), 1, device=weight.device, dtype=weight.dtype)
    signs[len(channels) // 2 :] = -1
    rows = (weight[channels].flatten(1) * signs)[None, None]  # (examples | 1, positions | 1, rows, patch)
    offset = 0.0 if bias is None else (bias[channels] * signs[:, 0])[None, None]
    masked = False
    for node, next_window in others:
        image = values[node.index].lower
        if node.name == "same":
            continue
        if node.name in RELAXATIONS:
            rows, added = _through_lines(node, rows, window, values, settings, kept)
            offset, masked = offset + added, True
            continue
        if not masked:
            rows, masked = rows * window.cut(torch.ones_like(image[:1])), True
        if node.name == "batch_norm":
            _, scale, shift = affine_of_batch_norm(node, values)
            spread = [each.expand(node.shape).reshape(1, *node.shape) for each in (scale, shift)]
            offset = offset + rows.mul(window.cut(spread[1])).sum(3)
            rows = rows * window.cut(spread[0])
        else:
            _, weight, bias, options = convolution(node, values)
            if bias is not None:
                offset = offset + rows.unflatten(3, (node.shape[0], -1)).sum(4) @ bias
            rows = _through_convolution(rows, weight, options["stride"], window)
            window, masked = next_window, False
    lower = _concretised(given, rows, window) + offset
    half = lower.shape[2] // 2
    return lower[..., :half], -lower[..., half:]


def _through_lines(node: Node, rows: Tensor, window: Window, values: list, settings, kept: dict[int, Lines]) -> tuple[Tensor, Tensor]:
    if node.index not in kept:
        kept[node.index] = lines(node, values[node.inputs[0]], settings.slopes, None, values)
    found = kept[node.index]
    below, above, below_offset, above_offset = (None if each is None else window.cut(each) for each in vars(found).values())
    negative = rows.clamp(max=0)
    back = rows * below
    step = above - below
    back = torch.addcmul(back, negative, step) if torch.is_grad_enabled() else back.addcmul_(negative, step)
    offset = 0.0
    if above_offset is not None:
        offset = _inner(negative, above_offset)
    if below_offset is not None:
        offset = offset + _inner(rows - negative, below_offset)
    return back, offset


def _through_convolution(rows: Tensor, weight: Tensor, stride: tuple[int, int], window: Window) -> Tensor:
    """Patches of the output become larger patches of the input."""
    leading, outputs, kernel = rows.shape[:3], weight.shape[0], weight.shape[2:]
    after = [(k - 1) * s + k2 for k, s, k2 in zip(window.kernel, stride, kernel)]
    if after[0] * after[1] <= DENSE_COST * kernel[0] * kernel[1]:
        identity = torch.eye(rows.shape[3], dtype=rows.dtype, device=rows.device).view(-1, outputs, *window.kernel)
        return rows @ F.conv_transpose2d(identity, weight, stride=stride).flatten(1)
    folded = rows.reshape(-1, outputs, *window.kernel)
    return F.conv_transpose2d(folded, weight, stride=stride).view(*leading, -1)


def _concretised(given: Interval | Ball, rows: Tensor, window: Window) -> Tensor:
    center = _inner(rows, window.cut(given.center))
    if isinstance(given, Ball):
        inside = window.cut(torch.ones_like(given.center[:1]))
        return center - (rows * inside).norm(dim=3) * given.radius[:, None, None]
    return center - _inner(rows.abs(), window.cut(given.radius))


def _inner(rows: Tensor, weights: Tensor) -> Tensor:
    """(examples | 1, positions | 1, rows, patch) and (batch, positions, 1, patch) -> (batch, positions, rows)."""
    if rows.shape[:2] == (1, 1):
        return weights.squeeze(2) @ rows[0, 0].T
    return torch.matmul(rows, weights.transpose(2, 3)).squeeze(3)
