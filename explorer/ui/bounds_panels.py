"""The panels below the live control of the Bounds page, by name."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from explorer.figures import Provenance, difference, pixels, strip, to_csv, to_json
from explorer.figures.bounds import margin_intervals, widths_by_layer
from explorer.studies.bounds import NAMES, BoundsStudy, certified_radius
from explorer.studies.classifiers import OpenedClassifier
from explorer.types import Inner, Progress

from . import cache
from .bounds_link import Link
from .components import download, png_button, show_row
from .working import work_in_background

LAYER_METHODS = ("ibp", "crown")


@dataclass(frozen=True)
class View:
    """What the page shows above its panels: the classifier, the image, and the study at the committed radius. `identity` says of which
    version of which checkpoint and image."""

    opened: OpenedClassifier
    image: torch.Tensor
    name: str
    identity: tuple
    study: BoundsStudy
    radius: float
    methods: tuple[str, ...]
    provenance: Provenance
    revision: str


def show_margins(link: Link, view: View) -> None:
    """Every number of the study: the figure, the table, and files of them."""
    study, names = view.study, [view.opened.class_names[other] for other in view.study.others.tolist()]
    certified = {NAMES[method]: (margins.lower, margins.upper) for method, margins in study.methods.items()}
    title = f"Margins of {view.name} over ± {view.radius:.3f}"
    st.plotly_chart(margin_intervals(names, study.clean, certified, study.attack.margins, title), width="stretch", key=f"margins-{view.revision}")
    st.caption(
        "*Certified*: no image of the box has a margin outside the bar (float32, rounding to nearest). *Attack found*: the smallest margin that PGD came upon, "
        "so the true minimum lies between the bars' left ends and the diamond. A bar is not always inside the one of a "
        "looser method: each chooses its slopes by the intervals that it has. Bars far beyond the tightest are cut at the axis; the table has all numbers."
    )
    rows = margin_rows(view)
    st.dataframe(rows, hide_index=True, width="stretch", key=f"margins-table-{view.revision}")
    with st.container(horizontal=True):
        download("CSV", lambda: to_csv(rows, view.provenance), "margins.csv", "text/csv")
        download("JSON", lambda: to_json({"margins": rows, "certified": {method: each.certified for method, each in study.methods.items()}}, view.provenance), "margins.json", "application/json")


def margin_rows(view: View) -> list[dict]:
    """A row for each other class."""
    rows = []
    for index, other in enumerate(view.study.others.tolist()):
        row = {"other class": view.opened.class_names[other], "the image itself": round(float(view.study.clean[index]), 5)}
        row["attack found (PGD)"] = round(float(view.study.attack.margins[index]), 5)
        for method, margins in view.study.methods.items():
            row |= {f"{NAMES[method]} ≥": round(float(margins.lower[index]), 5), f"{NAMES[method]} ≤": round(float(margins.upper[index]), 5)}
        rows.append(row)
    return rows


def show_layers(link: Link, view: View) -> None:
    """How the intervals widen from the input to the logits."""
    methods = [method for method in LAYER_METHODS if method == "ibp" or method in view.methods]
    found = {NAMES[method]: cache.layer_widths(view.opened.model, view.identity, view.image, view.radius, method) for method in methods}
    layers = [layer.name for layer in found["IBP"]]
    widths = {name: ([layer.mean for layer in rows], [layer.largest for layer in rows]) for name, rows in found.items()}
    st.plotly_chart(widths_by_layer(layers, widths, f"Widths of certified intervals over ± {view.radius:.3f}"), width="stretch", key=f"layers-{view.revision}")
    missing = "" if "CROWN" in found else " CROWN is left out: choose it among the methods above."
    st.caption(f"*Certified* by each method: after every operation the values of all images of the box lie within intervals of these widths.{missing}")
    rows = [
        {"operation": layer, "values": found["IBP"][index].values, **{f"{name}, {part}": getattr(rows[index], part) for name, rows in found.items() for part in ("mean", "largest")}}
        for index, layer in enumerate(layers)
    ]
    st.dataframe([{key: f"{value:.4g}" if isinstance(value, float) else value for key, value in row.items()} for row in rows], hide_index=True, width="stretch")
    download("CSV", lambda: to_csv(rows, view.provenance), "layer-widths.csv", "text/csv")


def show_largest_radius(link: Link, view: View) -> None:
    """On demand: up to which radius each method certifies this image."""
    st.caption("By bisection up to radius 1, to within 0.0005. A smaller box lies inside a larger one, so every smaller radius is certified too.")
    model, image, label, methods = view.opened.model, view.image, view.study.label, view.methods

    def work(progress: Progress) -> Iterator[dict[str, float]]:
        found: dict[str, float] = {}
        for done, method in enumerate(methods):
            progress.advance(done, len(methods))
            found[NAMES[method]] = certified_radius(model, image, label, method, progress=Inner(progress))
            progress.advance(done + 1, len(methods))
            yield dict(found)

    def draw(found: dict[str, float]) -> None:
        rows = [{"method": name, "certified radius": round(radius, 4), "of 255": round(255 * radius, 1)} for name, radius in found.items()]
        st.dataframe(rows, hide_index=True, width="content")
        download("CSV", lambda: to_csv(rows, view.provenance), "certified-radius.csv", "text/csv")

    work_in_background(("certified radius", view.identity, label, methods), work, draw, noun="methods")


def show_pictures(view: View) -> None:
    """The image, the attack's worst one, and their difference."""
    clean, worst = view.image.cpu(), view.study.attack.worst
    factor = 2 ** int(math.log2(1 / max(view.radius, 1 / 64))) if view.radius else 1
    pictures = {"clean": pixels(clean)[0], "worst found": pixels(worst)[0], f"difference × {factor}": difference(worst, clean, factor)[0]}
    show_row(pictures, 92)
    png_button(strip(np.stack(list(pictures.values()))), view.provenance, "worst-found", 8)


PANELS: dict[str, Callable[[Link, View], None]] = {"Margins": show_margins, "Layers": show_layers, "Largest radius": show_largest_radius}
