"""Weights of EDSR and of the compressive autoencoder as others publish them (AdA, Appendix E.6, takes DeepAugment's), known by their shapes.

Their files name tensors in several ways; the order, that of the computation, and the shapes are the same in all."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.errors import ConfigurationError, InvalidInput
from explorer.models import build_model
from explorer.models.corruption_networks.super_resolution import MEAN, RANGE

Shapes = list[tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class PublishedBackbone:
    """The model's name in MODELS, its configuration, and its tensors under its own names."""

    model: str
    config: dict
    tensors: dict[str, Tensor]


def recognised(tensors: Mapping[str, Tensor]) -> PublishedBackbone:
    """The network whose tensors these are, in their order. Raises InvalidInput for those of another, and for numbers that are not finite."""
    if wrong := [name for name, value in tensors.items() if not value.is_floating_point()]:
        raise InvalidInput(f"expected tensors of floats, got {tensors[wrong[0]].dtype} in {wrong[0][:60]}.")
    if wrong := [name for name, value in tensors.items() if not value.isfinite().all()]:
        raise InvalidInput(f"{', '.join(wrong)[:120]} hold NaN or infinite numbers: the training diverged.")
    values = _without_mean_shifts(list(tensors.values()))
    shapes = [tuple(value.shape) for value in values]
    for model, config in (("edsr", _edsr(shapes)), ("compressive_autoencoder", _autoencoder(shapes))):
        if config is not None and (names := _names(model, config, shapes)):
            return PublishedBackbone(model, config, {name: value.float() for name, value in zip(names, values, strict=True)})
    shown = ", ".join(str(shape) for shape in shapes[:4])
    raise InvalidInput(
        f"{len(shapes)} tensors of shapes {shown}, … are of neither architecture known here: EDSR without batch norm, that enlarges by 2 or 4, begins with (features, 3, 3, 3) and "
        "ends with (3, features, 3, 3); the compressive autoencoder of DeepAugment begins with (64, 3, 5, 5), (64,), (128, 64, 5, 5). Train one: python -m explorer.train backbone-edsr-cifar10."
    )


def _edsr(shapes: Shapes) -> dict | None:
    """What the shapes say of an EDSR, if they are of one."""
    kernels = shapes[::2]
    if len(kernels) < 4 or len(kernels[0]) != 4 or kernels[0][2:] != (3, 3):
        return None
    features, channels = kernels[0][:2]
    inside, doublings = kernels.count((features, features, 3, 3)), kernels.count((4 * features, features, 3, 3))
    if doublings not in (1, 2) or inside % 2 == 0:
        return None
    return {"channels": channels, "features": features, "blocks": (inside - 1) // 2, "scale": 2**doublings}


def _autoencoder(shapes: Shapes) -> dict | None:
    """What the shapes say of a compressive autoencoder, if they are of one."""
    kernels = shapes[::2]
    blocks, odd = divmod(len(kernels) - 9, 4)
    if len(kernels) < 9 or odd or any(len(shape) != 4 for shape in kernels):
        return None
    (first, channels), second = kernels[0][:2], kernels[1][0]
    bits, before = kernels[2 + 2 * blocks][0], kernels[3 + 2 * blocks][0]
    wide, narrow = kernels[-3][1], kernels[-2][0]
    return {"channels": channels, "widths": [first, second], "bits": bits, "decoder": [before, wide, narrow], "blocks": blocks}


def _names(model: str, config: dict, shapes: Shapes) -> list[str] | None:
    """The names of the model's own tensors where they have these shapes, one after the other."""
    try:
        with torch.device("meta"):
            expected = build_model(model, config).state_dict()
    except ConfigurationError:
        return None
    return list(expected) if [tuple(each.shape) for each in expected.values()] == shapes else None


def _without_mean_shifts(values: list[Tensor]) -> list[Tensor]:
    """Published EDSR subtracts and adds DIV2K's mean by 1 × 1 convolutions, which are no weights. Raises InvalidInput for another mean."""
    kept, position = [], 0
    while position < len(values):
        weight, bias = (values[position : position + 2] + [None])[:2]
        if bias is not None and weight.shape == (3, 3, 1, 1) and bias.shape == (3,):
            if not (torch.allclose(weight[..., 0, 0].float(), torch.eye(3), atol=1e-3) and torch.allclose(bias.abs().float(), RANGE * torch.tensor(MEAN), atol=0.05)):
                raise InvalidInput(f"the file shifts images by {(bias / RANGE).tolist()} of their range, expected DIV2K's mean {MEAN}: it is of another EDSR.")
            position += 2
        else:
            kept.append(weight)
            position += 1
    return kept
