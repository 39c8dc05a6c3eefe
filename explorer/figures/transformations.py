"""Paths of a transformation's parameters through the latent space."""

from collections.abc import Sequence

import plotly.graph_objects as go
import torch

from explorer.evaluation.latent_space import Sweep

from .theory import QUIET, framed

COLOURS = ("#17828a", "#b3631b", "#7a5fb0", "#5f8f2f")  # at least 3 : 1 against both themes' backgrounds
DASHES = ("solid", "dash", "dot", "dashdot")


def sweep_curves(sweeps: Sequence[Sweep]) -> go.Figure:
    """All paths in the plane of the two principal directions of their points, in latent standard deviations on equal axes. A square
    marks the smallest value of each parameter, a circle the largest."""
    from sklearn.decomposition import PCA

    points = torch.cat([sweep.delta for sweep in sweeps]).double().cpu()
    analysis = PCA(2, svd_solver="full").fit(points.numpy())
    figure = go.Figure()
    for sweep, colour, dash in zip(sweeps, COLOURS, DASHES):
        x, y = analysis.transform(sweep.delta.double().cpu().numpy()).T
        figure.add_scatter(
            x=x, y=y, mode="lines+markers", name=sweep.name, line={"color": colour, "dash": dash},
            marker={"size": [9] + [3] * (len(x) - 2) + [9], "symbol": ["square"] + ["circle"] * (len(x) - 1)},
            customdata=sweep.values.tolist(), hovertemplate=f"{sweep.name}: %{{customdata:.3g}}<extra></extra>",
        )  # fmt: skip
    first, second = (f"{100 * share:.0f} %" for share in analysis.explained_variance_ratio_)
    figure.update_xaxes(title_text=f"first principal direction, {first} of their variance")
    figure.update_yaxes(title_text=f"second, {second}", scaleanchor="x")
    return framed(figure, "Paths of the encodings u", 460)


def sweep_norms(sweeps: Sequence[Sweep], radius: float) -> go.Figure:
    """‖u‖₂ along each path, over the parameter's range from its smallest to its largest value."""
    figure = go.Figure()
    for sweep, colour, dash in zip(sweeps, COLOURS, DASHES):
        values = sweep.values.double()
        span = (values - values.min()) / (values.max() - values.min())
        figure.add_scatter(
            x=(2 * span - 1).tolist(), y=sweep.delta.norm(dim=1).tolist(), mode="lines", name=sweep.name,
            line={"color": colour, "dash": dash}, customdata=values.tolist(),
            hovertemplate=f"{sweep.name}: %{{customdata:.3g}}<br>‖u‖ = %{{y:.3g}}<extra></extra>",
        )  # fmt: skip
    figure.add_hline(y=radius, line_dash="dash", line_color=QUIET, annotation_text=f"ε = {radius:.3g}", annotation_position="top right")
    figure.update_xaxes(title_text="parameter: smallest −1, neutral 0, largest 1")
    figure.update_yaxes(title_text="‖u‖, latent standard deviations", rangemode="tozero")
    return framed(figure, "How far each parameter leads from the centre", 460)
