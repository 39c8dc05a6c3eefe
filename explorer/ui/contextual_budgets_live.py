"""The Contextual budgets page's control: volume, range and drawing that move budgets and verdicts while they are dragged."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
import torch

from explorer.errors import InvalidInput
from explorer.figures.bounds import FOUND, METHOD_COLOURS
from explorer.figures.budget_maps import COLOURS
from explorer.papers.contextual_budgets.exploration import Drawing, Explored, Settings, Surroundings, explore
from explorer.studies.bounds import NAMES, live_methods

from . import cache
from .bounds import Subject
from .contextual_budgets import sources_of
from .contextual_budgets_link import PAGE, Link, generates, given_state, own, sliders
from .contextual_budgets_work import View, attack_note, surroundings_of
from .live_budgets import BudgetState, Lane, committed_budgets, live_budgets, pack
from .live_scenes import SCENES, NumberScene
from .model_choice import Model
from .turns import TURNS

KEY = f"{PAGE}.live"


def dragged(link: Link, models: Sequence[Model], place: str) -> BudgetState:
    """What was committed last, or what the link asks for."""
    opened = [each.opened for each in models]
    channels, height, width = opened[0].model.image_shape
    return committed_budgets(KEY, place, given_state(link, opened), sliders(opened), height * width, channels)


def warn_of_socket(state: BudgetState) -> None:
    """Where no socket can be opened the control still commits what was dragged or drawn on release."""
    if state.socket == "unavailable":
        st.warning("The live connection could not be opened, so budgets and verdicts follow on release only. A proxy may block WebSockets.")


def drag(link: Link, shown: View) -> None:
    """The live control on these models and this image, with what the page knows at its settings."""
    models, subject, opened = shown.models, shown.subject, [each.opened for each in shown.models]
    chosen = tuple((each.identity, sources_of(link, each, models)) for each in models)
    lanes = [
        Lane(f"{models.index(each.model)}-{each.source}", each.title(shown.class_names[subject.label]), each.model.label, _numbers(each.around.clean), each.source == "drawn")
        for each in shown.lanes
    ]  # fmt: skip
    method, how = NAMES[link.method], f"PGD, {link.steps} steps"
    extent = max(1e-3, *(float(each.around.clean.abs().max()) for each in shown.lanes))
    live_budgets(
        token=SCENES.register(("budgets", chosen, subject.identity[2:], link.method), lambda: _scene(link, models, subject)),
        revision=shown.revision,
        state=shown.state,
        sliders=sliders(opened, any(each.drawn for each in lanes)),
        lanes=lanes,
        rows=shown.others,
        axis=(-1.05 * extent, 1.05 * extent),
        image=subject.image[0].cpu().numpy(),
        subject=subject.name[:100],
        committed=[_values(each.known, method, how if each.found else "one step") for each in shown.lanes],
        note=attack_note(link, shown),
        colours=COLOURS,
        colour=METHOD_COLOURS["CROWN-IBP"],
        found_colour=FOUND,
        darkest=10.0 ** math.floor(min(math.log10(own(each)["alpha"] * own(each)["volume"]) for each in opened)),
        generates=any(map(generates, opened)),
        key=KEY,
    )


def _scene(link: Link, models: Sequence[Model], subject: Subject) -> NumberScene:
    """Budgets and verdicts of every lane at any volume, range and drawing."""
    parts = []
    for each in models:
        around = surroundings_of(each, subject)
        usual = live_methods(cache.activations(each.opened.model, each.identity, around.image), each.opened.device)
        parts.append((around, sources_of(link, each, models), link.method if link.method in usual else usual[-1]))
    height, width = subject.image.shape[2:]

    def compute(volume: float, alpha: float, alpha_bar: float, uniform: float, keep: float, *octaves: float) -> dict[str, Any]:
        if octaves and len(octaves) != height * width:
            raise InvalidInput(f"the drawing has {len(octaves)} numbers, expected one for each of {height} × {width} pixels")
        drawn = torch.tensor(octaves).reshape(height, width) if octaves else torch.zeros(height, width)
        drawing = Drawing(drawn, "uniform" if uniform else "learned", bool(keep))
        with TURNS.first():
            lanes = [value for part in parts for value in _explored(*part, (volume, alpha, alpha_bar), drawing)]
        return {"radius": volume, "lanes": lanes}

    return NumberScene(compute, str(models[0].opened.device), (4, 4 + height * width))


def _explored(around: Surroundings, sources: tuple[str, ...], method: str, threat: tuple[float, float, float], drawing: Drawing) -> list[Mapping[str, Any]]:
    return [_values(each, NAMES[method], "one step") for each in explore(around, sources, Settings(*threat, method), drawing).values()]


def _values(explored: Explored, method: str, how: str) -> dict[str, Any]:
    """Plain numbers, in the form of the live control."""
    return {
        "budgets": pack(explored.budgets[0].cpu().numpy()), "certified": _numbers(explored.certified), "found": _numbers(explored.found),
        "volume": explored.volume, "verdict": explored.verdict, "method": method, "how": how,
    }  # fmt: skip


def _numbers(values: torch.Tensor) -> list[float]:
    return [float(f"{value:.6g}") for value in values.tolist()]
