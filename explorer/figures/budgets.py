"""Budgets of pixels as figures: how much each may change, where the small ones lie, and how large the boxes are (Budgets, Figures 2 to 6)."""

import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import torch
from jaxtyping import Float
from plotly.subplots import make_subplots
from torch import Tensor

from explorer.errors import InvalidInput

from .runs import COLOURS
from .theory import QUIET, framed

SCALE = "Viridis"  # dark: a pixel that must stay
GREY = [[0.0, "#000"], [1.0, "#fff"]]
TICKS = 5
PANEL = 130  # pixels of height for each row of classes


def budget_heatmap(budgets: Float[Tensor, "channels height width"], volume: float, limits: tuple[float, float], title: str = "", *, normalised: bool = False) -> go.Figure:
    """ε of each pixel, of several channels their geometric mean, with ε and ε/ε0 beside the colours and on hover; `limits` are the
    smallest and the largest budget of the colours. They run over log ε, or with `normalised` in grey over ε from 0 to the largest, as
    the paper draws them. Raises InvalidInput for budgets or limits that are not above 0."""
    _check(budgets, limits, volume)
    figure = go.Figure(_map(budgets, volume, normalised))
    figure.update_layout(coloraxis=_colours(limits, volume, normalised))
    return _square(framed(figure, title, 420))


def class_heatmaps(means: Float[Tensor, "classes channels height width"], names: Sequence[str], volume: float, limits: tuple[float, float], title: str = "") -> go.Figure:
    """The mean budgets of each class on one scale; a class without images, whose mean is NaN, is left out."""
    kept = [(name, mean) for name, mean in zip(names, means) if mean.isfinite().all()]
    if not kept:
        raise InvalidInput("there is no class with budgets. Give the budgets of at least one image.")
    columns = min(5, len(kept))
    rows = math.ceil(len(kept) / columns)
    figure = make_subplots(rows, columns, subplot_titles=[name for name, _ in kept], horizontal_spacing=0.02, vertical_spacing=min(0.14, 0.4 / rows))
    for number, (_, mean) in enumerate(kept):
        _check(mean, limits, volume)
        figure.add_trace(_map(mean, volume, False), row=1 + number // columns, col=1 + number % columns)
    figure.update_layout(coloraxis=_colours(limits, volume, False))
    return _square(framed(figure, title, 140 + PANEL * rows)).update_layout(margin_t=80)


def region_bars(models: Mapping[str, Mapping[str, tuple[float, float]]], volume: float, title: str = "Mean budget by region") -> go.Figure:
    """For each model the mean budget of each region with its standard error; ε0 is dashed."""
    figure = go.Figure()
    for number, (label, regions) in enumerate(models.items()):
        means, errors = zip(*regions.values()) if regions else ((), ())
        figure.add_bar(
            x=list(regions), y=list(means), error_y={"type": "data", "array": list(errors), "thickness": 1}, name=label, marker_color=COLOURS[number % len(COLOURS)],
            text=[f"{mean:.3g}" for mean in means], textposition="outside", cliponaxis=False, hovertemplate="%{x}: %{y:.4g} ± %{error_y.array:.2g}<extra>" + label.replace("<", "") + "</extra>",
        )  # fmt: skip
    _level(figure, volume)
    figure.update_layout(barmode="group", showlegend=len(models) > 1)
    figure.update_yaxes(title_text="mean ε, pixel intensity", rangemode="tozero")
    return framed(figure, title, 380)


def volume_bars(images: Sequence[str], volumes: Mapping[str, Sequence[float]], volume: float, title: str = "Largest certified volume") -> go.Figure:
    """For each image the certified volumes by kind of budgets, as geometric means of ε; 0 where nothing is certified. ε0 is dashed."""
    if wrong := [name for name, values in volumes.items() if len(values) != len(images)]:
        raise InvalidInput(f"expected a volume for each of {len(images)} images, not so: {', '.join(wrong)}")
    figure = go.Figure()
    for number, (name, values) in enumerate(volumes.items()):
        figure.add_bar(
            x=list(images), y=list(values), name=name, marker_color=COLOURS[number % len(COLOURS)],
            hovertemplate="%{x}: %{y:.4g}<extra>" + name.replace("<", "") + "</extra>",
        )  # fmt: skip
    _level(figure, volume)
    figure.update_layout(barmode="group", showlegend=True)
    figure.update_xaxes(type="category")
    figure.update_yaxes(title_text="geometric mean of ε, certified", rangemode="tozero")
    return framed(figure, title, 380)


def _map(budgets: Tensor, volume: float, normalised: bool) -> go.Heatmap:
    shown = budgets.detach().double().cpu().log().mean(0).exp()
    ratios = shown / volume
    return go.Heatmap(
        z=(shown if normalised else shown.log10()).tolist(), customdata=torch.stack([shown, ratios], 2).tolist(), coloraxis="coloraxis",
        hovertemplate="row %{y}, column %{x}<br>ε = %{customdata[0]:.4g}<br>ε/ε0 = %{customdata[1]:.3g}<extra></extra>",
    )  # fmt: skip


def _colours(limits: tuple[float, float], volume: float, normalised: bool) -> dict:
    low, high = limits
    ends = (0.0, high) if normalised else (math.log10(low), math.log10(high) if high > low else math.log10(low) + 1e-3)
    places = [ends[0] + (ends[1] - ends[0]) * step / (TICKS - 1) for step in range(TICKS)]
    budgets = places if normalised else [10**place for place in places]
    return {
        "cmin": ends[0], "cmax": ends[1], "colorscale": GREY if normalised else SCALE,
        "colorbar": {"title": {"text": "ε  (ε/ε0)<br> "}, "tickvals": places, "ticktext": [f"{each:.3g}  ({each / volume:.2g})" for each in budgets]},
    }  # fmt: skip


def _square(figure: go.Figure) -> go.Figure:
    """Pixels as squares, the first row on top, without axes."""
    figure.update_xaxes(visible=False, constrain="domain")
    for axis in figure.select_yaxes():
        axis.update(visible=False, autorange="reversed", scaleanchor=axis.anchor or "x", constrain="domain")
    return figure.update_layout(margin={"l": 10, "r": 10, "t": 50, "b": 10})


def _level(figure: go.Figure, volume: float) -> None:
    figure.add_hline(y=volume, line_dash="dash", line_color=QUIET, annotation_text=f"ε0 = {volume:.3g}", annotation_position="top left")


def _check(budgets: Tensor, limits: tuple[float, float], volume: float) -> None:
    if not (budgets > 0).all():
        raise InvalidInput(f"budgets must be above 0 to be drawn over their logarithm, got {float(budgets.min()):.3g}.")
    if not 0 < limits[0] <= limits[1] or not volume > 0:
        raise InvalidInput(f"limits = {limits}, volume = {volume}: expected numbers above 0, the smaller limit first")
