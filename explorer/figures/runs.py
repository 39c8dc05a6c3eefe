"""Figures of runs, one or several side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from .theory import ACCENT, framed

COLOURS = (ACCENT, "#b3561b", "#7a5fb5", "#857a1d", "#3a7fc4", "#b04a86")  # at least 3 : 1 against both themes' backgrounds
POINTS = 200  # of a distribution's line
WHOLE_EPOCHS = 12  # up to so many, each has its tick


def training_curves(histories: Mapping[str, Sequence[Mapping[str, Any]]]) -> go.Figure:
    """What a training measured after each epoch: the losses above, each other metric in a row of its own. Several runs by colour."""
    others = list(dict.fromkeys(name for rows in histories.values() for row in rows for name in row if name not in ("epoch", "loss", "validation")))
    figure = make_subplots(rows=1 + len(others), cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[2, *(1 for _ in others)])
    several = len(histories) > 1
    for number, (label, rows) in enumerate(histories.items()):
        colour = COLOURS[number % len(COLOURS)]
        for name, dash in (("validation", "solid"), ("loss", "dot")):
            _line(figure, 1, rows, name, f"{label}: {name}" if several else name, colour, dash)
        for row, name in enumerate(others, 2):
            _line(figure, row, rows, name, None, colour, "solid")
    figure.update_yaxes(title_text="nats per image", row=1, col=1)
    for row, name in enumerate(others, 2):
        figure.update_yaxes(title_text=name.replace("_", " "), row=row, col=1)
    longest = max((row["epoch"] for rows in histories.values() for row in rows), default=0)
    figure.update_xaxes(dtick=1 if longest <= WHOLE_EPOCHS else None)
    figure.update_xaxes(title_text="epoch", row=1 + len(others), col=1)
    return framed(figure, "Training", 300 + 130 * len(others))


def metric_bars(headings: Sequence[str], tables: Mapping[str, tuple[Sequence[float], Sequence[float]]], unit: str) -> go.Figure:
    """Means with their standard errors, a group of bars for each metric, a colour for each run."""
    figure = go.Figure()
    for number, (label, (means, errors)) in enumerate(tables.items()):
        figure.add_bar(
            x=list(headings), y=list(means), name=label, showlegend=len(tables) > 1, marker_color=COLOURS[number % len(COLOURS)],
            error_y={"type": "data", "array": list(errors), "thickness": 1}, hovertemplate="%{x}: %{y:.4g}<extra>" + label.replace("<", "") + "</extra>",
        )  # fmt: skip
    figure.update_yaxes(title_text=unit, rangemode="tozero")
    return framed(figure, "Errors per pixel, with standard errors", 360)


def distance_distributions(found: Mapping[str, Mapping[str, Sequence[float]]], unit: str) -> go.Figure:
    """The share of pairs whose closest (solid) and farthest member (dashed) lies within a distance."""
    figure, several = go.Figure(), len(found) > 1
    for number, (label, columns) in enumerate(found.items()):
        for name, dash in (("closest", "solid"), ("farthest", "dash")):
            values = sorted(value for value in columns[f"{name}_error"] if value is not None)
            step = max(1, len(values) // POINTS)
            places = sorted({*range(0, len(values), step), len(values) - 1}) if values else []
            figure.add_scatter(
                x=[values[place] for place in places], y=[100 * (place + 1) / len(values) for place in places],
                mode="lines", line={"color": COLOURS[number % len(COLOURS)], "dash": dash}, name=f"{label}: {name}" if several else f"{name} member",
                hovertemplate="%{y:.3g} % within %{x:.4g}<extra></extra>",
            )  # fmt: skip
    figure.update_xaxes(title_text=unit, rangemode="tozero")
    figure.update_yaxes(title_text="share of pairs, %", range=[0, 102])
    return framed(figure, "Distance of a set's members from the real pair", 380)


def _line(figure, row, rows, name, label, colour, dash):
    points = [(each["epoch"], each[name]) for each in rows if each.get(name) is not None]
    x, y = zip(*points) if points else ((), ())
    look = {"mode": "lines+markers" if len(points) < 3 else "lines", "line": {"color": colour, "dash": dash}}
    figure.add_scatter(row=row, col=1, x=x, y=y, name=label, showlegend=label is not None, hovertemplate=f"epoch %{{x}}: {name} %{{y:.5g}}<extra></extra>", **look)
