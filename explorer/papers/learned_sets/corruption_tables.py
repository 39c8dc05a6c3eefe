"""Tables 5 to 8 of Perturbation sets: the networks of common corruptions, the three ways to pair them, and the norms of their encodings."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from explorer.models import build_model
from explorer.papers.base import Filled, Row
from explorer.papers.results import Results

from .quality import HEADINGS, QualityTable

LABELS = {
    "cifar10c-centred": "Centered at original",
    "cifar10c-original": "Original + perturbed",
    "cifar10c-perturbed": "Perturbed only",
    "scenes-corruptions": "Rendered scenes, centred",
    "scenes-corruptions-original": "Rendered scenes, original + perturbed",
    "scenes-corruptions-perturbed": "Rendered scenes, perturbed only",
}
QUALITY = {  # Table 7, in squared error: radius, encoder AE, PGD AE, expected AE, over AE, reconstruction, KL
    "cifar10c-centred": (28, 0.005, 0.006, 0.029, 0.17, 5.73e-4, 69.31),
    "cifar10c-original": (34, 0.019, 0.010, 0.035, 0.20, 8.33e-4, 160.60),
    "cifar10c-perturbed": (28, 0.019, 0.007, 0.038, 0.17, 8.53e-4, 182.85),
}
NORMS = {  # Table 8: β, mean, deviation, quartiles and the largest
    "cifar10c-centred": (0.01, 6.53, 5.22, 2.69, 3.85, 10.16, 26.61),
    "cifar10c-original": (0.01, 11.50, 4.52, 7.81, 10.95, 14.48, 31.30),
    "cifar10c-perturbed": (0.01, 11.04, 3.81, 7.93, 10.82, 13.46, 29.57),
}
NORM_HEADINGS = ("β", "mean", "deviation", "25 %", "50 %", "75 %", "largest")
PARAMETERS = 34_332_992  # of the published configuration
Best = Callable[[str, str, Results], tuple[QualityTable, Path] | None]
Differences = Callable[[QualityTable, str], tuple[str, ...]]


def table5(results: Results) -> Filled:
    """The layers of prior and recognition network ("encoder"), counted from the module that is trained."""
    return _layers(("prior", "recognition"))


def table6(results: Results) -> Filled:
    """The layers of the generator ("decoder")."""
    return _layers(("generator",))


def table7(best: Best, differences: Differences, results: Results) -> Filled:
    """Quality for three ways to pair; below them those of rendered scenes that were measured."""
    rows = []
    for name, label in LABELS.items():
        command = f"python -m explorer.train {name} && python -m explorer.evaluate runs/{name}/{name}.safetensors --distance squared_error"
        row = Row(label, QUALITY.get(name, (None,) * (1 + len(HEADINGS))), command=command, own=name not in QUALITY)
        if found := best(name, "squared_error", results):
            table, path = found
            source = f"{path.name}: {table.pairs:,} of {table.available:,} pairs of {table.dataset[:40]}'s test split, seed {table.settings.get('seed')}, {table.device[:60]}"
            row = replace(
                row, measured=(table.radius, *table.means), standard_errors=(None, *table.standard_errors), differences=differences(table, name),
                variant=table.checkpoint if table.checkpoint != name else "", source=source,
            )  # fmt: skip
        rows.append(row)
    return Filled(("ε", *HEADINGS), tuple(row for row in rows if row.measured is not None or not row.own), "Errors: mean squared error per pixel.")


def table8(closest: Callable[[str, Results], Path | None], differences: Callable[[dict, str], tuple[str, ...]], results: Results) -> Filled:
    """β and the norms of all validation pairs, which a checkpoint's header holds; means and deviations only where its training recorded them."""
    rows = []
    for name, label in LABELS.items():
        row = Row(label, NORMS.get(name, (None,) * len(NORM_HEADINGS)), command=f"python -m explorer.train {name}", missing="no checkpoint of it is here yet", own=name not in NORMS)
        if path := closest(name, results):
            header = next(header for each, header in results.checkpoints if each == path)
            radii, metrics = header.percentile_radii, header.metrics
            measured = (header.training["beta"][-1][1], metrics.get("norm_mean"), metrics.get("norm_deviation"), *(radii.get(key) for key in ("25", "50", "75", "100")))
            row = replace(row, measured=measured, differences=differences(header.training, name), source=path.name)
        rows.append(row)
    return Filled(NORM_HEADINGS, tuple(row for row in rows if row.measured is not None or not row.own))


def _layers(parts: tuple[str, ...]) -> Filled:
    with torch.device("meta"):
        model = build_model("residual_cvae", {})
    rows = [Row(f"{part}: {label}", (None,), (_count(layer),), own=True) for part in parts for label, layer in _named(getattr(model, part))]
    return Filled(("parameters",), (*rows, Row("all three networks", (PARAMETERS,), (_count(model),))))


def _named(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """The parts of a network, those of its trunk one by one."""
    inner = [pair for name, module in network.named_children() for pair in (_prefixed(module) if name == "trunk" else [(name, module)])]
    return [(name.replace("_", "-"), module) for name, module in inner if _count(module)]


def _prefixed(trunk: nn.Module) -> list[tuple[str, nn.Module]]:
    return [(f"trunk {name}", module) for name, module in trunk.named_children()]


def _count(module: nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())
