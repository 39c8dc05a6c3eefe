"""Classifiers of CIFAR-10 as others publish them: known by the names and shapes of their tensors.

Wide ResNets as of Zagoruyko & Komodakis' code in PyTorch, which TRADES, AugMix, RobustBench and the code of *Perturbation sets* share; pre-activation
ResNets as those of robust overfitting (Rice et al., 2020), with a last batch norm; ResNets of He et al.'s §4.2 with shortcuts that have no
parameters. Mean and standard deviation of a normalising layer before them are taken over."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from explorer.errors import InvalidInput

from .adopting import COUNTER, without_prefixes

Tensors = Mapping[str, Tensor]
MEAN = re.compile(r"(?:.*\.)?(?:mu|mean)")
STD = re.compile(r"(?:.*\.)?(?:std|sigma)")
UNUSED = "sub_block1."  # in TRADES' files, of no effect


@dataclass(frozen=True)
class PublishedClassifier:
    """An architecture and its configuration; the tensors under that architecture's names; what images are normalised with, none where the file
    does not say."""

    architecture: str
    configuration: dict
    tensors: dict[str, Tensor]
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Layout:
    """How one kind of network names its tensors: stem, stages of numbered blocks, batch norm before the last layer (none where there is none),
    last layer, and the parts of a block, as theirs and ours. `needs` tells it from others."""

    architecture: str
    stage: str  # {} is a stage's number from 1 on
    stem: tuple[tuple[str, str], ...]
    last_norm: str | None
    last: str
    parts: tuple[tuple[str, str], ...]
    needs: tuple[str, ...]
    lacks: tuple[str, ...] = ()
    configuration: Callable[[Tensors], dict] = lambda found: {}


PRE_BLOCK = (("bn1", "norms.0"), ("bn2", "norms.1"), ("bn3", "norms.2"), ("conv1", "convolutions.0"), ("conv2", "convolutions.1"), ("conv3", "convolutions.2"), ("convShortcut", "shortcut"), ("shortcut.0", "shortcut"))
POST_BLOCK = (("bn1", "norm1"), ("bn2", "norm2"), ("conv1", "conv1"), ("conv2", "conv2"))
STEM = (("conv1", "features.0"),)
LAYOUTS = (
    Layout("wide_resnet", "block{}.layer", STEM, "bn1", "fc", PRE_BLOCK, ("block1.layer.0.conv1.weight", "bn1.weight", "fc.weight"), configuration=lambda found: {"stem": found["conv1.weight"].shape[0]}),
    Layout(
        "preact_resnet", "layer{}", STEM, "bn", "linear", PRE_BLOCK, ("layer1.0.conv1.weight", "bn.weight", "linear.weight"), ("bn1.weight",),
        lambda found: {"stem": found["conv1.weight"].shape[0], "bottleneck": "layer1.0.conv3.weight" in found},
    ),
    Layout("resnet32", "layer{}", (*STEM, ("bn1", "features.1")), None, "linear", POST_BLOCK, ("layer1.0.conv1.weight", "bn1.weight", "linear.weight"), ("layer2.0.shortcut.0.weight", "layer1.0.conv3.weight")),
)  # fmt: skip


def published_classifier(tensors: Tensors) -> PublishedClassifier | None:
    """The network that the tensors are of; none where they are of no known one. Raises InvalidInput where they are of a known one but not whole."""
    mean, std, own = _normalisation(tensors)
    own = without_prefixes({name: value for name, value in own.items() if not name.startswith(UNUSED) and f".{UNUSED}" not in name})
    for layout in LAYOUTS:
        if all(name in own for name in layout.needs) and not any(name in own for name in layout.lacks):
            return PublishedClassifier(layout.architecture, *_ours(layout, own), mean, std)
    return None


def _ours(layout: Layout, found: Tensors) -> tuple[dict, dict[str, Tensor]]:
    depths, widths, names = [], [], dict(layout.stem)
    after = len(layout.stem) + (layout.last_norm is None)  # of the features: a ReLU stands after a batch norm in the stem
    while f"{layout.stage.format(len(depths) + 1)}.0.conv1.weight" in found:
        stage, depth = layout.stage.format(len(depths) + 1), 0
        while f"{stage}.{depth}.conv1.weight" in found:
            names |= {f"{stage}.{depth}.{theirs}": f"features.{after}.{ours}" for theirs, ours in layout.parts}
            depth, after = depth + 1, after + 1
        depths.append(depth)
        widths.append(found[f"{stage}.0.conv1.weight"].shape[0])
    names |= {layout.last: "head.2"} | ({layout.last_norm: f"features.{after}"} if layout.last_norm else {})
    renamed, foreign = {}, []
    for name, value in found.items():
        part, _, kind = name.rpartition(".")
        if kind == COUNTER:
            continue
        if part in names:
            renamed[f"{names[part]}.{kind}"] = value
        else:
            foreign.append(name)
    if foreign:
        raise InvalidInput(f"it begins like a {layout.architecture!r} and holds {', '.join(foreign[:3])} too, which that has not: it is another network. Export it as ONNX.")
    return {"widths": widths, "depths": depths, **layout.configuration(found)}, renamed


def _normalisation(tensors: Tensors) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None, dict[str, Tensor]]:
    """Mean and standard deviation of a layer before the network, where there is one, and the other tensors."""
    found = {pattern: [name for name, value in tensors.items() if pattern.fullmatch(name) and value.numel() in (1, 3)] for pattern in (MEAN, STD)}
    own = {name: value for name, value in tensors.items() if not any(name in names for names in found.values())}
    mean, std = (_numbers(tensors[names[0]]) if len(names) == 1 else None for names in found.values())
    return (mean, std, own) if mean and std and len(mean) == len(std) else (None, None, own)


def _numbers(values: Float[Tensor, "..."]) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values.flatten())
