"""Certified intervals of a VAE's posterior, dimension by dimension."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from .runs import COLOURS
from .theory import framed

ROW = 190  # pixels of height for each model
Numbers = Sequence[float]


@dataclass(frozen=True)
class Posterior:
    """One model's posterior at an image, and the certified intervals of its mean and σ over a box around it."""

    label: str
    mean: Numbers
    mean_ends: tuple[Numbers, Numbers]
    sigma: Numbers
    sigma_ends: tuple[Numbers, Numbers]


def latent_intervals(models: Sequence[Posterior], title: str) -> go.Figure:
    """A row for each model: at the left the mean's interval of every dimension, at the right σ's; the image's own value as a line. Each
    has its own scale: they differ by orders of magnitude."""
    headings = [f"{part} · {each.label}" for each in models for part in ("mean", "σ")]
    figure = make_subplots(rows=len(models), cols=2, subplot_titles=headings, horizontal_spacing=0.07, vertical_spacing=0.16 / max(1, len(models) - 1))
    for row, each in enumerate(models, 1):
        for column, (name, values, ends) in enumerate((("mean", each.mean, each.mean_ends), ("σ", each.sigma, each.sigma_ends)), 1):
            _intervals(figure, row, column, name, values, ends, COLOURS[(row - 1) % len(COLOURS)])
    figure.update_layout(showlegend=False, bargap=0.15)
    figure.update_annotations(font_size=12)
    figure = framed(figure, title, 110 + ROW * len(models))
    for column in (1, 2):
        figure.update_xaxes(title_text="latent dimension", row=len(models), col=column)
    return figure


def _intervals(figure, row, column, name, values, ends, colour):
    lower, upper = (list(end) for end in ends)
    dimensions = list(range(len(lower)))
    figure.add_bar(
        row=row, col=column, x=dimensions, base=lower, y=[high - low for low, high in zip(lower, upper)], marker_color=colour, opacity=0.55,
        customdata=list(zip(lower, upper)), hovertemplate=f"dimension %{{x}}: {name} certified from %{{customdata[0]:.4g}} to %{{customdata[1]:.4g}}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        row=row, col=column, x=dimensions, y=list(values), mode="markers", marker={"symbol": "line-ew-open", "size": 7, "color": colour, "line": {"width": 2}},
        hovertemplate=f"dimension %{{x}}: {name} %{{y:.4g}} at the image itself<extra></extra>",
    )  # fmt: skip
