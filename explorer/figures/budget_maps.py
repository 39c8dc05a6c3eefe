"""Budgets of pixels as pictures, beside the images that they are for."""

import math

import numpy as np
from jaxtyping import Float, UInt8
from plotly.colors import sequential
from torch import Tensor

from explorer.errors import InvalidInput

COLOURS = tuple(sequential.Viridis)  # evenly spaced, dark for small budgets


def budget_pixels(budgets: Float[Tensor, "n channels height width"], limits: tuple[float, float], *, normalised: bool = False) -> UInt8[np.ndarray, "n height width 3"]:
    """Colours over log ε between the limits, of several channels their geometric mean; with `normalised` in grey over ε from 0 to the
    upper limit, lighter is larger, as the paper draws them. Raises InvalidInput for budgets or limits that are not above 0."""
    low, high = limits
    if not 0 < low <= high or not bool((budgets > 0).all()):
        raise InvalidInput(f"budgets and limits must be above 0, the smaller limit first; got limits {limits} and budgets from {float(budgets.min()):.3g}.")
    shown = budgets.detach().double().cpu().log().mean(1).exp().numpy()
    if normalised:
        return np.repeat(_bytes(shown / high)[..., None], 3, axis=-1)
    share = np.clip(np.log(shown / low) / math.log(high / low), 0, 1) if high > low else np.full_like(shown, 0.5)
    anchors = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in COLOURS], dtype=np.float64)
    position = share * (len(anchors) - 1)
    index = np.minimum(position.astype(int), len(anchors) - 2)
    part = (position - index)[..., None]
    return ((1 - part) * anchors[index] + part * anchors[index + 1]).round().astype(np.uint8)


def _bytes(values: np.ndarray) -> np.ndarray:
    return (np.clip(values, 0, 1) * 255).round().astype(np.uint8)
