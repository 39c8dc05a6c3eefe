"""ONNX operators that move numbers without changing them, and those that compute shapes."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.errors import UnsupportedOperation

LARGEST, LARGEST_KNOWN = 1 << 26, 1 << 16  # numbers in a value of one batch, and in one that is computed from shapes: a bomb has more
PADDING = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
FAR = 1 << 62  # an end "as far as it goes"


def numbers(value: Tensor | Sequence[int] | None) -> list[int]:
    """The integers of a value that steers an operation. Raises UnsupportedOperation where it depends on what the image shows."""
    if isinstance(value, Tensor):
        if value.device.type == "meta" or value.is_floating_point():
            raise UnsupportedOperation("an argument that steers it is computed from the image's content: only those computed from shapes are known.")
        return value.flatten().tolist()
    return list(value or ())


def check_size(shape: Sequence[int], largest: int = LARGEST) -> None:
    if any(size < 0 for size in shape) or math.prod(shape) > largest:
        raise UnsupportedOperation(f"it makes a tensor of shape {str(list(shape))[:80]}: at most {largest:,} numbers are allowed.")


def reshape(x: Tensor, shape: Tensor | None = None, *, allowzero: int = 0, **old: Sequence[int]) -> Tensor:
    sizes = numbers(shape if shape is not None else old.pop("shape"))
    if old:
        raise TypeError(f"unexpected {', '.join(old)}")
    if not allowzero:
        sizes = [x.shape[place] if size == 0 else size for place, size in enumerate(sizes)]
    return x.reshape(sizes)


def flatten(x: Tensor, *, axis: int = 1) -> Tensor:
    axis = axis + x.ndim if axis < 0 else axis
    return x.flatten(1) if axis == 1 and x.ndim > 1 else x.reshape(math.prod(x.shape[:axis]), -1)


def squeeze(x: Tensor, given: Tensor | None = None, *, axes: Sequence[int] | None = None) -> Tensor:
    chosen = numbers(given if given is not None else axes)
    return x.squeeze(tuple(chosen)) if chosen else x.squeeze()


def unsqueeze(x: Tensor, given: Tensor | None = None, *, axes: Sequence[int] | None = None) -> Tensor:
    chosen = numbers(given if given is not None else axes)
    for axis in sorted(axis % (x.ndim + len(chosen)) for axis in chosen):
        x = x.unsqueeze(axis)
    return x


def transpose(x: Tensor, *, perm: Sequence[int] | None = None) -> Tensor:
    return x.permute(*(perm or reversed(range(x.ndim))))


def concatenate(*values: Tensor, axis: int) -> Tensor:
    """A single row beside others is repeated for every example, where a network was exported for one image."""
    device = next((value.device for value in values if value.device.type != "cpu"), values[0].device)
    values = tuple(value.to(device) for value in values)
    rows = max(len(value) for value in values) if values[0].ndim else 1
    if rows > 1 and axis % values[0].ndim:
        values = tuple(value.expand(rows, *value.shape[1:]) if len(value) == 1 else value for value in values)
    return torch.cat(values, axis)


def split(x: Tensor, given: Tensor | None = None, *, axis: int = 0, num_outputs: int = 0, **old: Sequence[int]) -> tuple[Tensor, ...]:
    sizes = numbers(given if given is not None else old.pop("split", None))
    if old or not sizes and not 0 < num_outputs <= x.shape[axis]:
        raise TypeError(f"unexpected {', '.join(old) or 'number of parts'}")
    return torch.split(x, sizes or -(-x.shape[axis] // num_outputs), axis)


def cut(x: Tensor, *given: Tensor | None, starts: Sequence[int] = (), ends: Sequence[int] = (), axes: Sequence[int] = ()) -> Tensor:
    """Slice."""
    first, last, over, steps = ([numbers(each) for each in given] + [[], [], []])[:4] if given else (list(starts), list(ends), list(axes), [])
    over, steps = over or list(range(len(first))), steps or [1] * len(first)
    if not len(first) == len(last) == len(over) == len(steps):
        raise TypeError("starts, ends, axes and steps differ in their number")
    places = [slice(None)] * x.ndim
    for start, end, axis, step in zip(first, last, over, steps):
        if step < 0:
            x, places = _reversed(x, places, start, end, axis, step)
        else:
            places[axis] = slice(max(start, -FAR), min(end, FAR), step)
    return x[tuple(places)]


def _reversed(x: Tensor, places: list[slice], start: int, end: int, axis: int, step: int) -> tuple[Tensor, list[slice]]:
    """A slice from the end on: its places as a list."""
    chosen = list(range(x.shape[axis]))[max(start, -FAR) : (None if end < -x.shape[axis] else end) : step]
    if not chosen:
        raise UnsupportedOperation("Slice leaves nothing.")
    return x.index_select(axis, torch.tensor(chosen, device=x.device)), places


def gather(x: Tensor, index: Tensor, *, axis: int = 0) -> Tensor:
    axis = axis % x.ndim
    if index.device.type == "cpu" and index.numel() and not -x.shape[axis] <= int(index.min()) <= int(index.max()) < x.shape[axis]:
        raise IndexError(f"a place outside the {x.shape[axis]} that there are")
    if index.ndim == 0 and index.device.type == "cpu":
        return x.select(axis, int(index))
    flat = index.flatten().to(x.device)
    found = x.index_select(axis, torch.where(flat < 0, flat + x.shape[axis], flat).clamp(0, x.shape[axis] - 1))  # a GPU ends the process otherwise
    return found.reshape(*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])


def expand(x: Tensor | float, shape: Tensor) -> Tensor:
    x = x if isinstance(x, Tensor) else torch.tensor(x, device="cpu")
    wanted = torch.broadcast_shapes(x.shape, numbers(shape))
    check_size(wanted)
    return x.expand(wanted)


def pad(x: Tensor, given: Tensor | None = None, fill: Tensor | float | None = None, over: Tensor | None = None, *, mode: str = "constant", pads: Sequence[int] = (), value: float = 0.0) -> Tensor:
    """All firsts, then all lasts, as ONNX has them; below 0 it crops."""
    wanted = numbers(given if given is not None else pads)
    axes = [axis % x.ndim for axis in numbers(over)] or list(range(x.ndim))
    if mode not in PADDING or len(wanted) != 2 * len(axes):
        raise UnsupportedOperation(f"Pad with the mode {mode!r} and {len(wanted)} numbers for {len(axes)} axes.")
    ends = {axis: (wanted[place], wanted[place + len(axes)]) for place, axis in enumerate(axes)}
    amounts = [each for axis in reversed(range(x.ndim)) for each in ends.get(axis, (0, 0))]
    while amounts and amounts[-2:] == [0, 0]:
        amounts = amounts[:-2]
    fill = value if fill is None else float(fill)
    return F.pad(x, amounts, PADDING[mode], fill) if mode == "constant" else F.pad(x, amounts, PADDING[mode])


def shape_of(x: Tensor, *, start: int = 0, end: int | None = None) -> Tensor:
    return torch.tensor(list(x.shape)[start:end], dtype=torch.int64, device="cpu")


def constant_of_shape(shape: Tensor, *, value: int | float = 0.0) -> Tensor:
    sizes = numbers(shape)
    check_size(sizes, LARGEST_KNOWN)
    return torch.full(sizes, value, dtype=torch.float32 if isinstance(value, float) else torch.int64, device="cpu")


def count_from(start: Tensor | float, limit: Tensor | float, step: Tensor | float) -> Tensor:
    """Range."""
    ends = [each.item() if isinstance(each, Tensor) and each.device.type == "cpu" else each for each in (start, limit, step)]
    if any(isinstance(each, Tensor) for each in ends) or not ends[2]:
        raise UnsupportedOperation("Range with ends that are computed from the image's content, or a step of 0.")
    check_size([max(0, math.ceil((ends[1] - ends[0]) / ends[2]))], LARGEST_KNOWN)
    whole = all(isinstance(each, int) for each in ends)
    return torch.arange(*ends, dtype=torch.int64 if whole else torch.float32, device="cpu")
