"""Where real perturbations lie, by class, by type and by parameter (after Perturbation sets, Figures 6 and 7)."""

import math

import plotly.graph_objects as go
import torch
from plotly.colors import sample_colorscale

from explorer.evaluation.latent_space import LatentNorms
from explorer.registry import look_up

from .theory import ACCENT, QUIET, framed

BINS, POINTS = 24, 200
LEVELS = (0.1, 0.5, 0.9)


def norms_by_type(found: LatentNorms, radius: float) -> go.Figure:
    """A box for each type of perturbation, the nearest first, with a radius as a line: what lies below it the set holds."""
    figure = go.Figure()
    for name, norms in _by_type(found):
        low, first, middle, third, high = torch.quantile(norms, norms.new_tensor([0, 0.25, 0.5, 0.75, 1])).tolist()
        figure.add_box(
            x=[name], lowerfence=[low], q1=[first], median=[middle], q3=[third], upperfence=[high], line_color=ACCENT, name=name, showlegend=False,
        )  # fmt: skip
    _radius_line(figure, radius)
    figure.update_xaxes(title_text="type of perturbation", type="category")
    figure.update_yaxes(title_text="‖u‖, latent standard deviations", rangemode="tozero")
    return framed(figure, f"Norms of {len(found.norms)} encodings by type", 360)


def norm_densities(found: LatentNorms, radius: float) -> go.Figure:
    """The density of the norms of each type, smoothed with a Gaussian kernel (Scott's rule), with a radius as a line (Perturbation sets,
    Figures 6 and 7)."""
    figure, types = go.Figure(), _by_type(found)
    places = torch.linspace(0, float(found.norms.max()) * 1.1 + 1e-9, POINTS).double()
    for index, (name, norms) in enumerate(types):
        width = max(float(norms.std(correction=0)) * len(norms) ** -0.2, float(places[-1]) / POINTS)
        heights = torch.exp(-((places[:, None] - norms) / width).square() / 2).mean(1) / (width * math.sqrt(2 * math.pi))
        colour = sample_colorscale("Viridis", 0.9 * index / max(len(types) - 1, 1))[0]
        figure.add_scatter(x=places.tolist(), y=heights.tolist(), mode="lines", name=name, line_color=colour, hovertemplate=f"{name}: ‖u‖ %{{x:.3g}}<extra></extra>")
    figure.add_vline(x=radius, line_dash="dash", line_color=QUIET, annotation_text=f"radius {radius:.3g}", annotation_position="top right")
    figure.update_xaxes(title_text="‖u‖, latent standard deviations")
    figure.update_yaxes(title_text="density")
    figure.update_layout(showlegend=True, legend={"orientation": "h", "yanchor": "top", "y": -0.22})
    return framed(figure, f"Densities of {len(found.norms)} norms by type", 420)


def held_by_type(found: LatentNorms, radius: float) -> dict[str, float]:
    """The share of each type's encodings within the radius, the nearest type first."""
    return {name: float((norms <= radius).double().mean()) for name, norms in _by_type(found)}


def _by_type(found: LatentNorms) -> list[tuple[str, torch.Tensor]]:
    """The types that occur with their norms, in the order of the medians."""
    every = [(name, found.norms[found.types == number].double()) for number, name in enumerate(found.type_names)]
    return sorted(((name.replace("_", " "), norms) for name, norms in every if len(norms)), key=lambda each: float(each[1].median()))


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
