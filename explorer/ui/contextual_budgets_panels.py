"""The panels below the live control of the Contextual budgets page, by name."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import streamlit as st
import torch

from explorer.figures import Provenance, difference, pixels, tile, to_csv, to_json
from explorer.figures.budget_maps import budget_pixels
from explorer.figures.budgets import budget_heatmap, class_heatmaps, volume_bars
from explorer.metrics import log_volume
from explorer.papers.contextual_budgets.exploration import worst_of_one_step
from explorer.papers.contextual_budgets.largest import LargestBoxes, largest_boxes
from explorer.studies.bounds import NAMES
from explorer.types import Progress

from . import cache
from .components import download, plain, png_button, show_row
from .contextual_budgets_link import Link, generates
from .contextual_budgets_runs import show_test_set
from .contextual_budgets_work import CLASS_IMAGES, Lane, View
from .working import work_in_background

WIDTH = 108
DIRECTIONS = {"attack found": "✗", "certified": "✓", "open": "○"}


def provenance(link: Link, shown: View) -> Provenance:
    """What a file of this view needs to be made again."""
    state = shown.state
    settings = {
        "models": {each.label: each.opened.checkpoint.header.revision for each in shown.models}, "image": shown.subject.name, "alpha": state.alpha, "alpha_bar": state.alpha_bar,
        "method": link.method, "attack_steps": link.steps, **({"drawing": link.drawing, "base": state.base, "keep": state.keep} if state.steps else {}),
    }  # fmt: skip
    return Provenance(", ".join(each.label for each in shown.models), link.seed, state.volume, settings)


def names_of(shown: View) -> list[str]:
    """Of the lanes; with the model's where there are two."""
    name = shown.class_names[shown.subject.label]
    return [f"{each.title(name)}, {each.model.label}" if len(shown.models) > 1 else each.title(name) for each in shown.lanes]


def show_numbers(link: Link, shown: View) -> Link:
    """Each box in a line, each margin in a table, and files of them."""
    made, names = provenance(link, shown), names_of(shown)
    first = shown.models[0]
    parts = {} if link.choice == "Upload" else cache.image_regions(str(first.path), first.identity[1], link.image)
    boxes = [_box(name, lane, parts) for name, lane in zip(names, shown.lanes)]
    st.dataframe([{**row, "verdict": f"{DIRECTIONS[row['verdict']]} {row['verdict']}"} for row in boxes], hide_index=True, width="stretch", key=f"boxes-{shown.revision}")
    st.caption(
        f"*Certified* by {NAMES[link.method]}: no image of the box has a smaller margin (float32, rounding to nearest). *Attack found*: PGD or one step came upon it, so the smallest margin "
        "is at most this. *Open*: neither proved nor refuted. Volumes are geometric means of ε, before the box is cut to [0, 1]; bounds are of the cut box."
    )
    margins = [
        {"other class": other, **{f"{name}: {key}": round(float(values[index]), 5) for name, lane in zip(names, shown.lanes) for key, values in (("the image itself", lane.around.clean), ("certified ≥", lane.known.certified), ("attack found ≤", lane.known.found))}}
        for index, other in enumerate(shown.others)
    ]  # fmt: skip
    with st.expander("The margin of every class"):
        st.dataframe(margins, hide_index=True, width="stretch", key=f"margins-{shown.revision}")
    with st.container(horizontal=True):
        download("Boxes (CSV)", lambda: to_csv(boxes, made), "boxes.csv", "text/csv")
        download("Margins (CSV)", lambda: to_csv(margins, made), "margins.csv", "text/csv")
        download("Budgets (CSV)", lambda: to_csv(pixel_rows(shown, names), made), "budgets.csv", "text/csv")
        download("JSON", lambda: to_json({"boxes": boxes, "margins": margins, "budgets": {name: lane.explored.budgets[0].tolist() for name, lane in zip(names, shown.lanes)}}, made), "budgets.json", "application/json")
        png_button(_sheet(link, shown), made, "budgets", 8)
    return link


def _box(name: str, lane: Lane, parts: dict[str, np.ndarray]) -> dict:
    budgets, known = lane.explored.budgets, lane.known
    row = {
        "budgets": name, "verdict": known.verdict, "volume": lane.explored.volume, "smallest ε": float(budgets.min()), "mean ε": float(budgets.mean()), "largest ε": float(budgets.max()),
        "margins ≥": float(known.certified.min()), "smallest ≤": float(known.found.min()),
    }  # fmt: skip
    row |= {f"mean ε, {part}": float(budgets[0][:, torch.from_numpy(mask).to(budgets.device)].mean()) for part, mask in parts.items() if mask.any()}
    return {key: float(f"{value:.5g}") if isinstance(value, float) else value for key, value in row.items()}


def pixel_rows(shown: View, names: list[str]) -> list[dict]:
    """Every pixel with its value and its budgets."""
    image = shown.subject.image[0].cpu()
    budgets = [lane.explored.budgets[0].cpu() for lane in shown.lanes]
    return [
        {"channel": c, "row": r, "column": k, "x": round(float(image[c, r, k]), 6), **{name: float(f"{float(each[c, r, k]):.7g}") for name, each in zip(names, budgets)}}
        for c in range(image.shape[0]) for r in range(image.shape[1]) for k in range(image.shape[2])
    ]  # fmt: skip


def limits(shown: View) -> tuple[float, float]:
    """Of the colours: the range of the budgets, or what was drawn beyond it."""
    state = shown.state
    ends = [(float(each.explored.budgets.min()), float(each.explored.budgets.max())) for each in shown.lanes if each.source == "drawn"]
    return min([state.alpha * state.volume, *(low for low, _ in ends)]), max([min(1.0, state.alpha_bar * state.volume), *(high for _, high in ends)])


def _sheet(link: Link, shown: View) -> np.ndarray:
    """A row for each kind of budgets: the image, the map, and the box's two ends."""
    image, rows = shown.subject.image.cpu(), []
    for lane in shown.lanes:
        budgets = lane.explored.budgets.cpu()
        rows += [pixels(image)[0], budget_pixels(budgets, limits(shown), normalised=link.scale == "paper")[0], pixels(image - budgets)[0], pixels(image + budgets)[0]]
    return tile(np.stack(rows), 4)


def show_worst(link: Link, shown: View) -> Link:
    """The worst image that was found in each box, beside the image and their difference."""
    image, rows = shown.subject.image.cpu(), []
    for name, lane in zip(names_of(shown), shown.lanes):
        worst = (lane.found.worst if lane.found else worst_of_one_step(lane.around, lane.explored.budgets)).cpu()
        seen = shown.class_names[int(lane.model.opened.logits(worst).argmax())]
        factor = 2 ** int(math.log2(1 / max(float((worst - image).abs().max()), 1 / 64)))
        pictures = {"the image": pixels(image)[0], f"worst found, seen as {seen}": pixels(worst)[0], f"difference × {factor}": difference(worst, image, factor)[0]}
        st.markdown(f"**{plain(name)}**: {DIRECTIONS[lane.known.verdict]} {lane.known.verdict}")
        show_row(pictures, WIDTH)
        rows += list(pictures.values())
    st.caption("*Attack found*: of all images of the box that PGD and one step came upon, the one with the smallest margin; a worse one may exist, but none below what is certified. Difference: teal is darker, grey equal, brown lighter.")
    png_button(tile(np.stack(rows), 3), provenance(link, shown), "worst-found", 8)
    return link


def show_largest(link: Link, shown: View) -> Link:
    """On demand: how large a box can be certified at all, by Liu et al."""
    labels = [each.label for each in shown.models]
    label = st.segmented_control("Of", labels, default=labels[0], required=True, key=f"largest-{shown.revision}") if len(labels) > 1 else labels[0]
    lane = next(each for each in shown.lanes if each.model.label == label)
    settings, around = shown.settings, lane.around
    st.caption(
        f"The largest volume that {NAMES[settings.method]} certifies for this image: with one budget for all pixels, with those of the generator in the range chosen above, and with any "
        "(Liu et al., 2019: an augmented Lagrangian on Σ log ε, warm-started; a local optimum)."
    )
    if not bool((around.clean > 0).all()):
        st.info("The classifier takes this image for another class, so no box around it can be certified.")
        return link

    def work(progress: Progress) -> Iterator[LargestBoxes]:
        yield largest_boxes(around, settings, progress)

    key = ("largest boxes", lane.model.identity, shown.subject.identity[2:], replace(settings, volume=0.5))
    work_in_background(key, work, lambda found: _draw_largest(found, link, shown, lane), noun="iterations")
    return link


def _draw_largest(found: LargestBoxes, link: Link, shown: View, lane: Lane) -> None:
    rows = [{"budgets": "uniform", "largest certified volume": found.uniform}]
    if found.learned is not None:
        rows.append({"budgets": "learned", "largest certified volume": found.learned})
    rows.append({"budgets": "Liu et al.", "largest certified volume": float(found.optimum.volume)})
    rows = [{**row, "largest certified volume": float(f"{row['largest certified volume']:.5g}"), "in ε0": float(f"{row['largest certified volume'] / shown.state.volume:.4g}")} for row in rows]
    made = provenance(link, shown)
    left, right = st.columns([3, 2])
    with right:
        st.dataframe(rows, hide_index=True, width="stretch", key=f"largest-table-{shown.revision}")
        figure = volume_bars([shown.subject.name], {row["budgets"]: [row["largest certified volume"]] for row in rows}, shown.state.volume)
        st.plotly_chart(figure, width="stretch", key=f"largest-bars-{shown.revision}")
    with left:
        if found.explored is None:
            st.info("Not even a box of ± 0.0001 is certified.")
            return
        budgets = found.optimum.budgets[0].cpu()
        ends = max(float(budgets.min()), 1e-4), float(budgets.max())
        st.plotly_chart(budget_heatmap(budgets, shown.state.volume, ends, f"Liu et al.: volume {float(found.optimum.volume):.3g}, certified"), width="stretch", key=f"largest-map-{shown.revision}")
    st.caption(f"*Certified* by {NAMES[shown.settings.method]}, {int(found.optimum.iterations)} iterations. The map's colours span its own budgets, in ε and, in brackets, in ε0.")
    with st.container(horizontal=True):
        download("CSV", lambda: to_csv(rows, made), "largest-boxes.csv", "text/csv")
        download("JSON", lambda: to_json({"volumes": rows, "budgets": budgets.tolist()}, made), "largest-boxes.json", "application/json")
        png_button(budget_pixels(budgets[None], ends)[0], made, "largest-box", 8)


def show_class_means(link: Link, shown: View) -> Link:
    """The mean budgets of every class at the committed settings."""
    models = [each for each in shown.models if generates(each.opened)]
    if not models:
        st.info("Class means need a classifier with a generator: experiments named budgets-….")
        return link
    state, made = shown.state, provenance(link, shown)
    for model in models:
        means = cache.class_budgets(model.opened.model, model.identity, model.opened.images, CLASS_IMAGES, state.volume, state.alpha, state.alpha_bar)
        ends = state.alpha * state.volume, min(1.0, state.alpha_bar * state.volume)
        st.plotly_chart(class_heatmaps(means, model.opened.class_names, state.volume, ends, f"{model.label}: mean budgets by class"), width="stretch", key=f"means-{model.label}-{shown.revision}")
        rows = [
            {"class": name, "volume": float(f"{math.exp(float(log_volume(mean[None]))):.5g}"), "smallest ε": float(f"{float(mean.min()):.5g}"), "largest ε": float(f"{float(mean.max()):.5g}")}
            for name, mean in zip(model.opened.class_names, means) if mean.isfinite().all()
        ]  # fmt: skip
        with st.container(horizontal=True):
            download("CSV", lambda rows=rows: to_csv(rows, made), f"class-means-{model.label}.csv", "text/csv")
            kept = torch.stack([mean for mean in means if mean.isfinite().all()])
            png_button(tile(budget_pixels(kept, ends, normalised=link.scale == "paper"), min(5, len(kept))), made, f"class-means-{model.label}", 8)
    st.caption(f"Geometric means over up to {CLASS_IMAGES} test images of each class, which keep range and volume. Dark: pixels that must stay.")
    return link


PANELS: dict[str, Callable[[Link, View], Link]] = {"Numbers": show_numbers, "Worst images": show_worst, "Largest boxes": show_largest, "Class means": show_class_means, "Test set": show_test_set}
