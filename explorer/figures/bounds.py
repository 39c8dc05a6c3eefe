"""Certified intervals: of a classifier's margins, and of its layers."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from jaxtyping import Float
from torch import Tensor

from .runs import COLOURS
from .theory import ACCENT, GRID, QUIET, framed

METHOD_COLOURS = {"IBP": "#9aa5ab", "CROWN-IBP": "#3a7fc4", "CROWN": ACCENT, "α-CROWN": "#b3561b"}
FOUND = "#b04a86"
REACH = 6  # the axis is cut at so many times the tightest method's reach: looser ones would hide it

Sides = tuple[Float[Tensor, "others"], Float[Tensor, "others"]]


def margin_intervals(
    names: Sequence[str], clean: Float[Tensor, "others"], certified: Mapping[str, Sides], found: Float[Tensor, "others"], title: str
) -> go.Figure:
    """A row for each other class: the certified intervals of the margin by method, looser ones broader and below; the margin of the image
    itself; and the smallest one an attack found. Left of zero, the other class wins."""
    figure, rows = go.Figure(), list(names)
    low, high = axis(clean, certified)
    for number, (method, (lower, upper)) in enumerate(certified.items()):
        shown = lower.clamp(min=low), upper.clamp(max=high)
        figure.add_bar(
            y=rows, base=shown[0].tolist(), x=(shown[1] - shown[0]).tolist(), orientation="h", width=0.84 - 0.2 * number, name=f"{method}, certified",
            marker_color=METHOD_COLOURS.get(method, COLOURS[number % len(COLOURS)]), customdata=list(zip(lower.tolist(), upper.tolist())),
            hovertemplate=f"{method}, certified: %{{customdata[0]:.4g}} to %{{customdata[1]:.4g}}<extra></extra>",
        )  # fmt: skip
    mark = {"mode": "markers", "y": rows}
    figure.add_scatter(
        x=clean.tolist(), name="the image itself", marker={"symbol": "circle", "size": 9, "color": "white", "line": {"width": 2, "color": "#333"}},
        hovertemplate="the image itself: %{x:.4g}<extra></extra>", **mark,
    )  # fmt: skip
    figure.add_scatter(
        x=found.tolist(), name="PGD, attack found", marker={"symbol": "diamond", "size": 9, "color": FOUND, "line": {"width": 1, "color": "white"}},
        hovertemplate="PGD, attack found: %{x:.4g}<extra></extra>", **mark,
    )  # fmt: skip
    figure.add_vline(x=0, line_color=QUIET, line_width=2)
    figure.update_layout(barmode="overlay")
    figure = framed(figure, title, 150 + 34 * len(rows))
    figure.update_xaxes(title_text="margin: logit of the label − logit of the other class", range=[low, high])
    figure.update_yaxes(title_text="other class", type="category", autorange="reversed", showgrid=False)
    return figure


def axis(clean: Float[Tensor, "others"], certified: Mapping[str, Sides]) -> tuple[float, float]:
    """The ends of the margins' axis: zero and all intervals, but not beyond several times the tightest method's reach."""
    inner = [0.0, float(clean.min()), float(clean.max())]
    if not certified:
        low, high = min(inner), max(inner)
    else:
        ends = [(float(lower.min()), float(upper.max())) for lower, upper in certified.values()]
        tight = min(ends, key=lambda each: each[1] - each[0])
        reach = max(abs(value) for value in (*tight, *inner))
        low = max(min(*inner, *(each[0] for each in ends)), -REACH * reach)
        high = min(max(*inner, *(each[1] for each in ends)), REACH * reach)
    margin = 0.04 * (high - low) or 1.0
    return low - margin, high + margin


def widths_by_layer(layers: Sequence[str], widths: Mapping[str, tuple[Sequence[float], Sequence[float]]], title: str) -> go.Figure:
    """Mean (solid) and largest (dotted) width of the intervals after each operation, by method, on a logarithmic axis."""
    figure = go.Figure()
    for method, (means, largest) in widths.items():
        for values, name, dash in ((means, f"{method}, mean", "solid"), (largest, f"{method}, largest", "dot")):
            figure.add_scatter(
                x=list(layers), y=[value if value > 0 else None for value in values], mode="lines+markers", name=name, line={"color": METHOD_COLOURS.get(method, ACCENT), "dash": dash},
                hovertemplate=f"{name} width after %{{x}}: %{{y:.4g}}<extra></extra>",
            )  # fmt: skip
    figure = framed(figure, title, 420)
    figure.update_xaxes(type="category")
    figure.update_yaxes(title_text="width, in units of the layer", type="log", exponentformat="power", gridcolor=GRID)
    return figure
