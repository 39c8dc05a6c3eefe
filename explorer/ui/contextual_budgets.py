"""The controls of the Contextual budgets page: which models, which image, which budgets, and how they are proved and attacked."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from explorer.bounds import METHODS
from explorer.models import BudgetedClassifier
from explorer.models.classifiers import KIND
from explorer.papers.contextual_budgets.exploration import SOURCES
from explorer.studies.bounds import NAMES

from . import bounds, cache, model_choice
from .bounds import BUDGETED, Subject
from .components import plain
from .contextual_budgets_link import MAX_LANES, MAX_MODELS, PAGE, STEPS, Link, generates
from .library import Found, find_checkpoints
from .model_choice import Model, is_half

LARGEST_DRAWING = 10_000  # pixels: the drawing travels with every request


def known_models(folders: tuple[str, ...]) -> dict[str, Found]:
    """Classifiers by key, those with a generator first and the halves that a training leaves behind last."""
    found = [each for each in find_checkpoints(folders) if each.header and each.header.kind == KIND]
    found.sort(key=lambda each: (is_half(each), each.header.model != BUDGETED))
    return {each.key: each for each in found}


def choose_models(link: Link, known: dict[str, Found], revision: int) -> tuple[Link, list[str]]:
    """The link with one or two models. Also what was wrong in it."""
    changed = {"image": 0, "volume": None, "alpha": None, "alpha_bar": None, "sources": (), "drawing": "", "channel": 0}  # the first model's images and numbers are shown
    return model_choice.choose_models(
        link, known, MAX_MODELS, revision, what="classifier", label="Classifiers", help="One, or two beside each other for images of the same size and classes.", changed=changed
    )


def open_models(keys: Sequence[str], known: dict[str, Found]) -> tuple[list[Model], list[str]]:
    """What can be opened of them and knows the first one's classes; a sentence for each of the others."""
    models, problems = model_choice.open_models(keys, known, cache.classifier)
    fitting, others = model_choice.of_same_classes(models, lambda model: model.opened.class_names)
    return fitting, problems + others


def describe(models: Sequence[Model]) -> str:
    """What the models are, in a line."""
    parts = []
    for each in models:
        header, model = each.opened.checkpoint.header, each.opened.model
        count = sum(parameter.numel() for parameter in model.parameters())
        trained = f"with learned budgets at ε0 = {each.opened.radius:.3g}, α = {model.alpha:g}, ᾱ = {model.alpha_bar:g}" if generates(each.opened) else f"with uniform budgets of {each.opened.radius:.3g}: it has no generator"
        parts.append(f"**{plain(each.label)}**: {plain(header.dataset.get('name'))}, {count:,} parameters, trained {trained}")
    return " · ".join(parts)


def choose_subject(link: Link, models: Sequence[Model], revision: int) -> tuple[Link, Subject | None, list[str]]:
    """The image, of the first model's test images; margins are of its label, or of the class that this model sees in an upload."""
    return bounds.choose_subject(link, models[0].opened, models[0].path, revision, PAGE)


def usual_sources(models: Sequence[Model]) -> tuple[str, ...]:
    """What stands beside each other first: learned budgets and uniform ones of one model, or those of two."""
    learned = any(generates(each.opened) for each in models)
    return (("learned",) if len(models) > 1 else ("learned", "uniform")) if learned else ("uniform",)


def choose_settings(link: Link, models: Sequence[Model], revision: int) -> tuple[Link, list[str]]:
    """Which budgets, and how they are proved and attacked; also what cannot be shown of it."""
    learns = any(generates(each.opened) for each in models)
    shape = models[0].opened.model.image_shape
    drawable = shape[1] * shape[2] <= LARGEST_DRAWING
    there = [source for source in SOURCES if (learns or source in ("uniform", "drawn")) and (drawable or source != "drawn")]
    usual = usual_sources(models)
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    reason = "" if learns else " Learned ones and class means need a classifier that was trained with a generator: experiments named budgets-…."
    chosen = left.pills(
        "Budgets", there, selection_mode="multi", default=[each for each in link.sources or usual if each in there], format_func=SOURCES.get, key=f"sources-{'-'.join(link.model)}-{revision}",
        help=f"Beside each other, at the same volume: those of the generator, one for all pixels, the mean over test images of the class, and what you draw on the map.{reason}",
    )  # fmt: skip
    methods = list(METHODS)
    with right.popover("Proof and attack", width="stretch"):
        method = st.selectbox("Proof by", methods, methods.index(link.method), format_func=NAMES.get, key=f"method-{revision}", help="CROWN and α-CROWN are tighter and slower; while you drag, it is CROWN-IBP or IBP.")
        steps = st.selectbox("Attack: steps", STEPS, STEPS.index(link.steps), key=f"steps-{revision}", help="Of PGD on each margin, from two random starts, after each release; while you drag, and for 0, one step.")
        seed = st.number_input("Seed of the attack", 0, 10**9, link.seed, key=f"seed-{revision}", help="Of its random starts.")
    ordered, problems = tuple(source for source in SOURCES if source in chosen), []
    if missing := [SOURCES[each] for each in link.sources if each not in there]:
        problems.append(f"There are no {' and '.join(missing)} budgets here." + (" The classifier has no generator." if not learns else ""))
    if len(models) * len(ordered) > MAX_LANES:
        kept = ordered[: MAX_LANES // len(models)]
        problems.append(f"At most {MAX_LANES} maps fit beside each other: {', '.join(SOURCES[each] for each in ordered[len(kept):])} budgets are left out.")
        ordered = kept
    return replace(link, sources=() if ordered == usual else ordered, method=method, steps=steps, seed=seed), problems


def sources_of(link: Link, model: Model, models: Sequence[Model]) -> tuple[str, ...]:
    """The budgets that are shown of one model, drawn ones first, below the tools; uniform ones where it has none of those that were chosen."""
    chosen = sorted(link.sources or usual_sources(models), key=lambda each: each != "drawn")
    has = isinstance(model.opened.model, BudgetedClassifier)
    return tuple(each for each in chosen if has or each in ("uniform", "drawn")) or ("uniform",)
