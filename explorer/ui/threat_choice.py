"""Choosing the set that a classifier is attacked or certified in, with the model that it needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import streamlit as st

from explorer.checkpoints import Checkpoint, load
from explorer.errors import ExplorerError
from explorer.hardware import pick_device
from explorer.models import BudgetedClassifier, ClassConditionalVAE, ConditionalVAE
from explorer.sets import PerturbationSet
from explorer.studies.classifiers import OpenedClassifier
from explorer.studies.threats import THREATS, Threat, build_set

from .library import Found, find_checkpoints

Link = TypeVar("Link")  # with the fields threat and other
HOLDS = {ConditionalVAE: ("learned_set",), ClassConditionalVAE: ("class_cvae",), BudgetedClassifier: ("classifier",)}
TITLES = {name: kind.title for name, kind in THREATS.items()}
SMALLEST_REACH, REACH = 0.3, 3  # of the ℓ∞ slider: at least, and so many times the radius of the training


@dataclass(frozen=True, eq=False)
class Chosen:
    """A kind of set, and the model that it needs, where it needs one. `identity` says which version of which file that is; a budgeted
    classifier brings its own."""

    name: str
    key: str = ""
    path: Path | None = None
    checkpoint: Checkpoint | None = None
    identity: tuple = ()

    def at(self, radius: float) -> Threat:
        return Threat(self.name, radius, str(self.path) if self.path else None)

    def build(self, radius: float, classifier: OpenedClassifier) -> PerturbationSet:
        """Raises InvalidInput where the model does not fit the classifier."""
        return build_set(self.at(radius), classifier.model, classifier.device, self.checkpoint)

    @property
    def unit(self) -> str:
        return THREATS[self.name].unit

    def usual(self, classifier: OpenedClassifier) -> float:
        """The radius that is shown first: that of the training, where it was of such a set; else one that is often asked for."""
        if self.name in ("linf", "budgets"):
            return min(classifier.radius or THREATS[self.name].usual, self.reach(classifier))
        trained = float(self.checkpoint.header.radius) if self.checkpoint else 0.0
        return trained or THREATS[self.name].usual

    def reach(self, classifier: OpenedClassifier) -> float:
        """The largest radius of the slider."""
        if self.name in ("linf", "budgets"):
            return round(min(1.0, max(SMALLEST_REACH, REACH * classifier.radius)), 3)
        trained = float(self.checkpoint.header.radius) if self.checkpoint else 0.0
        return round(1.5 * trained, 3) if trained else THREATS[self.name].largest


def choose_threat(link: Link, opened: OpenedClassifier, folders: tuple[str, ...], revision: int, named: Mapping[str, str] = TITLES, label: str = "Set") -> tuple[Link, Chosen | None, list[str]]:
    """The link with the kind of set, by the name it has on the page, and its model; None and a sentence where there is no model for it."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    name = left.selectbox(label, list(named), list(named).index(link.threat) if link.threat in named else 0, format_func=named.get, key=f"threat-{revision}")
    if name != link.threat:
        link = replace(link, threat=name, other="", radius=None)
    needs = THREATS[name].needs
    if needs is None or (needs is BudgetedClassifier and isinstance(opened.model, BudgetedClassifier)):
        return replace(link, other=""), Chosen(name), []
    known = {each.key: each for each in _fitting(find_checkpoints(folders), needs, opened)}
    if not known:
        return link, None, [f"No model for {THREATS[name].title} with images of {' × '.join(map(str, opened.model.image_shape))} was found. Train one: python -m explorer.train {_trainable(name)}."]
    problems = [f"The link's model {link.other[:60]!r} is none for this set that is here."] if link.other and link.other not in known else []
    key = right.selectbox("of", list(known), list(known).index(link.other) if link.other in known else 0, key=f"other-{name}-{opened.name}-{revision}")
    path = known[key].path
    try:
        checkpoint = _checkpoint(str(path), path.stat().st_mtime_ns, str(pick_device()))
    except (ExplorerError, OSError) as error:
        return link, None, [*problems, f"{key}: {error}"]
    if key != (link.other or next(iter(known))):
        link = replace(link, radius=None)
    return replace(link, other="" if key == next(iter(known)) else key), Chosen(name, key, path, checkpoint, (str(path), path.stat().st_mtime_ns)), problems


@st.cache_resource(max_entries=8, show_spinner="Opening the checkpoint …")
def _checkpoint(path: str, modified: int, device: str) -> Checkpoint:
    return load(path, device)


def _fitting(found: Sequence[Found], needs: type, opened: OpenedClassifier) -> list[Found]:
    """Of the kind, for images of the classifier's size as far as their headers tell; those of its data set first."""
    known = [each for each in found if each.header and each.header.kind in HOLDS[needs] and each.path.stem not in ("best", "last")]
    known = [each for each in known if needs is not BudgetedClassifier or each.header.model == "budgeted_classifier"]
    channels, height, width = opened.model.image_shape
    sized = [each for each in known if _config(each, "height", height) == height and _config(each, "width", width) == width and _config(each, "channels", channels) == channels]
    return sorted(sized, key=lambda each: each.header.dataset.get("name") != opened.data.name)


def _config(found: Found, name: str, otherwise: int) -> int:
    own = found.header.model_config
    return own.get(name, own.get("classifier_config", {}).get(name, otherwise) if isinstance(own.get("classifier_config"), dict) else otherwise)


def _trainable(name: str) -> str:
    return {"budgets": "budgets-digits", "latent": "digits-linf"}.get(name, "class-cvae-digits")
