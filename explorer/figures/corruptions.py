"""Figures of common corruptions: errors of classifiers, and what corruptions do to images."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.data.corruptions import CORRUPTIONS, SEVERITIES
from explorer.evaluation.corruption_statistics import CorruptionStatistics

from .runs import COLOURS
from .theory import framed

GROUPS = {group: COLOURS[number] for number, group in enumerate(dict.fromkeys(each.group for each in CORRUPTIONS.values()))}
UNITS = {
    "ssim": "structural similarity to the clean image", "absolute": "mean absolute change of a pixel", "signed": "mean change of a pixel",
    "deviation": "standard deviation of the pixels", "variation": "total variation a pixel",
}  # fmt: skip
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def spoken(name: str) -> str:
    return name.replace("_", " ")


def error_heatmap(labels: Sequence[str], names: Sequence[str], severities: Sequence[int], errors: Sequence[Sequence[Sequence[float]]], clean: Sequence[float]) -> go.Figure:
    """A panel for each classifier, a row for each severity, a column for each corruption, the first without one. Errors are shares."""
    columns = ["clean", *map(spoken, names)]
    figure = make_subplots(rows=len(labels), cols=1, shared_xaxes=True, vertical_spacing=min(0.12, 0.4 / len(labels)), subplot_titles=[label.replace("<", "") for label in labels] if any(labels) else None)
    for row, (own, plain) in enumerate(zip(errors, clean, strict=True), 1):
        values = [[100 * plain, *(100 * own[column][severity] for column in range(len(names)))] for severity in range(len(severities))]
        figure.add_trace(
            go.Heatmap(
                z=values, x=columns, y=[f"severity {severity}" for severity in severities], zmin=0, zmax=100, colorscale="Viridis_r", text=[[f"{value:.0f}" for value in line] for line in values],
                texttemplate="%{text}", textfont_size=10, hovertemplate="%{x}, %{y}: %{z:.2f} % wrong<extra></extra>", showscale=row == 1, colorbar={"title": "wrong, %", "len": 1 / len(labels), "y": 1, "yanchor": "top"},
            ),
            row=row, col=1,
        )  # fmt: skip
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(showgrid=False, tickangle=-50)
    return framed(figure, "Errors under corruptions", 170 + 190 * len(labels)).update_layout(margin_b=110, yaxis_automargin=True)


def severity_figure(curves: Mapping[str, Mapping[int, CorruptionStatistics]], statistic: str, chosen: Sequence[str]) -> go.Figure:
    """A line for each corruption over the severities, coloured by its group (noise, blur, weather, digital); those not chosen are drawn faintly."""
    figure, seen = go.Figure(), dict.fromkeys(GROUPS, 0)
    for name, curve in curves.items():
        group = CORRUPTIONS[name].group
        bright = not chosen or name in chosen
        figure.add_scatter(
            x=list(curve), y=[getattr(each, statistic) for each in curve.values()], mode="lines+markers", name=spoken(name), opacity=1 if bright else 0.18,
            line={"color": GROUPS[group], "dash": DASHES[seen[group] % len(DASHES)], "width": 2 if bright else 1}, marker_size=5, hovertemplate=f"{spoken(name)}, severity %{{x}}: %{{y:.4f}}<extra></extra>",
        )  # fmt: skip
        seen[group] += 1
    figure.update_xaxes(title_text="severity", tickvals=list(SEVERITIES))
    figure.update_yaxes(title_text=UNITS[statistic])
    return framed(figure, "What corruptions do to the images", 600).update_layout(margin_b=190, legend_font_size=11)
