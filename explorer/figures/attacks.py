"""Robust and certified accuracies over radii, and classifiers attacked in several sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from .runs import COLOURS
from .theory import QUIET, framed


@dataclass(frozen=True)
class Curve:
    """Shares over radii, with what kind of number they are: *attack found* is an upper bound of robustness, *certified* a lower one."""

    radii: Sequence[float]
    shares: Sequence[float]
    errors: Sequence[float] | None = None
    certified: bool = False


def accuracy_curves(curves: Mapping[str, Curve], unit: str, title: str, what: str = "images that are right, %") -> go.Figure:
    """Found ones as lines with marks, certified ones as steps with a filled area: the true accuracy of the same classifier lies between them."""
    figure = go.Figure()
    for number, (label, curve) in enumerate(curves.items()):
        colour, kind = COLOURS[number % len(COLOURS)], "certified" if curve.certified else "attack found"
        look = {"mode": "lines", "line": {"color": colour, "shape": "vh"}, "fill": "tozeroy", "fillcolor": _faint(colour)} if curve.certified else {"mode": "lines+markers", "line": {"color": colour, "dash": "dot"}, "marker": {"symbol": "diamond", "size": 7}}
        figure.add_scatter(
            x=list(curve.radii), y=[100 * share for share in curve.shares], name=f"{label.replace('<', '')}, {kind}",
            error_y=None if curve.errors is None else {"type": "data", "array": [100 * each for each in curve.errors], "thickness": 1},
            hovertemplate=f"radius %{{x:.4g}}: %{{y:.2f}} % ({kind})<extra>{label.replace('<', '')}</extra>", showlegend=True, **look,
        )  # fmt: skip
    figure.update_xaxes(title_text=f"radius, {unit}", rangemode="tozero")
    figure.update_yaxes(title_text=what, range=[0, 102])
    figure = framed(figure, title, 400 + 18 * max(0, len(curves) - 3))
    return figure.update_layout(margin_b=70 + 24 * len(curves))


def cross_heatmap(models: Sequence[str], sets: Sequence[str], robust: Sequence[Sequence[float | None]], clean: Sequence[float | None], title: str) -> go.Figure:
    """A row for each classifier, a column for each set that it is attacked in, the first without an attack; empty where it is not measured."""
    values = [[None if value is None else 100 * value for value in (first, *row)] for first, row in zip(clean, robust)]
    columns = ["no attack", *sets]
    figure = go.Figure(
        go.Heatmap(
            z=values, x=list(range(len(columns))), y=list(models), zmin=0, zmax=100, colorscale="Viridis", colorbar={"title": "right, %"},
            text=[["" if value is None else f"{value:.1f}" for value in row] for row in values], texttemplate="%{text}", customdata=[[[each] for each in columns] for _ in models],
            hovertemplate="%{y}, attacked in %{customdata[0]}: %{z:.2f} % (attack found)<extra></extra>", hoverongaps=False,
        )
    )  # fmt: skip
    figure = framed(figure, title, 190 + 48 * len(models))
    figure.update_xaxes(tickvals=list(range(len(columns))), ticktext=[_wrapped(name) for name in columns], showgrid=False, side="bottom")
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    return figure.update_layout(margin={"l": 10, "b": 70}, yaxis_automargin=True)


def vote_bars(names: Sequence[str], votes: Sequence[int], winner: int, title: str) -> go.Figure:
    """Votes by class."""
    figure = go.Figure(
        go.Bar(
            y=list(names), x=list(votes), orientation="h", marker_color=[COLOURS[0] if number == winner else QUIET for number in range(len(names))],
            text=[f"{each:,}" if each else "" for each in votes], textposition="outside", cliponaxis=False, hovertemplate="%{y}: %{x:,} votes<extra></extra>",
        )
    )  # fmt: skip
    figure = framed(figure, title, 120 + 26 * len(names))
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    figure.update_xaxes(title_text="votes", range=[0, 1.15 * max(1, *votes)])
    return figure


def closing_interval(drawn: Sequence[int], share: Sequence[float], lower: Sequence[float], upper: Sequence[float], confidence: float, title: str) -> go.Figure:
    """The share of the leading class as votes come in, with its one-sided confidence bounds; above one half the class is certified."""
    figure, x = go.Figure(), list(drawn)
    edge = {"mode": "lines", "line": {"width": 1, "color": COLOURS[0]}}
    figure.add_scatter(x=x, y=list(upper), name="upper bound", showlegend=False, hovertemplate="upper bound after %{x:,}: %{y:.4f}<extra></extra>", **edge)
    figure.add_scatter(x=x, y=list(lower), name=f"bounds, confidence {100 * confidence:g} % each", fill="tonexty", fillcolor=_faint(COLOURS[0]), hovertemplate="lower bound after %{x:,}: %{y:.4f}<extra></extra>", **edge)
    figure.add_scatter(x=x, y=list(share), mode="lines+markers" if len(x) < 3 else "lines", name="share of the votes", line={"color": COLOURS[1]}, hovertemplate="share after %{x:,}: %{y:.4f}<extra></extra>")
    figure.add_hline(y=0.5, line_dash="dash", line_color=QUIET)
    figure.update_xaxes(title_text="votes", rangemode="tozero")
    figure.update_yaxes(title_text="probability of the class", range=[0, 1.02])
    return framed(figure, title, 380)


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.10)"


def _wrapped(name: str) -> str:
    return name.replace("<", "").replace(", radius ", "<br>radius ")
