"""Tensors from elsewhere as a model's own: by their names, or where these differ, by their shapes."""

from collections import Counter
from collections.abc import Mapping

from torch import Tensor

from explorer.errors import InvalidInput

PREFIXES = ("module.", "model.", "net.", "network.", "basic_net.", "_orig_mod.", "1.")  # of wrappers, the last of what follows a normalising layer
COUNTER = "num_batches_tracked"  # which nothing here reads


def adopted(expected: Mapping[str, Tensor], found: Mapping[str, Tensor], architecture: str) -> tuple[dict[str, Tensor], str | None]:
    """The tensors under the model's names, and a note where their own names were others. Raises InvalidInput with all differences."""
    found = without_prefixes(found)
    own = {name: value for name, value in found.items() if not name.endswith(COUNTER)}
    wanted = {name: value for name, value in expected.items() if not name.endswith(COUNTER)}
    counters = {name: value for name, value in expected.items() if name.endswith(COUNTER)}
    note = None
    if own.keys() != wanted.keys() and (matched := _by_shape(wanted, own)):
        own, note = matched, f"Its tensors have other names than those of {architecture!r}: they were told apart by their shapes, which are all different."
    missing, extra = [name for name in wanted if name not in own], [name for name in own if name not in wanted]
    problems = [f"missing {_few(missing)}"] if missing else []
    problems += [f"unexpected {_few(extra)}"] if extra else []
    problems += [f"{name} has shape {tuple(own[name].shape)}, expected {tuple(wanted[name].shape)}" for name in wanted if name in own and own[name].shape != wanted[name].shape]
    problems += [f"{name} holds {own[name].dtype}, expected floats" for name in wanted if name in own and not own[name].is_floating_point()]
    if problems:
        raise InvalidInput(f"the file does not hold a {architecture!r} of this configuration: {'; '.join(problems[:6])}. Rename its tensors, or give the configuration that it was trained with.")
    if broken := [name for name in wanted if not own[name].isfinite().all()]:
        raise InvalidInput(f"the file holds NaN or infinite numbers in {_few(broken)}: the training diverged.")
    if negative := [name for name in wanted if name.endswith("running_var") and (own[name] < 0).any()]:
        raise InvalidInput(f"the file holds negative variances in {_few(negative)}.")
    return {name: own[name].to(value.dtype) if name in own else counters[name].new_zeros(()) for name, value in expected.items()}, note


def without_prefixes(found: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Without the names of wrappers that all tensors begin with."""
    for prefix in PREFIXES:
        if found and all(name.startswith(prefix) for name in found):
            return without_prefixes({name.removeprefix(prefix): value for name, value in found.items()})
    return found


def _by_shape(wanted: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """The same tensors under the wanted names, where every shape occurs once on either side."""
    shapes, others = Counter(tuple(each.shape) for each in wanted.values()), Counter(tuple(each.shape) for each in own.values())
    if shapes != others or max(shapes.values(), default=2) > 1:
        return None
    names = {tuple(value.shape): name for name, value in wanted.items()}
    return {names[tuple(value.shape)]: value for value in own.values()}


def _few(names: list[str]) -> str:
    return ", ".join(name[:60] for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
