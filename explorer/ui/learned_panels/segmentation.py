"""What a segmenter takes each pixel for, under the scene's own light and under the worst one that an attack finds in the set."""

import html
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
import torch

from explorer.checkpoints import load
from explorer.errors import ExplorerError
from explorer.figures import pixels, strip, to_csv
from explorer.figures.materials import colours, material_map, wrong_pixels
from explorer.measuring import file_digest
from explorer.models.segmentation import SEGMENTER
from explorer.papers.learned_sets.segmentation_evaluation import adversarial_light
from explorer.papers.trained import TrainedSet
from explorer.types import Progress
from explorer.ui.components import download, plain, png_button, show_row
from explorer.ui.learned_sets_link import Link
from explorer.ui.library import checkpoint_path, find_checkpoints

from .relighting import of_own_scene
from .view import View, work_in_background

WIDTH, STEPS = 150, 20


@dataclass(frozen=True, eq=False)
class Named:
    """A picture of the scene, and the material of each pixel as the segmenter has it."""

    picture: torch.Tensor
    materials: torch.Tensor


def show_segmentation(link: Link, view: View) -> Link:
    """The segmenter, its map of the scene, the search for the light that it fails under, and the legend."""
    learned = view.learned
    if not of_own_scene(view, "This set is not one of lights, and its pictures have no map of materials. Open scenes-lighting.", "An uploaded picture has no map of its materials. Choose a scene."):
        return link
    shape = learned.checkpoint.model.image_shape
    names = [each.key for each in find_checkpoints(view.folders) if each.header and each.header.kind == SEGMENTER and _takes(each.header.model_config, shape)]
    if not names:
        st.info(f"No segmenter of pictures of {shape[1]}×{shape[2]} is here. Train one with `python -m explorer.train segmentation-scenes-pairs`.")
        return link
    if link.segmenter and link.segmenter not in names:
        st.warning(f"The link's segmenter {plain(link.segmenter)} is not here.")
    name = st.selectbox("Segmenter", names, names.index(link.segmenter) if link.segmenter in names else 0, key=f"segmenter-{view.revision}")
    link = replace(link, segmenter=name)
    try:
        path = checkpoint_path(name, view.folders)
        model = _segmenter(str(path), path.stat().st_mtime_ns, str(view.learned.device))
    except (ExplorerError, OSError) as error:
        st.error(plain(error, 400))
        return link
    truth = learned.pairs.scenes.materials([view.subject.key])
    own, shown = _named(model, view.clean), _named(model, view.result.perturbed)
    _show(view, {"its own light": own, f"the member above, ‖u‖ = {view.result.norm:.2f}": shown}, truth[0], name)
    st.caption(f"The light within radius {view.radius:.2f} at which {STEPS} steps of PGD find the largest cross-entropy, an attack: another one may be worse.")
    lighting = TrainedSet(view.provenance.checkpoint, learned.checkpoint, file_digest(view.path))

    def work(progress: Progress) -> Iterator[Named]:
        found = adversarial_light(model, lighting, view.clean, truth.to(view.clean.device), view.radius, STEPS, 2.5 / STEPS, link.seed, view.subject.key, progress)[1]
        yield _named(model, found)

    key = ("worst light", view.identity, name, view.subject.key, round(view.radius, 6), link.seed)
    work_in_background(key, work, lambda found: _show(view, {"the worst light found": found}, truth[0], name), noun="steps")
    _legend(truth[0], learned.pairs.scenes.material_names)
    return link


@st.cache_resource(max_entries=8, show_spinner="Opening the segmenter …")
def _segmenter(path: str, modified: int, device: str) -> torch.nn.Module:
    """`modified` tells versions of the file apart."""
    return load(path, device).model


def _show(view: View, named: dict[str, Named], truth: torch.Tensor, name: str) -> None:
    """Each picture, its map, and where that is wrong; then the true map."""
    count = len(view.learned.pairs.scenes.material_names)
    rows = []
    for text, each in named.items():
        picture, materials = pixels(each.picture)[0], each.materials.cpu()
        right = float((materials == truth).float().mean())
        rows.append({"picture": text, "right": right})
        show_row({text: picture, f"named: {100 * right:.1f} % right": material_map(materials, count, picture), "wrong pixels in red": wrong_pixels(materials, truth, picture), "true materials": material_map(truth, count, picture)}, WIDTH)
    provenance = replace(view.provenance, settings={**view.provenance.settings, "segmenter": name})
    file = "-".join(["materials", *("worst" for text in named if "worst" in text)])
    with st.container(horizontal=True):
        png_button(strip(np.stack([material_map(each.materials.cpu(), count) for each in named.values()] + [material_map(truth, count)])), provenance, file, factor=3, label="Maps (PNG)")
        download("Shares (CSV)", lambda: to_csv(rows, provenance), f"{file}.csv", "text/csv")


def _legend(truth: torch.Tensor, names: tuple[str, ...]) -> None:
    """The colours of the materials that the scene has, with their shares; the others behind them, paler."""
    shares = truth.flatten().bincount(minlength=len(names)).double() / truth.numel()
    order = sorted(range(len(names)), key=lambda number: -float(shares[number]))
    pieces = "".join(
        f'<span style="display:inline-flex;align-items:center;gap:6px;opacity:{1 if shares[number] else 0.5}">'
        f'<span style="width:14px;height:14px;border-radius:3px;background:rgb({",".join(map(str, colours(len(names))[number]))})"></span>'
        f"{html.escape(names[number])}{f' {100 * float(shares[number]):.0f} %' if shares[number] else ''}</span>"
        for number in order
    )
    st.html(f'<div data-testid="material-legend" style="display:flex;flex-wrap:wrap;gap:6px 16px;font-size:.85rem">{pieces}</div>')


def _named(model: torch.nn.Module, picture: torch.Tensor) -> Named:
    with torch.inference_mode():
        return Named(picture, model(picture)[0].argmax(0))


def _takes(config: dict, shape: tuple[int, int, int]) -> bool:
    return tuple(config.get(name) for name in ("channels", "height", "width")) in (shape, (None, *shape[1:]))
