"""Where real perturbations lie, by class and by parameter (after Perturbation sets, Figures 6 and 7)."""

import plotly.graph_objects as go
import torch

from explorer.evaluation.latent_space import LatentNorms
from explorer.registry import look_up

from .theory import ACCENT, QUIET, framed

BINS = 24
LEVELS = (0.1, 0.5, 0.9)


def norms_by_class(found: LatentNorms, radius: float) -> go.Figure:
    """A box for each class (quartiles; whiskers to the extremes) of the encodings' norms, with the set's radius as a line."""
    figure = go.Figure()
    for label, name in enumerate(found.class_names):
        norms = found.norms[found.labels == label].double()
        if not len(norms):
            continue
        low, first, middle, third, high = torch.quantile(norms, norms.new_tensor([0, 0.25, 0.5, 0.75, 1])).tolist()
        figure.add_box(
            x=[name], lowerfence=[low], q1=[first], median=[middle], q3=[third], upperfence=[high],
            line_color=ACCENT, name=name, showlegend=False,
        )  # fmt: skip
    _radius_line(figure, radius)
    figure.update_xaxes(title_text="class", type="category")
    figure.update_yaxes(title_text="‖u‖, latent standard deviations", rangemode="tozero")
    return framed(figure, f"Norms of {len(found.norms)} encodings by class", 360)


def norms_by_parameter(found: LatentNorms, name: str, radius: float) -> go.Figure:
    """Median and middle 80 % of the norms over a parameter of the transformation, in bins of equal width. Raises UnknownName."""
    values = look_up(found.parameters, name, "parameter").double()
    norms = found.norms.double()
    whole = bool((values == values.round()).all())
    count = int(values.max() - values.min()) + 1 if whole else BINS
    edges = torch.linspace(float(values.min()), float(values.max()), count + 1).double()
    places = torch.bucketize(values, edges[1:-1], right=True) if not whole else (values - values.min()).long()
    rows = []
    for place in range(count):
        inside = norms[places == place]
        if len(inside):
            centre = float(values.min()) + place if whole else float(edges[place : place + 2].mean())
            rows.append((centre, *torch.quantile(inside, inside.new_tensor(LEVELS)).tolist()))
    x, low, middle, high = zip(*rows)
    figure = go.Figure()
    edge = {"mode": "lines", "line_width": 0, "hoverinfo": "skip", "showlegend": False}
    figure.add_scatter(x=x, y=low, **edge)
    figure.add_scatter(x=x, y=high, **edge, fill="tonexty", fillcolor="rgba(23, 130, 138, 0.18)")
    hover = "%{x:.3g}: median ‖u‖ %{y:.3g}<extra></extra>"
    figure.add_scatter(x=x, y=middle, mode="lines+markers", line_color=ACCENT, showlegend=False, hovertemplate=hover)
    _radius_line(figure, radius)
    figure.update_xaxes(title_text=name)
    figure.update_yaxes(title_text="‖u‖, latent standard deviations", rangemode="tozero")
    return framed(figure, f"Norms by {name.split(' (')[0]}", 360)


def _radius_line(figure, radius):
    figure.add_hline(y=radius, line_dash="dash", line_color=QUIET, annotation_text=f"ε = {radius:.3g}", annotation_position="top right")
