"""The theorems on learned sets as figures (Perturbation sets, §4.1, Appendix A.3)."""

import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots

from explorer.errors import InvalidInput
from explorer.evaluation.theory import Measured, Theorem1, figure4

ACCENT = "#17828a"  # at least 3.8 : 1 against both themes' backgrounds
BAND = "rgba(23, 130, 138, 0.18)"
QUIET = "rgba(128, 128, 128, 0.9)"
GRID = "rgba(128, 128, 128, 0.25)"
SHARES = (0.1, 0.5, 0.9)


def epsilon_delta(theorem: Theorem1, measured: Measured) -> go.Figure:
    """ε and δ over α: the median pair and the middle 80 % of pairs, beside the medians that were measured. Raises
    InvalidInput unless the theorem was asked for two or more α."""
    if theorem.alpha.ndim != 1 or len(theorem.alpha) < 2:
        raise InvalidInput("the trade-off needs Theorem 1 at two or more values of alpha.")
    radius, error = float(measured.radius.median()), float(measured.error.median())
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    _bound(figure, 1, theorem.alpha, theorem.epsilon, "ε")
    _bound(figure, 2, theorem.alpha, theorem.delta, "δ")
    ends = theorem.alpha[[0, -1]].tolist()
    figure.add_trace(_level(ends, radius, f"encoding of the median pair: {radius:.3g}"), row=1, col=1)
    figure.add_trace(_level(ends, error, f"closest member found, median pair: {error:.3g}"), row=2, col=1)
    figure.update_xaxes(title_text="α, probability left outside the radius r", row=2, col=1)
    figure.update_yaxes(title_text="ε, latent standard deviations", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title_text="δ, squared error, sum over pixels", type="log", row=2, col=1)
    return framed(figure, "Theorem 1: radius against error", 560)


def counterexample(a: float) -> go.Figure:
    """Figure 4: δ_a(z), whose maximum grows with a while its expectation under N(0, 1), below 1/a, vanishes."""
    triangle = figure4(a)
    width = triangle.half_width
    reach = max(1.0, 1.25 * width)
    z = torch.tensor([-reach, -width, 0.0, width, reach], dtype=torch.float64)
    look = {"mode": "lines", "line_color": ACCENT, "fill": "tozeroy", "fillcolor": BAND}
    line = go.Scatter(x=z.tolist(), y=triangle(z).tolist(), hovertemplate="δ(%{x:.3g}) = %{y:.3g}<extra></extra>", **look)
    mean = _level([-reach, reach], triangle.expectation, f"expectation {triangle.expectation:.3g}")
    figure = go.Figure([line, mean])
    figure.update_layout(showlegend=False)
    figure.update_xaxes(title_text="z, standard deviations")
    figure.update_yaxes(title_text="δₐ(z), squared error", rangemode="tozero")
    title = f"Maximum {triangle.maximum:.3g}, expectation below {triangle.bound:.3g}"
    return framed(figure, title, 360)


def _bound(figure, row, alpha, values, symbol):
    low, middle, high = (line.tolist() for line in torch.quantile(values, values.new_tensor(SHARES), dim=1))
    x = alpha.tolist()
    edge = {"mode": "lines", "line_width": 0, "hoverinfo": "skip"}
    band = {"fill": "tonexty", "fillcolor": BAND, "name": "middle 80 % of pairs", "showlegend": row == 1}
    figure.add_scatter(row=row, col=1, x=x, y=low, showlegend=False, **edge)
    figure.add_scatter(row=row, col=1, x=x, y=high, **edge, **band)
    hover = f"α = %{{x:.3g}}<br>{symbol} = %{{y:.4g}}<extra></extra>"
    name = "bound of Theorem 1, median pair"
    figure.add_scatter(row=row, col=1, x=x, y=middle, line_color=ACCENT, name=name, showlegend=row == 1, hovertemplate=hover)


def _level(ends, value, text):
    """A dashed line with its text above it: a trace, as the texts of plotly's own lines stray on logarithmic axes."""
    line = {"mode": "lines+text", "line_dash": "dash", "line_color": QUIET, "text": [text, ""], "textposition": "top right"}
    return go.Scatter(x=ends, y=[value, value], showlegend=False, hoverinfo="skip", **line)


def framed(figure: go.Figure, title: str, height: int) -> go.Figure:
    """The look that all figures share: quiet grid, transparent paper, a legend below."""
    figure.update_xaxes(gridcolor=GRID, zeroline=False)
    figure.update_yaxes(gridcolor=GRID, zeroline=False)
    return figure.update_layout(
        title={"text": title, "font_size": 16},
        height=height,
        margin={"l": 70, "r": 20, "t": 60, "b": 60 + 44 * any(trace.showlegend is not False and trace.name for trace in figure.data)},
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
        legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
    )
