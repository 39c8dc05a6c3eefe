"""The Bounds page's radius: margins that follow it while it is dragged, and all methods after the release."""

from collections.abc import Mapping

import streamlit as st
import torch

from explorer.figures.bounds import FOUND, METHOD_COLOURS
from explorer.studies.bounds import NAMES, BoundsStudy, Margins, certified_margins, live_methods
from explorer.studies.classifiers import OpenedClassifier

from . import cache
from .bounds_link import Link, reach
from .live_intervals import LiveRadius, Series, committed_radius, live_intervals
from .live_scenes import SCENES, NumberScene

KEY = "bounds.live"
BELOW, ABOVE = 0.8, 1.5  # the ends of the axis, in units of the largest clean margin, unless the tightest method reaches further
MARKS = (Series("clean", "the image itself", "white", "circle", fixed=True), Series("attack", "PGD (attack found)", FOUND, "diamond"))


def dragged_radius(link: Link, opened: OpenedClassifier, place: str) -> LiveRadius:
    """The radius that was committed last, or the link's."""
    largest = reach(opened.radius)
    given = min(opened.radius, largest) if link.radius is None else link.radius
    return committed_radius(KEY, place, given, largest)


def drag(opened: OpenedClassifier, image: torch.Tensor, study: BoundsStudy, radius: float, identity: tuple, place: str) -> None:
    """The live control on this image, with what the page knows at its radius."""
    image, label = image.to(opened.device), study.label
    live = live_methods(cache.activations(opened.model, identity[:2], image), opened.device)

    def compute(at: float) -> dict:
        return {"radius": at, **_bars(certified_margins(opened.model, image, label, at, live))}

    token = SCENES.register(("bounds", *identity), lambda: NumberScene(compute, str(opened.device)))
    known = _bars(study.methods)
    least = float(study.attack.margins.min())
    nearest = opened.class_names[int(study.others[study.attack.margins.argmin()])]
    known["notes"]["attack"] = _note(f"smallest margin {_text(least)}" if least >= 0 else f"class {nearest} reached, margin {_text(least)}", least >= 0)
    known["notes"]["clean"] = _note(f"smallest margin {_text(float(study.clean.min()))}", float(study.clean.min()) > 0)
    shown = [method for method in NAMES if method in study.methods or method in live]
    live_intervals(
        token=token,
        radius=radius,
        reach=reach(opened.radius),
        ticks=[(opened.radius, f"trained for {opened.radius:g}")] if opened.radius else [],
        axis=_axis(study),
        rows=[opened.class_names[other] for other in study.others.tolist()],
        bars=[Series(method, NAMES[method], METHOD_COLOURS[NAMES[method]]) for method in shown],
        marks=MARKS,
        unit="margin",
        number=live[-1],
        committed={"radius": radius, "marks": {"clean": _numbers(study.clean), "attack": _numbers(study.attack.margins)}, **known},
        revision=place,
        key=KEY,
    )


def warn_of_socket(state: LiveRadius) -> None:
    """Where no socket can be opened the control still commits its radius on release."""
    if state.socket == "unavailable":
        st.warning("The live connection could not be opened, so the numbers follow on release only. A proxy may block WebSockets.")


def _axis(study: BoundsStudy) -> tuple[float, float]:
    """It stays as it is while the radius is dragged, so that the bars are seen to grow."""
    extent, tightest = max(1e-3, float(study.clean.abs().max())), list(study.methods.values())[-1]
    return min(-BELOW * extent, 1.1 * float(tightest.lower.min())), max(ABOVE * extent, 1.1 * float(tightest.upper.max()))


def _bars(methods: Mapping[str, Margins]) -> dict:
    """Intervals and verdicts in the form of the live control."""
    notes = {}
    for method, margins in methods.items():
        least = float(margins.lower.min())
        notes[method] = _note(f"{'' if margins.certified else 'not '}certified, margin ≥ {_text(least)}", margins.certified)
    return {"bars": {method: [_numbers(margins.lower), _numbers(margins.upper)] for method, margins in methods.items()}, "notes": notes}


def _note(text: str, good: bool) -> dict:
    return {"text": text, "good": good}


def _text(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")


def _numbers(values: torch.Tensor) -> list[float]:
    return [float(f"{value:.5g}") for value in values.tolist()]
