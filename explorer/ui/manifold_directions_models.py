"""Which classifiers the Manifold directions page can attack, and opening them with the VAE of their manifold."""

from dataclasses import replace

import streamlit as st

from explorer.errors import ExplorerError
from explorer.models.classifiers import KIND
from explorer.papers.manifold_directions import SOURCES, OpenedDirections

from . import cache
from .components import plain
from .library import Found, find_checkpoints
from .manifold_directions_link import Link
from .model_choice import is_half


def classifiers() -> dict[str, Found]:
    """By key; those that this paper trains first."""
    found = [each for each in find_checkpoints(tuple(st.session_state.get("gallery.folders", ()))) if each.header and each.header.kind == KIND]
    found.sort(key=lambda each: (is_half(each), "sources" not in each.header.training))
    return {each.key: each for each in found}


def choose_model(link: Link, revision: int) -> tuple[Link, OpenedDirections | None, Found | None]:
    """A classifier and its manifold; what cannot be is said. None where there is none."""
    known = classifiers()
    if not known:
        st.info("No checkpoint of a classifier was found. Train one with `python -m explorer.train lenet-digits-standard`, then add the folder `runs` in the gallery.")
        return link, None, None
    if link.model and link.model not in known:
        st.warning(f"The link's checkpoint {plain(link.model[:60])} is not a classifier that is here.")
    names = list(known)
    model = st.selectbox("Classifier", names, names.index(link.model) if link.model in known else 0, key=f"md-model-{revision}")
    if link.model and model != link.model:
        link = replace(link, image=0, label="", radius=None, latent_radius=None)
    link = replace(link, model=model)
    try:
        opened = cache.directions(known[model].path)
    except (ExplorerError, OSError) as error:
        st.error(plain(error, 400))
        return link, None, None
    header = opened.checkpoint.header
    sources = header.training.get("sources")
    trained = f"trained on {', and '.join(SOURCES.get(each, str(each)) for each in sources)}" if isinstance(sources, list | tuple) else "not trained by this paper"
    st.caption(f"{plain(header.model)} of {plain(header.dataset.get('name'))}, {plain(trained, 300)}; manifold: {plain(opened.vae.name) if opened.vae else 'none'}")
    if opened.note:
        st.warning(plain(opened.note, 300))
    if opened.vae is None:
        st.info(f"Without a class-conditional VAE there is no attack on the manifold: {plain(opened.missing, 300)}")
    return link, opened, known[model]
