"""The path of a search."""

import plotly.graph_objects as go
from jaxtyping import Float
from torch import Tensor

from .theory import ACCENT, QUIET, framed


def distance_curve(distance: Float[Tensor, "iterates"], best: int, shown: int, unit: str) -> go.Figure:
    """The distance of each iterate; the start, the one that the search returns, and the one that is shown are marked."""
    values = distance.tolist()
    figure = go.Figure()
    hover = "iterate %{x}: %{y:.4g}<extra></extra>"
    figure.add_scatter(y=values, mode="lines", line_color=ACCENT, showlegend=False, hovertemplate=hover)
    marks = {"mode": "markers", "hovertemplate": hover}
    figure.add_scatter(x=[0], y=values[:1], name="start", marker={"color": ACCENT, "size": 10, "symbol": "square-open", "line_width": 2}, **marks)
    figure.add_scatter(x=[shown], y=[values[shown]], name=f"shown: iterate {shown}", marker={"color": QUIET, "size": 12, "symbol": "circle-open", "line_width": 2}, **marks)
    figure.add_scatter(x=[best], y=[values[best]], name=f"best: iterate {best}", marker={"color": ACCENT, "size": 9}, **marks)
    figure.update_xaxes(title_text="iterate")
    figure.update_yaxes(title_text=unit, rangemode="tozero")
    return framed(figure, "Distance along the search", 340)
