"""The panels of the Corruptions page below its gallery's controls, by name."""

from dataclasses import replace

import streamlit as st

from explorer.data.corruptions import CORRUPTIONS, applicable
from explorer.evaluation.corruption_statistics import STATISTICS, CorruptionStatistics
from explorer.figures import Provenance, to_csv
from explorer.figures.corruptions import UNITS, severity_figure, spoken
from explorer.studies.corruptions import curves

from . import model_choice
from .classifier_choice import trained_nominally
from .components import download
from .corruptions_gallery import View, show_gallery
from .corruptions_link import MAX_MODELS, Link
from .corruptions_runs import compare_errors
from .library import Found
from .run_each import choose_count, run_each
from .working import work_in_background

CURVE_IMAGES = 64


def choose_models(link: Link, known: dict[str, Found], revision: int) -> tuple[Link, list[str]]:
    """The link with up to four classifiers, first one that has learned no corruption. Also what was wrong in it."""
    plain = sorted(known, key=lambda key: (not trained_nominally(known[key]), known[key].header.dataset.get("name") != "digits"))
    return model_choice.choose_models(
        link, known, MAX_MODELS, revision, what="classifier", label="Classifiers", changed={"image": 0, "label": "", "verdict": 0}, usual=plain[:1],
        help="The first gives the images. Others for images of the same size and classes are judged beside it.",
    )  # fmt: skip


def show_errors(link: Link, shown: View) -> Link:
    """Every chosen classifier on the test images under all corruptions, a run each."""
    opened = shown.models[0].opened
    channels = opened.images.images.shape[1]
    able = applicable(channels)
    left, middle, right = st.columns([4, 2, 2], vertical_alignment="bottom")
    names = left.multiselect("Corruptions", able, [name for name in link.names if name in able], format_func=spoken, placeholder=f"all {len(able)}", key=f"names-{shown.revision}")
    with right:
        link = replace(link, count=choose_count(link.count, len(opened.images), f"count-{shown.revision}"))
    cifar = opened.data.name == "cifar10"
    sources = {"made": "made here", "files": "CIFAR-10-C's files"}
    source = middle.selectbox(
        "Corrupted images", list(sources), list(sources).index(link.source if cifar else "made"), format_func=sources.get, disabled=not cifar, key=f"source-{shown.revision}",
        help="Made here from the clean images with the seed above, or read from the published files in the folder that EXPLORER_DATA names." if cifar else "There are published files of CIFAR-10 only: other images are corrupted here.",
    )  # fmt: skip
    link = replace(link, names=tuple(names), source=source if cifar else link.source)
    if missing := [spoken(name) for name in CORRUPTIONS if name not in able]:
        st.caption(f"{', '.join(missing)} change colours, which these images do not have; so there is no mean over all of CIFAR-10-C's 15.")
    run_each("corruption_errors", shown.models, {"names": names, "source": source, "limit": link.count or None}, link.seed, compare_errors)
    return link


def show_curves(link: Link, shown: View) -> Link:
    """What each corruption does to the first test images, over the severities."""
    model = shown.models[0]
    images = model.opened.images
    limit = min(CURVE_IMAGES, len(images))
    left, right = st.columns([2, 4], vertical_alignment="bottom")
    statistic = left.selectbox("Measure", STATISTICS, STATISTICS.index(link.statistic), format_func=lambda name: UNITS[name], key=f"statistic-{shown.revision}")
    able = applicable(images.images.shape[1])
    names = right.multiselect("Highlight", able, [name for name in link.names if name in able], format_func=spoken, placeholder="all corruptions", key=f"highlight-{shown.revision}")
    link = replace(link, statistic=statistic, names=tuple(names))

    def draw(found: dict[str, dict[int, CorruptionStatistics]]) -> None:
        st.plotly_chart(severity_figure(found, statistic, names), width="stretch", key=f"curves-{shown.revision}")
        st.caption(f"Means over the first {limit} test images, each with its own random numbers. Similarity does not fall with every severity: the published constants of glass blur, frost, spatter, saturate and elastic transform do not rise in step.")
        rows = [{"corruption": name, "severity": severity, **vars(each)} for name, curve in found.items() for severity, each in curve.items()]
        download("Curves (CSV)", lambda: to_csv(rows, Provenance(model.label, link.seed, None, {"images": limit})), "corruption-curves.csv", "text/csv")

    work_in_background(("corruption curves", model.opened.data.name, str(model.opened.data.root), limit, link.seed), lambda progress: curves(model.opened, limit, link.seed, progress), draw, noun="corruptions")
    return link


PANELS = {"Gallery": show_gallery, "Errors": show_errors, "Severity curves": show_curves}
