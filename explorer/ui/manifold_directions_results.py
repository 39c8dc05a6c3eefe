"""Spectra and the attack × defence matrix of the Manifold directions page: what was measured over test sets, and measuring more."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from explorer.errors import ExplorerError
from explorer.figures import difference, pixels, tile, to_csv
from explorer.papers import EXPERIMENTS, RESULTS, read_results
from explorer.papers.manifold_directions.exploration import examples
from explorer.papers.manifold_directions.measured import ACCURACIES_KIND, SPECTRA_KIND, AccuracyTable, SpectraTable
from explorer.runs.kinds import specify

from . import cache, links
from .components import download, plain, show_picture
from .manifold_directions_link import PAGE, Link
from .manifold_directions_models import choose_model, classifiers
from .manifold_directions_runs import ALL, eigenvalue_rows, label, matrix_rows, show_matrix, show_spectra, usual_split
from .run_each import choose_count
from .run_this import run_this

EXAMPLES = 12


def show_measured_spectra(link: Link, revision: int) -> Link:
    """Figures 2 and 3: eigenvalues of clean and of attacked test sets, and where the attacks' energy lies."""
    st.caption("After an attack off the manifold the small eigenvalues of a class's test images grow, after one on it the large ones (Figures 2 and 3).")
    link, tables = _of_dataset(link, _newest(SPECTRA_KIND, label), revision)
    if tables:
        names = [label(table) for table in tables]
        left, middle, right = st.columns([5, 2, 2], vertical_alignment="bottom")
        chosen = left.multiselect("Classifier and attack", names, [name for name in link.measured if name in names] or _usual(tables), key=f"md-measured-{revision}-{link.dataset}")
        classes = ["", *tables[0].classes]
        of = middle.selectbox("Class", classes, classes.index(link.spectrum) if link.spectrum in classes else 0, format_func=lambda name: name or ALL, key=f"md-class-{revision}-{link.dataset}")
        logarithmic = right.toggle("Logarithmic", True, key=f"md-log-{revision}")
        most = len(tables[0].share) - 1
        usual = usual_split(tables)
        split = st.slider("Split between large and small eigenvalues", 1, min(300, most), min(max(link.split or usual, 1), 300, most), key=f"md-split-spectra-{revision}", help="The paper draws 30 large ones (§5.1)")
        link = replace(link, measured=() if chosen == _usual(tables) else tuple(chosen), spectrum=of, split=None if split == usual else split)
        shown = [table for table in tables if label(table) in chosen]
        if shown:
            show_spectra(shown, split, of or ALL, f"md-{revision}", logarithmic=logarithmic)
            download("CSV", lambda: to_csv(eigenvalue_rows(shown)), "eigenvalues.csv", "text/csv")
    else:
        st.info("No spectra have been measured yet. Measure those of a classifier below.")
    with st.expander("Measure the spectra of a classifier", expanded=not tables):
        link, opened, found = choose_model(link, revision)
        if opened is not None:
            attack = st.segmented_control("Attack", ["pgd", "vae"], default="pgd", required=True, format_func={"pgd": "PGD in pixels", "vae": "the sign step in latents"}.get, key=f"md-attack-{revision}")
            count = choose_count(0, len(opened.images), f"md-count-{revision}")
            made = _specified("direction_spectra", found.path, {"attack": attack, "limit": count or None}, link.seed)
            if made:
                run_this(made, f"md-spectra-{made.fingerprint}", "Measure")
    return link


def show_measured_matrix(link: Link, revision: int) -> Link:
    """Table 1: every classifier under every attack, and what a cell looks like."""
    st.caption("Rows are trainings, columns attacks. Off the diagonal a defence meets an attack that it was not trained for (Table 1). Click a cell to see examples of it.")
    link, tables = _of_dataset(link, _newest(ACCURACIES_KIND, lambda table: table.checkpoint), revision)
    if tables:
        cell = show_matrix(tables, f"md-{revision}-{link.dataset}", f"Table 1: accuracy on {link.dataset}, %")
        download("CSV", lambda: to_csv(matrix_rows(tables)), "attacks-and-defences.csv", "text/csv")
        if cell:
            _show_examples(link, *cell)
    else:
        st.info("No accuracies have been measured yet. Measure those of a classifier below.")
    with st.expander("Measure a classifier under all attacks", expanded=not tables):
        link, opened, found = choose_model(link, revision)
        if opened is not None:
            count = choose_count(100, len(opened.images), f"md-count-{revision}")
            made = _specified("direction_accuracies", found.path, {"limit": count or None}, link.seed)
            if made:
                run_this(made, f"md-accuracies-{made.fingerprint}", "Measure")
    return link


def _specified(kind: str, path, parameters: dict, seed: int):
    try:
        return specify(kind, {"checkpoint": str(path)}, parameters, seed=seed)
    except ExplorerError as error:
        st.warning(plain(error, 400))
        return None


def _newest(kind: str, name) -> list[AccuracyTable] | list[SpectraTable]:
    """One table of each name and data set: of all images before those of a part, then the newest; in the order of the experiments."""
    found: dict = {}
    for table in _results(kind):
        before = found.get((table.dataset, name(table)))
        if before is None or table.images > before.images:
            found[table.dataset, name(table)] = table
    order = {name: place for place, name in enumerate(EXPERIMENTS)}
    return sorted(found.values(), key=lambda table: (table.dataset, order.get(table.checkpoint, len(order)), name(table)))


@st.cache_resource(ttl=10, max_entries=2, show_spinner=False)
def _results(kind: str) -> list:
    return [table for table, _ in read_results(RESULTS).of(kind)]


def _of_dataset(link: Link, tables: Sequence, revision: int) -> tuple[Link, list]:
    names = sorted({table.dataset for table in tables}, key=lambda name: ("digits" in name, name))
    if not names:
        return link, []
    chosen = st.segmented_control("Data set", names, default=link.dataset if link.dataset in names else names[0], required=True, key=f"md-dataset-{revision}-{link.panel}", label_visibility="collapsed")
    own = [table for table in tables if table.dataset == chosen]
    return replace(link, dataset=chosen), own


def _usual(tables: Sequence[SpectraTable]) -> list[str]:
    """One attack of each kind against the classifier trained for it, where these are there."""
    wanted = [label(table) for table in tables if (table.attack == "pgd") == (table.training.get("sources") == ["linf"]) and table.training.get("sources") in (["linf"], ["manifold"])]
    return wanted or [label(tables[0])]


def _show_examples(link: Link, checkpoint: str, attack: str) -> None:
    """The first test images, what the attack made of them, and what is then seen."""
    known = {found.header.name: (key, found) for key, found in classifiers().items()}
    if checkpoint not in known:
        st.info(f"The checkpoint {plain(checkpoint)} is not here, so there are no examples of it.")
        return
    key, found = known[checkpoint]
    try:
        opened = cache.directions(found.path)
        clean, perturbed, seen = examples(opened, attack, range(min(EXAMPLES, len(opened.images))))
    except ExplorerError as error:
        st.warning(plain(error, 400))
        return
    names, labels = opened.images.class_names, opened.images.labels[: len(clean)]
    st.markdown(f"**{plain(checkpoint)} under {plain(attack)}**")
    show_picture(tile(np.concatenate([pixels(clean), pixels(perturbed), difference(perturbed, clean, 2)]), len(clean)), "test images, below them what the attack made of them, and twice the change")
    fooled = [number for number in range(len(clean)) if int(seen[number]) != int(labels[number])]
    st.caption("Seen as " + ", ".join(plain(names[int(each)]) for each in seen) + f"; {len(fooled)} of {len(clean)} are wrong: *attack found*." if attack != "clean" else f"{len(fooled)} of {len(clean)} are classified wrong.")
    st.button("Attack one of these in pixels and in latents →", key="md-open", on_click=_open, args=(replace(link, panel="One image", model=key, image=fooled[0] if fooled else 0, choice="First images"),))


def _open(link: Link) -> None:
    links.push(link, PAGE)
