"""The controls of the Bounds page: which classifier, by which methods, and how hard the attack tries."""

from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st
import torch

from explorer.models.classifiers import KIND
from explorer.studies.bounds import NAMES, BoundsStudy, Settings, affordable_methods
from explorer.studies.classifiers import OpenedClassifier

from . import cache, image_choice
from .bounds_link import PAGE, STEPS, Link, checked
from .components import plain
from .image_choice import Link as AnyLink
from .library import Found, checkpoint_path, find_checkpoints

BUDGETED = "budgeted_classifier"  # by the name of its model


@dataclass(frozen=True)
class Subject:
    """The image whose neighbourhood is bounded, and the label that the margins are of. `identity` says of which version of which
    checkpoint, and of which image."""

    image: torch.Tensor
    label: int
    name: str
    identity: tuple
    note: str = ""


def classifiers(folders: tuple[str, ...]) -> list[Found]:
    """Those trained on bounds first, and those with budgets of their own last."""
    found = [each for each in find_checkpoints(folders) if each.header and each.header.kind == KIND]
    return sorted(found, key=lambda each: (each.header.model == BUDGETED, *shown_later(each)))


def shown_later(found: Found) -> tuple[bool, bool, bool]:
    """Whether a page's first view is better of another classifier: one of the embedded digits, trained on bounds, and of others a nominal one."""
    training = found.header.training
    return "budgets" not in training, found.header.dataset.get("name") != "digits", training.get("corruption", "none") != "none"


def choose_classifier(link: Link, names: list[str], folders: tuple[str, ...], revision: int) -> tuple[Link, Path]:
    """The link with the chosen checkpoint, and its file. Raises UnknownName, or OSError."""
    model = st.selectbox("Classifier", names, names.index(link.model) if link.model in names else 0, key=f"model-{revision}")
    if link.model and model != link.model:
        link = replace(link, image=0, radius=None, methods=())
    return replace(link, model=model), checkpoint_path(model, folders)


def open_checked(link: Link, path: Path) -> tuple[Link, OpenedClassifier, list[str]]:
    """The classifier, and the link as far as it can be shown. Raises ExplorerError or OSError."""
    opened = cache.classifier(path)
    link, problems = checked(link, opened)
    return link, opened, [*problems, *([opened.note] if opened.note else [])]


def describe(opened: OpenedClassifier) -> str:
    """Where the classifier comes from, in a line."""
    header = opened.checkpoint.header
    count = sum(each.numel() for each in opened.model.parameters())
    return f"{plain(header.model)}, {count:,} parameters, for images of {plain(header.dataset.get('name'))}{how_trained(opened)}. The box is x ± radius, cut to [0, 1]; a margin is the label's logit minus another class's."


def how_trained(opened: OpenedClassifier) -> str:
    """In words, for how large a set; or where a classifier of somebody else's comes from."""
    if opened.imported:
        return f", imported from {plain(opened.imported)}"
    if not opened.radius:
        return ""
    return f", trained on bounds over ± {opened.radius:.3g}" if "budgets" in opened.checkpoint.header.training else f", trained for radius {opened.radius:.3g}"


def choose_subject(link: AnyLink, opened: OpenedClassifier, path: Path, revision: int, page: str = PAGE) -> tuple[AnyLink, Subject | None, list[str]]:
    """The image: margins are of its label, or of the class that the classifier sees in an uploaded picture."""
    link, chosen, problems = image_choice.choose_image(link, opened.images, page, revision)
    if chosen is None:
        return link, None, problems
    seen, names = int(opened.logits(chosen.image).argmax()), opened.class_names
    label = seen if chosen.label is None else chosen.label
    name, note = chosen.name, ""
    if chosen.label is None:
        name = f"{chosen.name}, classified as {names[seen]}"
    elif seen != label:
        note = f"The classifier takes {chosen.name} for {names[seen]}: its margin to that class is negative, so no box around it can be certified."
    return link, Subject(chosen.image.to(opened.device), label, name, (str(path), path.stat().st_mtime_ns, chosen.key, label), note), problems


def choose_methods(link: Link, opened: OpenedClassifier, subject: Subject, revision: int) -> tuple[Link, Settings | None]:
    """Methods and attack steps; the settings but for the radius, None where no method is chosen."""
    usual = affordable_methods(cache.activations(opened.model, subject.identity[:2], subject.image), opened.device)
    methods = link.methods or usual
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        reason = "" if len(usual) == len(NAMES) else " This classifier is large: CROWN and α-CROWN may take minutes."
        chosen = st.pills("Methods", list(NAMES), selection_mode="multi", default=list(methods), format_func=NAMES.get, key=f"methods-{link.model}-{revision}", help=f"IBP and CROWN-IBP follow the slider, IBP alone for large classifiers; the others are computed on release.{reason}")
    with right:
        steps = st.select_slider("Steps of the attack", STEPS, link.steps, key=f"steps-{revision}", help="PGD on each margin from two random starts; 0 only samples.")
    ordered = tuple(method for method in NAMES if method in chosen)
    link = replace(link, methods=() if ordered == usual else ordered, steps=steps)
    return link, Settings(0.0, ordered, steps=steps, seed=link.seed) if ordered else None


def study(opened: OpenedClassifier, subject: Subject, settings: Settings, radius: float) -> BoundsStudy:
    """Everything at the committed radius, computed once. Raises ExplorerError."""
    return cache.bounds_study(opened.model, subject.identity, subject.image, subject.label, replace(settings, radius=radius))
