"""Maps of materials as pictures, and where lights stand."""

import colorsys

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int, UInt8
from torch import Tensor

FIRST = ("#c8dcec", "#b07aa1", "#f1ce63", "#9c755f", "#e15759", "#4e79a7", "#76b7b2", "#f28e2b", "#59a14f")  # distinct, the first ones light: what fills most of a scene
GOLDEN = 0.618034  # of the wheel, between two neighbours: far apart for any number


def colours(count: int) -> UInt8[np.ndarray, "count 3"]:
    """A colour for each of so many materials."""
    rows = [tuple(int(text[place : place + 2], 16) for place in (1, 3, 5)) for text in FIRST[:count]]
    rows += [tuple(round(255 * each) for each in colorsys.hsv_to_rgb(number * GOLDEN % 1, 0.65, 0.85 - 0.25 * (number % 3) / 2)) for number in range(count - len(rows))]
    return np.array(rows, np.uint8)


def material_map(materials: Int[Tensor, "height width"], count: int, picture: UInt8[np.ndarray, "height width 3"] | None = None, share: float = 0.6) -> UInt8[np.ndarray, "height width 3"]:
    """Each pixel in its material's colour; over a picture that much of it. −1, no material, is black."""
    palette = np.concatenate([colours(count), np.zeros((1, 3), np.uint8)])
    painted = palette[materials.cpu().numpy()]
    if picture is None:
        return painted
    grey = picture.mean(-1, keepdims=True).repeat(3, -1)
    return (share * painted + (1 - share) * grey).round().astype(np.uint8)


def wrong_pixels(materials: Int[Tensor, "height width"], truth: Int[Tensor, "height width"], picture: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width 3"]:
    """The picture, darker where it is named right, and red where it is not."""
    wrong = (materials != truth).cpu().numpy()[..., None]
    return np.where(wrong, 0.4 * picture + 0.6 * np.array([214, 39, 40]), 0.45 * picture).round().astype(np.uint8)


def light_pad(places: Float[Tensor, "lights 2"], chosen: int, neutral: int) -> go.Figure:
    """Where the lights stand, as numbers to choose from."""
    numbers = range(len(places))
    sizes = [24 if number == chosen else 17 for number in numbers]
    marks = go.Scatter(
        x=places[:, 0].tolist(), y=places[:, 1].tolist(), mode="markers+text", text=[str(number) for number in numbers], textfont={"size": 10, "color": "white"},
        marker={"size": sizes, "color": ["#c2410c" if number == chosen else "#57606a" if number == neutral else "#8a939c" for number in numbers]},
        hovertext=[f"light {number}{', the neutral one' if number == neutral else ''}" for number in numbers], hoverinfo="text",
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}, "textfont": {"color": "white"}},
    )  # fmt: skip
    figure = go.Figure(marks)
    axis = {"visible": False, "range": [-1.15, 1.15], "fixedrange": True}
    figure.update_layout(xaxis=axis, yaxis={**axis, "scaleanchor": "x"}, margin={"l": 0, "r": 0, "t": 0, "b": 0}, height=230, showlegend=False, clickmode="event+select", dragmode=False)
    return figure
