"""Linear bounds of maximum pools."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .arguments import named, pair
from .graph import Node
from .linear_pass import Pass, weighted


def max_pool_back(run: Pass, node: Node, rows: Tensor) -> tuple[dict[int, Tensor], Tensor]:
    """Below: the element with the largest lower end. Above: the same where no other can be larger, else the largest upper end."""
    x = run.values[node.inputs[0]]
    given = named(node, input=None, kernel_size=None, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False)
    sizes = {name: given[name] for name in ("kernel_size", "stride", "padding", "dilation", "ceil_mode")}
    sizes["stride"] = sizes["stride"] or sizes["kernel_size"]
    _, chosen = F.max_pool2d(x.lower.detach(), **sizes, return_indices=True)
    upper = F.max_pool2d(x.upper, **sizes)
    flat_chosen = chosen.flatten(2)
    others = _second_largest(x.upper.detach(), chosen, sizes)
    certain = (x.lower.flatten(2).gather(2, flat_chosen).view_as(chosen) >= others).to(rows)
    negative = rows.clamp(max=0)
    to_chosen = (rows - negative) + negative * certain.unsqueeze(1)
    target = rows.new_zeros(len(to_chosen), rows.shape[1], x.lower.shape[1], x.lower[0, 0].numel())
    index = chosen.flatten(2).unsqueeze(1).expand(-1, rows.shape[1], -1, -1)
    back = target.scatter_add(3, index, to_chosen.flatten(3)).unflatten(3, x.lower.shape[2:])
    return {node.inputs[0]: back}, weighted(negative, (upper * (1 - certain)).unsqueeze(1))


def _second_largest(upper: Tensor, chosen: Tensor, sizes: dict[str, Any]) -> Tensor:
    """The largest upper end of each window without the chosen element."""
    kernel, stride, padding, dilation = (pair(sizes[name]) for name in ("kernel_size", "stride", "padding", "dilation"))
    height, width = upper.shape[2:]
    numbers = torch.arange(height * width, dtype=torch.float64, device=upper.device).view(1, 1, height, width)
    span = [max(0, (out - 1) * s + d * (k - 1) + 1 - size - p) for out, s, d, k, size, p in zip(chosen.shape[2:], stride, dilation, kernel, (height, width), padding)]
    edges = (padding[1], span[1], padding[0], span[0])
    windows = F.unfold(F.pad(upper, edges, value=-torch.inf).flatten(0, 1).unsqueeze(1), kernel, dilation, 0, stride)
    places = F.unfold(F.pad(numbers, edges, value=-1.0), kernel, dilation, 0, stride)
    count = chosen[0, 0].numel()
    at = places[..., :count] == chosen.flatten(0, 1).flatten(1).unsqueeze(1)
    return windows[..., :count].masked_fill(at, -torch.inf).amax(1).view_as(chosen)
