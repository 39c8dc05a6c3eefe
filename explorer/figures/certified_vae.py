"""What is known of a VAE's ELBO over a box: brackets of several models side by side, and curves over the radius."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from .runs import COLOURS
from .theory import framed

ROW = 64  # pixels of height for each model
MARKS = {  # what is known, its symbol, and what kind of number it is
    "bound": ("line-ns-open", "certified bound of the sampled ELBO"),
    "certificate": ("diamond-open", "certified bound of the expected ELBO, with confidence"),
    "attacked": ("x-thin-open", "attack found (upper bound of the worst case)"),
    "clean": ("circle", "clean"),
}


@dataclass(frozen=True)
class Bracket:
    """One model at one radius, in nats: bound ≤ worst case ≤ attacked ≤ clean; None for what is not computed."""

    label: str
    bound: float
    clean: float
    attacked: float | None = None
    certificate: float | None = None


@dataclass(frozen=True)
class Curve:
    """One model's mean ELBO over the attack's radius: what PGD found, with standard errors, and the certified bound."""

    label: str
    radii: Sequence[float]
    attacked: Sequence[float]
    errors: Sequence[float]
    bounds: Sequence[float]


def brackets(models: Sequence[Bracket], radius: float) -> go.Figure:
    """A line for each model from its certified bound to its clean ELBO; the worst case lies left of the cross and right of the bar."""
    figure = go.Figure()
    for number, each in enumerate(models):
        colour = COLOURS[number % len(COLOURS)]
        figure.add_scatter(x=[each.bound, each.clean], y=[each.label] * 2, mode="lines", line={"color": colour, "width": 3}, showlegend=False, hoverinfo="skip")
        for name, (symbol, text) in MARKS.items():
            if (value := getattr(each, name)) is not None:
                figure.add_scatter(
                    x=[value], y=[each.label], mode="markers", name=text, legendgroup=name, showlegend=number == 0,
                    marker={"symbol": symbol, "size": 13, "color": colour, "line": {"color": colour, "width": 3}},
                    hovertemplate=f"{text}: %{{x:.2f}} nats<extra>%{{y}}</extra>",
                )  # fmt: skip
    figure.update_xaxes(title_text="ELBO, nats")
    figure.update_yaxes(autorange="reversed", type="category")
    return framed(figure, f"ELBO within radius {radius:g}", 190 + ROW * len(models))


def elbo_curves(curves: Sequence[Curve]) -> go.Figure:
    """Figure 3 of proVAE: the ELBO under attack over its radius, solid with standard errors; the certified bound below it, dotted."""
    figure = go.Figure()
    for number, each in enumerate(curves):
        colour = COLOURS[number % len(COLOURS)]
        figure.add_scatter(
            x=list(each.radii), y=list(each.attacked), name=each.label, legendgroup=each.label, line_color=colour, mode="lines+markers",
            error_y={"type": "data", "array": list(each.errors), "thickness": 1},
            hovertemplate="attack found at %{x:g}: %{y:.2f} nats<extra>" + each.label.replace("<", "") + "</extra>",
        )  # fmt: skip
        figure.add_scatter(
            x=list(each.radii), y=list(each.bounds), legendgroup=each.label, showlegend=False, line={"color": colour, "dash": "dot"}, mode="lines",
            hovertemplate="certified at %{x:g}: %{y:.2f} nats<extra>" + each.label.replace("<", "") + "</extra>",
        )  # fmt: skip
    lowest = min((value for each in curves for value in each.attacked), default=-1.0)
    figure.update_xaxes(title_text="radius of the attack", rangemode="tozero")
    figure.update_yaxes(title_text="ELBO, nats, mean over images", range=[1.6 * min(lowest, -1.0), 0])  # bounds far below leave the picture
    return framed(figure, "ELBO under attack (solid) and certified (dotted)", 460)
