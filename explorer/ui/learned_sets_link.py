"""What the URL of the Learned sets page says, and what of it a model can show."""

import base64
import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from explorer.data.illumination import LIGHTS
from explorer.errors import InvalidInput
from explorer.evaluation.approximation import STEPS as SEARCH_STEPS
from explorer.evaluation.approximation import Distance
from explorer.papers.learned_sets import LearnedSet
from explorer.papers.learned_sets.illumination_exploration import FACTORS, lit
from explorer.papers.learned_sets.searches import Sense, Start
from explorer.sets.base import Law

from .image_choice import Choice
from .links import Checks

Panel = Literal[
    "Difference", "Interpolation", "Random members", "Search", "Transformations", "Compare", "Quality", "Latent norms", "Theory", "Relighting", "Materials"
]
PAGE = "learned_sets"
AMPLIFY = (1, 2, 4, 8, 16, 32)
COUNTS = (25, 100, 500, 2000, 0)  # pairs to measure on; 0 stands for all
SWEEP_STEPS = 25
ALPHAS = (0.001, 0.999)
HEIGHTS = (0.5, 10.0)
REAL_PAIRS = 8  # of one image, where they are of a single type; else one of each
STEPS = 8
LARGEST_COORDINATE = 1e6
LINKABLE_COORDINATES = 1024


@dataclass(frozen=True)
class Link:
    """The page's settings, as they stand in its URL. `u` is the point of the ball: float32 numbers in base64."""

    model: str = ""
    choice: Choice = "First images"
    image: int = 0
    draw: int = 0
    label: str = ""
    radius: float | None = None
    u: str = ""
    view: Literal["one", "members", "images"] = "one"
    axes: tuple[int, int] = (0, 1)
    panel: Panel = "Difference"
    amplify: int = 1
    stops: tuple[int, ...] = (0, 1)
    frame: int = 0
    seed: int = 0
    law: Law = "normal"
    sense: Sense = "closest"
    start: Start = "encoding"
    distance: Distance = "cross_entropy"
    iterate: int = SEARCH_STEPS
    other: str = ""
    parameter: int = 0
    position: int = SWEEP_STEPS // 2
    count: int = 100
    alpha: float = 0.1
    height: float = 3.0
    light: int = 1
    resolution: int = 1
    segmenter: str = ""


def encode_point(delta: tuple[float, ...]) -> str:
    """A point of the ball as URL text; empty for the centre, and for a point of so many coordinates that no URL holds it."""
    if not any(delta) or len(delta) > LINKABLE_COORDINATES:
        return ""
    return base64.urlsafe_b64encode(np.asarray(delta, "<f4").tobytes()).decode().rstrip("=")


def decode_point(text: str, latent_dim: int) -> tuple[float, ...]:
    """Raises InvalidInput for text that is no point of that many finite coordinates."""
    if not text:
        return (0.0,) * latent_dim
    try:
        point = np.frombuffer(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "<f4")
    except ValueError:
        raise InvalidInput("the link's u is not a point of this set. The centre is shown instead.") from None
    if len(point) != latent_dim or not (np.abs(point) <= LARGEST_COORDINATE).all():
        raise InvalidInput(f"the link's u is not a point of {latent_dim} finite coordinates. The centre is shown instead.")
    return tuple(map(float, point))


def checked(link: Link, learned: LearnedSet) -> tuple[Link, list[str]]:
    """The link with every value that this model does not have replaced, and a sentence for each."""
    checks, epsilon = Checks(link), learned.radius
    checks.subject(len(learned.images), learned.images.class_names)
    checks.refuse("radius", link.radius is not None and not 0 <= link.radius <= epsilon * (1 + 1e-6), f"expected 0 to ε = {epsilon:.4g}")
    checks.refuse("axes", len(set(link.axes)) != 2 or not all(0 <= axis < len(learned.directions.vectors) for axis in link.axes), "two directions")
    checks.among("amplify", AMPLIFY)
    stops = link.stops
    types = len(learned.pairs.type_names)
    shown = types if types > 1 else REAL_PAIRS
    distinct = len(set(stops)) == len(stops) and 2 <= len(stops) <= 3 and all(-1 <= stop < shown for stop in stops)
    checks.refuse("stops", not distinct, f"two or three different ones from -1, the centre, to {shown - 1}")
    checks.refuse("iterate", not 0 <= link.iterate <= SEARCH_STEPS, f"expected 0 to {SEARCH_STEPS}")
    checks.refuse("parameter", link.parameter not in range(max(1, len(learned.pairs.parameter_names))), "no parameter of these pairs")
    checks.refuse("position", not 0 <= link.position < SWEEP_STEPS, f"expected 0 to {SWEEP_STEPS - 1}")
    checks.among("count", COUNTS)
    checks.refuse("alpha", not ALPHAS[0] <= link.alpha <= ALPHAS[1], f"expected {ALPHAS[0]} to {ALPHAS[1]}")
    checks.refuse("height", not HEIGHTS[0] <= link.height <= HEIGHTS[1], f"expected {HEIGHTS[0]:g} to {HEIGHTS[1]:g}")
    checks.refuse("light", link.light not in range(len(learned.pairs.type_names) if lit(learned) else LIGHTS), "no light of these scenes")
    checks.among("resolution", FACTORS)
    last = STEPS * (len(checks.link.stops) - 1)
    checks.refuse("frame", not 0 <= link.frame <= last, f"expected 0 to {last}")
    try:
        norm, radius = math.hypot(*decode_point(link.u, learned.latent_dim)), epsilon if checks.link.radius is None else checks.link.radius
        if norm > radius * (1 + 1e-4) + 1e-6:
            checks.problems.append(f"The link's u has norm {norm:.4g}, outside the radius {radius:.4g}. Its projection onto the ball is shown.")
    except InvalidInput as error:
        checks.problems.append(str(error))
        checks.link = replace(checks.link, u="")
    return checks.link, checks.problems
