"""The gallery of the Corruptions page: one image under all corruptions, each tile with a classifier's verdict."""

import base64
import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st
import torch
from jaxtyping import UInt8

from explorer.data.corruptions import CORRUPTIONS, SEVERITIES
from explorer.data.corruptions.frost_textures import is_made
from explorer.figures import Provenance, pixels, tile, to_csv, to_png
from explorer.figures.corruptions import spoken
from explorer.studies.corruptions import Gallery, gallery, why_not
from explorer.types import Progress

from .components import download, plain, png_button
from .corruptions_link import PAGE, Link
from .following import Search, follow
from .model_choice import Model
from .turns import TURNS

STYLE = """<style>
.corrupted { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 290px), 1fr)); gap: 10px 22px; }
.corrupted h5 { font-size: .82rem; font-weight: 600; margin: 0 0 3px 0; padding: 0; }
.corrupted .row { display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: 6px; }
.corrupted .one { display: block; max-width: 150px; }
.corrupted .tile { aspect-ratio: 1; image-rendering: pixelated; background-repeat: no-repeat; border-radius: 4px; border: 3px solid; box-sizing: border-box; background-origin: content-box; background-clip: content-box; }
.corrupted .right { border-color: #17828a; }
.corrupted .wrong { border-color: #c2571a; border-style: dashed; }
.corrupted .said { font-size: .72rem; line-height: 1.2; opacity: .85; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; font-variant-numeric: tabular-nums; }
.corrupted.single { grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); gap: 12px; }
.corrupted .missing { font-size: .75rem; opacity: .7; }
</style>"""


@dataclass(frozen=True, eq=False)
class View:
    """What the page shows: classifiers, the image with its label, and the gallery, None before the first of it is made."""

    models: Sequence[Model]
    subject: Any
    search: Search
    revision: str

    @property
    def gallery(self) -> Gallery | None:
        return self.search.result if self.search.result is not None else self.search.job.result

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.models[0].opened.class_names


def view(link: Link, models: Sequence[Model], subject: Any, revision: str) -> View:
    """The gallery is begun, and waited for if it is quick. All severities are made, so that choosing one is free."""
    number = subject.identity[2]  # its place among the test images
    key = ("corruptions", tuple(each.identity for each in models), subject.identity[2:], link.seed)
    return View(models, subject, follow(PAGE, key, lambda progress: _made(models, subject.image, number, link.seed, progress)), revision)


def _made(models: Sequence[Model], image: torch.Tensor, number: int, seed: int, progress: Progress) -> Iterator[Gallery]:
    with TURNS.search():
        yield from gallery([each.opened.model for each in models], image, number, seed, SEVERITIES, progress)


def choose_gallery(link: Link, models: Sequence[Model], revision: int) -> Link:
    """The link with severity, classifier of the verdicts, and seed."""
    first, second, third = st.columns([3, 3, 1], vertical_alignment="bottom")
    severity = first.segmented_control("Severity", (0, *SEVERITIES), default=link.severity, required=True, format_func=lambda each: str(each) if each else "all", key=f"severity-{revision}")
    names = [each.label for each in models]
    verdict = second.selectbox("Verdict of", range(len(names)), min(link.verdict, len(names) - 1), format_func=names.__getitem__, disabled=len(names) == 1, key=f"verdict-{len(names)}-{revision}")
    seed = third.number_input("Seed", 0, 10**9, link.seed, key=f"seed-{revision}", help="The same seed and image give the same corruptions, here and in a run.")
    return replace(link, severity=severity if severity is not None else link.severity, verdict=verdict, seed=seed)


def show_gallery(link: Link, shown: View) -> Link:
    """Tiles by corruption, their sum for each classifier, and files of them."""
    found = shown.gallery
    if found is None or not found.cases:
        st.caption("Corrupting …")
        return link
    label, names = shown.subject.label, shown.class_names
    chosen = [index for index, (_, severity) in enumerate(found.cases) if link.severity in (0, severity)]
    verdict = found.logits[link.verdict].softmax(1)
    st.html(STYLE + _grid(found, chosen, verdict, label, names, single=bool(link.severity)))
    _legend(link, shown, found, label, names)
    made = Provenance(shown.models[link.verdict].label, link.seed, None, {"image": shown.subject.name, "severity": link.severity or "all"})
    with st.container(horizontal=True):
        sheet = tile(pixels(found.images[chosen]), 1 if link.severity else len(SEVERITIES), gap=2)
        png_button(sheet, made, "corruptions", 4, "Sheet (PNG)")
        download("Verdicts (CSV)", lambda: to_csv(_rows(found, shown, label, names), made), "corruption-verdicts.csv", "text/csv")
    return link


def _legend(link: Link, shown: View, found: Gallery, label: int, names: Sequence[str]) -> None:
    counts = []
    for model, logits, clean in zip(shown.models, found.logits, found.clean, strict=True):
        right, total = int((logits.argmax(1) == label).sum()), len(found.cases)
        counts.append(f"**{plain(model.label)}**: {names[int(clean.argmax())]} without a corruption, right on {right} of {total}")
    st.caption(" · ".join(counts))
    frost = " Frost lies in textures made by the code; the variable EXPLORER_FROST names a folder of photographs instead." if is_made() and "frost" in dict(found.cases) else ""
    st.caption(f"Teal frame ✓: seen as {plain(names[label])}; dashed orange ✗: as another class, which is named. Shares are the softmax of the seen class, an *estimate*.{frost}")


def _grid(found: Gallery, chosen: Sequence[int], verdict: torch.Tensor, label: int, names: Sequence[str], single: bool) -> str:
    """One picture of all tiles, of which each tile shows its part."""
    sheet = pixels(found.images)
    columns = len(SEVERITIES)
    rows = -(-len(sheet) // columns)
    style = f"<style>.corrupted .tile {{ background-image: url(data:image/png;base64,{base64.b64encode(to_png(_sheet(sheet, columns))).decode()}); background-size: {columns * 100}% {rows * 100}%; }}</style>"
    blocks = []
    for name in CORRUPTIONS:
        own = [index for index in chosen if found.cases[index][0] == name]
        if own:
            tiles = "".join(_tile(index, found.cases[index], verdict[index], label, names, columns, rows) for index in own)
            blocks.append(f'<div><h5>{spoken(name)}</h5><div class="{"one" if single else "row"}">{tiles}</div></div>')
        elif CORRUPTIONS[name].coloured and found.images.shape[1] != 3:
            blocks.append(f'<div><h5>{spoken(name)}</h5><div class="missing">{html.escape(why_not(spoken(name), found.images.shape[1]))}.</div></div>')
    return f'{style}<div class="corrupted{" single" if single else ""}">{"".join(blocks)}</div>'


def _tile(index: int, case: tuple[str, int], verdict: torch.Tensor, label: int, names: Sequence[str], columns: int, rows: int) -> str:
    seen, row, column = int(verdict.argmax()), index // columns, index % columns
    share, right = float(verdict[seen]), seen == label
    said = f"✓ {100 * share:.0f} %" if right else f"✗ {100 * share:.0f} %<br>{html.escape(names[seen])}"
    title = f"{spoken(case[0])}, severity {case[1]}: seen as {html.escape(names[seen], quote=True)} with {share:.4f}, label {html.escape(names[label], quote=True)} with {float(verdict[label]):.4f}"
    place = f"{100 * column / max(columns - 1, 1):.4f}% {100 * row / max(rows - 1, 1):.4f}%"
    return f'<div><div class="tile {"right" if right else "wrong"}" role="img" aria-label="{title}" title="{title}" style="background-position:{place}"></div><div class="said">{said}</div></div>'


def _sheet(images: UInt8[np.ndarray, "n height width 3"], columns: int) -> UInt8[np.ndarray, "rows columns 3"]:
    return tile(images, columns, gap=0)


def _rows(found: Gallery, shown: View, label: int, names: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    for model, logits in zip(shown.models, found.logits, strict=True):
        for (name, severity), share in zip(found.cases, logits.softmax(1), strict=True):
            seen = int(share.argmax())
            rows.append({"classifier": model.label, "corruption": name, "severity": severity, "seen_as": names[seen], "probability": float(share[seen]), "label": names[label], "probability_of_the_label": float(share[label]), "right": seen == label})
    return rows
