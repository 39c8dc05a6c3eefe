"""The Gaussian of the Manifold directions page: Figure 1, alive."""

import math
from dataclasses import asdict, replace

import streamlit as st

from explorer.errors import ExplorerError
from explorer.evaluation.gaussian_plane import LIMITS, Plane, PlaneSettings, plane
from explorer.figures import to_csv
from explorer.figures.gaussian_directions import figure1, panels

from .components import download
from .live_budgets import Slider
from .live_gaussian import committed_numbers, live_gaussian
from .live_scenes import SCENES, NumberScene
from .manifold_directions_link import Link, plane_of

KEY = "manifold_directions.gaussian"
DRAGGED = ("first", "second", "angle", "off", "on")
LARGEST_RADIUS = 3.0
HEADINGS = ("", "off the manifold", "on the manifold")
SAYS = (
    "Left: an attack on the data themselves moves them where they vary least, and off their manifold; training against it learns a distribution that is wider "
    "there. Right: an attack on the latents of a generative model (probabilistic PCA) moves along the data, and training against it widens them where they vary most. "
    "Ellipses are at one standard deviation; grey is what may be added to a point; all of it is exact, from the closed forms of Theorems 2 and 4 to 6."
)


def show_gaussian(link: Link, revision: int) -> Link:
    """The controls, the drawing and its numbers; the link with what was chosen."""
    st.caption(SAYS)
    left, right = st.columns(2)
    given = left.segmented_control(
        "Drag", ["radius", "multiplier"], default=link.given, required=True, key=f"given-{revision}", format_func={"radius": "radii ε", "multiplier": "multipliers L"}.get,
        help="A radius is the root of E‖Δ‖². L is the Lagrange multiplier of that constraint: the larger, the smaller the radius.",
    )  # fmt: skip
    latents = right.segmented_control("Latents of the generative model", [1, 2], default=link.latents, required=True, key=f"latents-{revision}", help="With one, what it decodes lies on a line, and the variance beside it is the model's noise.")
    if given != link.given:  # the same attack, told by its other number
        link = _retold(link, given)
    link = replace(link, given=given, latents=latents)
    sliders, place = sliders_of(given), f"{revision}-{given}-{latents}"
    values, socket = committed_numbers(KEY, place, {name: getattr(link, name) for name in DRAGGED}, sliders)
    link = replace(link, **values)
    if socket == "unavailable":
        st.warning("The live connection could not be opened, so the drawing follows on release only. A proxy may block WebSockets.")
    token = SCENES.register(("gaussian", given, latents), lambda: NumberScene(lambda _, *numbers: shown(_settings(numbers, given, latents)), further=(5, 5)))
    try:
        committed = shown(plane_of(link))
    except ExplorerError as error:
        committed = {"panels": [], "rows": [[str(error)]]}
    live_gaussian(token=token, revision=place, settings=values, sliders=sliders, committed=committed, key=KEY)
    if committed["panels"]:
        with st.container(horizontal=True):
            download("SVG", lambda: figure1(plane(plane_of(link))).encode(), "gaussian.svg", "image/svg+xml")
            columns = list(zip(*committed["rows"][1:]))
            download("CSV", lambda: to_csv(dict(zip(("number", *HEADINGS[1:]), columns))), "gaussian.csv", "text/csv")
    return link


def sliders_of(given: str) -> list[Slider]:
    low, high = LIMITS["off"]
    ends = (low, LARGEST_RADIUS) if given == "radius" else (0.5, high)
    names = {"radius": ("Radius of the data's perturbation", "Radius of the latents' perturbation"), "multiplier": ("L of the data's perturbation", "L of the latents' perturbation")}[given]
    meaning = "the root of E‖Δ‖²; it fixes L" if given == "radius" else "it fixes the radius"
    return [
        Slider("first", "Variance along the first direction", *LIMITS["first"], (), help="λ₁, an eigenvalue of Σ*"),
        Slider("second", "Variance along the second", *LIMITS["second"], (), help="λ₂, an eigenvalue of Σ*"),
        Slider("angle", "Angle of the first direction", *LIMITS["angle"], (), False, 1.0, "°", help="It turns all drawings alike"),
        Slider("off", names[0], *ends, (), help=meaning),
        Slider("on", names[1], *ends, (), help=meaning),
    ]


def shown(settings: PlaneSettings) -> dict:
    """The drawings and the table, as the live control takes them. Raises InvalidInput."""
    found = plane(settings)
    return {"panels": [asdict(each) for each in panels(found)], "rows": rows(found)}


def rows(found: Plane) -> list[list[str]]:
    """What both attacks are in numbers, a row each, headings first."""
    sides = (found.off, found.on)
    variances = found.variances
    listed = [
        ("radius ε", [_text(side.radius) for side in sides]),
        ("L at the true parameters", [_text(side.multiplier) for side in sides]),
        ("energy along the first direction", ["—" if side.share is None else f"{100 * side.share[0]:.1f} %" for side in sides]),
        ("excess risk, nats", [_text(side.risk) for side in sides]),
        ("L at the saddle point", [_text(side.saddle_multiplier) for side in sides]),
        ("first variance grows by", [_text(side.saddle[0] / variances[0]) for side in sides]),
        ("second variance grows by", [_text(side.saddle[1] / variances[1]) for side in sides]),
    ]
    return [list(HEADINGS), *([name, *values] for name, values in listed)]


def _retold(link: Link, given: str) -> Link:
    """The same attacks by radii or by multipliers, as far as the sliders reach."""
    try:
        found = plane(plane_of(link))
    except ExplorerError:
        return link
    ends = {each.key: (each.low, each.high) for each in sliders_of(given)}
    values = {name: side.radius if given == "radius" else side.multiplier for name, side in (("off", found.off), ("on", found.on))}
    return replace(link, **{name: float(f"{min(max(value, ends[name][0]), ends[name][1]):.3g}") for name, value in values.items()})


def _settings(numbers: tuple[float, ...], given: str, latents: int) -> PlaneSettings:
    return PlaneSettings(**dict(zip(DRAGGED, numbers)), given=given, latents=latents)


def _text(value: float) -> str:
    return "∞" if math.isinf(value) else f"{value:.3g}"
