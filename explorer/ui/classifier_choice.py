"""Choosing several classifiers of images of the same size and the same classes, and the image that they are shown."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from explorer.models.classifiers import KIND

from . import bounds, cache, model_choice
from .bounds import BUDGETED, Subject
from .components import plain
from .library import Found, find_checkpoints
from .model_choice import Model, is_half

Link = TypeVar("Link")  # with the fields model, image and radius


def known_classifiers(folders: tuple[str, ...]) -> dict[str, Found]:
    """By key; the halves that a training leaves behind last, and those with budgets after the others."""
    found = [each for each in find_checkpoints(folders) if each.header and each.header.kind == KIND]
    found.sort(key=lambda each: (is_half(each), each.header.model == BUDGETED, *bounds.shown_later(each)))
    return {each.key: each for each in found}


def trained_nominally(found: Found) -> bool:
    """Whether it is one that AdA's trainings are compared with: nothing was done to its images but what is done to all."""
    training = found.header.training
    return training.get("corruption") == "none" and not training.get("augmix") and not training.get("deepaugment")


def choose_classifiers(link: Link, known: dict[str, Found], most: int, revision: int, **changed: object) -> tuple[Link, list[str]]:
    """The link with up to so many classifiers, and `changed` where the first is another one. Also what was wrong in it."""
    return model_choice.choose_models(
        link, known, most, revision, what="classifier", label="Classifiers", changed={"image": 0, "radius": None, **changed},
        help="The first is shown live. Others for images of the same size and classes stand beside it below.",
    )  # fmt: skip


def open_classifiers(keys: Sequence[str], known: dict[str, Found]) -> tuple[list[Model], list[str]]:
    """What can be opened of them and knows as many classes as the first; a sentence for each of the others."""
    models, problems = model_choice.open_models(keys, known, cache.classifier)
    fitting, others = model_choice.of_same_classes(models, lambda model: len(model.opened.class_names))
    return fitting, problems + others


def describe(models: Sequence[Model]) -> str:
    """What the classifiers are, in a line."""
    parts = []
    for each in models:
        header = each.opened.checkpoint.header
        count = sum(parameter.numel() for parameter in each.opened.model.parameters())
        parts.append(f"**{plain(each.label)}**: {plain(header.model)}, {plain(header.dataset.get('name'))}, {count:,} parameters{bounds.how_trained(each.opened)}")
    return " · ".join(parts)


def choose_subject(link: Link, models: Sequence[Model], revision: int, page: str, wrong: str) -> tuple[Link, Subject | None, list[str]]:
    """The image with its label, or the class that the first classifier sees in an upload. `wrong` says what a misclassified image means."""
    first = models[0]
    link, subject, problems = bounds.choose_subject(link, first.opened, first.path, revision, page)
    if subject is not None and subject.note:
        seen = first.opened.class_names[int(first.opened.logits(subject.image).argmax())]
        subject = replace(subject, note=f"{first.label} takes {subject.name} for {seen}: {wrong}")
    return link, subject, problems
