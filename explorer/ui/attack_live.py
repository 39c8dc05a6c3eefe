"""The Attack page's radius: one step of the attack follows it while it is dragged, and the whole attack after the release."""

import math
from typing import Any

import streamlit as st
import torch

from explorer.attacks import cross_entropy, fgsm
from explorer.figures import difference, pixels
from explorer.figures.bounds import FOUND
from explorer.figures.theory import ACCENT
from explorer.randomness import Streams
from explorer.studies.classifiers import OpenedClassifier

from .attack_link import PAGE, Link
from .attack_work import View
from .bounds import Subject
from .live_attack import live_attack, packed
from .live_intervals import LiveRadius, Series, committed_radius, live_intervals
from .live_scenes import SCENES, NumberScene
from .threat_choice import Chosen
from .turns import TURNS

KEY = f"{PAGE}.live"
STEP_COLOUR = "#3a7fc4"
MARKS = (Series("clean", "the image itself", "white", "circle", fixed=True), Series("step", "one step, live", STEP_COLOUR, "diamond"), Series("attack", "the attack", FOUND, "diamond"))
BARS = (Series("moved", "moved by the attack", ACCENT),)


def dragged_radius(link: Link, opened: OpenedClassifier, threat: Chosen, place: str) -> LiveRadius:
    """The radius that was committed last, or the link's."""
    reach = threat.reach(opened)
    given = threat.usual(opened) if link.radius is None else link.radius
    return committed_radius(KEY, place, min(given, reach), reach)


def warn_of_socket(state: LiveRadius) -> None:
    if state.socket == "unavailable":
        st.warning("The live connection could not be opened, so picture and logits follow on release only. A proxy may block WebSockets.")


def drag(shown: View) -> None:
    """The live control on the first classifier and this image, with what the page knows at its radius."""
    first, subject, names = shown.models[0].opened, shown.subject, shown.class_names
    clean = first.logits(subject.image)[0]
    reach = shown.threat.reach(first)
    fraction = shown.threat.name in ("linf", "budgets")
    committed: dict[str, Any] = {
        "radius": shown.radius, "marks": {"clean": numbers(clean)}, "bars": {}, "notes": {"clean": logits_note(clean, subject.label, names)},
        "pictures": {"clean": packed(pixels(subject.image)[0])}, "factor": 1,
        "about": {"unit": shown.threat.unit, "fraction": fraction, "size": list(subject.image.shape[2:]), "how": "the strongest found"},
    }  # fmt: skip
    if shown.paths:
        path = shown.paths[0]
        found = path.logits[path.best]
        committed["marks"]["attack"], committed["notes"]["attack"] = numbers(found), logits_note(found, subject.label, names)
        committed["bars"]["moved"] = between(clean, found)
        committed |= pictures(subject.image.cpu(), path.frames[[path.best]])
        committed["pictures"]["clean"] = packed(pixels(subject.image)[0])
    extent = max(1e-3, float(clean.abs().max()), *([float(each.logits.abs().max()) for each in shown.paths[:1]] if shown.paths else []))
    trained = [(first.radius, f"trained for {first.radius:g}")] if first.radius and fraction and first.radius <= reach else []
    live_intervals(
        token=SCENES.register(("attack", shown.models[0].identity, subject.identity, shown.threat.name, shown.threat.identity), lambda: _scene(first, subject, shown.threat)),
        radius=shown.radius, reach=reach, step=_step(reach), ticks=trained, axis=(-1.15 * extent, 1.15 * extent), rows=list(names), bars=BARS, marks=MARKS,
        unit="logit", number="", committed=committed, revision=shown.revision, key=KEY, component=live_attack,
    )  # fmt: skip


def _scene(opened: OpenedClassifier, subject: Subject, threat: Chosen) -> NumberScene:
    """One step from the centre of the set at any radius."""
    image, label = subject.image.to(opened.device), torch.tensor([subject.label], device=opened.device)
    clean, names = opened.logits(subject.image)[0], opened.class_names

    def compute(radius: float) -> dict[str, Any]:
        with TURNS.first():
            found = fgsm(threat.build(radius, opened).at(image, label), cross_entropy(opened.model, label), streams=Streams(0, [0])).perturbed
            with torch.inference_mode():
                logits = opened.model(found)[0].cpu()
        return {
            "radius": radius, "marks": {"step": numbers(logits)}, "bars": {"moved": between(clean, logits)}, "notes": {"step": logits_note(logits, subject.label, names)},
            **pictures(subject.image.cpu(), found.cpu()),
        }  # fmt: skip

    return NumberScene(compute, str(opened.device))


def factor_of(clean: torch.Tensor, attacked: torch.Tensor) -> int:
    """A power of two that makes a difference visible."""
    return 2 ** max(0, int(math.log2(1 / max(float((attacked - clean).abs().max()), 1 / 64))))


def pictures(clean: torch.Tensor, attacked: torch.Tensor) -> dict[str, Any]:
    factor = factor_of(clean, attacked)
    return {"pictures": {"attacked": packed(pixels(attacked)[0]), "difference": packed(difference(attacked, clean, factor)[0])}, "factor": factor}


def between(one: torch.Tensor, other: torch.Tensor) -> list[list[float]]:
    return [numbers(torch.minimum(one, other)), numbers(torch.maximum(one, other))]


def logits_note(logits: torch.Tensor, label: int, names: tuple[str, ...]) -> dict[str, Any]:
    others = logits.clone()
    others[label] = -math.inf
    margin = float(logits[label] - others.max())
    return {"text": f"seen as {names[int(logits.argmax())][:24]}, margin {margin:.2f}".replace("-", "−"), "good": margin >= 0}


def numbers(values: torch.Tensor) -> list[float]:
    return [float(f"{value:.5g}") for value in values.tolist()]


def _step(reach: float) -> float:
    """A round one, of which the slider has some hundreds."""
    return 10.0 ** math.floor(math.log10(reach / 100))
