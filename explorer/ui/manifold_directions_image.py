"""One image of the Manifold directions page: attacked in pixels and in latents, side by side."""

import math
from dataclasses import replace

import numpy as np
import streamlit as st

from explorer.evaluation.spectra import LARGE
from explorer.figures import Provenance, difference, pixels, strip, to_csv
from explorer.figures.spectra import energy_lines
from explorer.papers.manifold_directions import OpenedDirections
from explorer.papers.manifold_directions.exploration import OFF, ON, Attacked, Settings, usual

from . import cache
from .components import download, plain, png_button, show_row
from .image_choice import Chosen, choose_image
from .manifold_directions_link import PAGE, STEPS, Link
from .manifold_directions_models import choose_model

TITLES = {OFF: "In pixels: off the manifold", ON: "In latents: on the manifold"}
LARGEST_RADIUS, LARGEST_LATENT = 0.5, 4.0


def show_image(link: Link, revision: int) -> Link:
    """Controls, both attacks, and where their energy lies; the link with what was chosen."""
    link, opened, found = choose_model(link, revision)
    if opened is None:
        return link
    link = _within(link, opened)
    link, chosen, problems = choose_image(link, opened.images, PAGE, revision)
    for problem in problems:
        st.warning(plain(problem, 300))
    if chosen is None:
        return link
    link, settings = _choose_settings(link, opened, f"{revision}-{link.model}")
    label = chosen.label if chosen.label is not None else int(opened.model(chosen.image.to(opened.device)).argmax())
    identity = (str(found.path), found.path.stat().st_mtime_ns)
    directions = cache.class_directions(opened, identity, label)
    attacked = cache.attacked_image(opened, identity, chosen.key % 2**32, chosen.image, label, settings, directions)
    most = min(200, len(directions.eigenvalues) - 1)
    split = st.slider("Split between large and small directions", 1, most, min(link.split or LARGE, most), key=f"md-split-{revision}")
    link = replace(link, split=None if split == LARGE else split)
    provenance = Provenance(link.model, settings.seed, settings.radius, {"image": chosen.name, "latent radius": settings.latent_radius, "steps": settings.steps, "latent steps": settings.latent_steps})
    columns = st.columns(2)
    for column, name in zip(columns, TITLES):
        with column:
            _show_attack(opened, attacked.get(name), name, chosen, label, split, provenance)
    shares = {each.name: each.share.tolist() for each in attacked.values() if bool(each.share.isfinite().all())}
    if not shares:
        st.info("At radius 0 nothing moves: there is no energy to show.")
        return link
    variance = (directions.eigenvalues / directions.eigenvalues.sum()).tolist()
    st.plotly_chart(energy_lines({"variance": variance, **shares}, split, f"Energy along the principal directions of class {opened.images.class_names[label]}"), width="stretch", key=f"md-energy-{revision}")
    st.caption(f"Principal directions are those of the class's {directions.count:,} training images. An attack off the manifold has its energy late, where the class hardly varies; one on it follows the data's own curve.")
    rows = [{"direction": place + 1, "variance": variance[place], **{name: share[place] for name, share in shares.items()}} for place in range(len(variance))]
    download("CSV", lambda: to_csv(rows, provenance), "energy.csv", "text/csv")
    return link


def _show_attack(opened: OpenedDirections, found: Attacked | None, name: str, chosen: Chosen, label: int, split: int, provenance: Provenance) -> None:
    st.markdown(f"**{TITLES[name]}**")
    if found is None:
        st.caption("There is no manifold here: no class-conditional VAE of these images was found.")
        return
    names = opened.images.class_names
    seen, before = int(found.logits.argmax()), int(found.origin_logits.argmax())
    largest = float(found.delta.abs().max())
    factor = 2 ** int(math.log2(1 / max(largest, 1 / 64))) if largest else 1
    pictures = {"image": pixels(chosen.image.cpu())[0]} | ({} if name == OFF else {"encoded and decoded": pixels(found.origin)[0]})
    pictures |= {"attacked": pixels(found.perturbed)[0], f"δ × {factor}": difference(found.perturbed, found.origin, factor)[0]}
    show_row(pictures, 108)
    if before != label:
        st.markdown(f":orange[taken for {plain(names[before])} before any attack]")
    elif seen != label:
        st.markdown(f":red[*attack found*: taken for {plain(names[seen])}], margin {_margin(found, label)}")
    else:
        st.markdown(f":green[withstands this attack], margin {_margin(found, label)} (another attack may find more)")
    st.caption(f"‖δ‖₂ {float(found.delta.norm()):.3g}, largest change {largest:.3g}; {100 * found.beyond(split):.1f} % of the energy off the first {split} directions")
    png_button(strip(np.stack(list(pictures.values()))), provenance, f"attacked-in-{name}", 8)


def _margin(found: Attacked, label: int) -> str:
    """The label's logit minus the largest other one."""
    others = found.logits[0].clone()
    others[label] = -math.inf
    return f"{float(found.logits[0, label] - others.max()):.2f}".replace("-", "−")


def _choose_settings(link: Link, opened: OpenedDirections, key: str) -> tuple[Link, Settings]:
    own = usual(opened)
    radius, latent = own.radius if link.radius is None else link.radius, own.latent_radius if link.latent_radius is None else link.latent_radius
    first, second, third, fourth, fifth = st.columns([3, 3, 2, 2, 2], vertical_alignment="bottom")
    radius = first.slider("Radius in pixels (ℓ∞)", 0.0, LARGEST_RADIUS, float(radius), 0.005, format="%.3f", key=f"md-radius-{key}", help="of the ball of pixels; the paper's for this data set at first")
    latent = second.slider("Radius in latents (ℓ∞)", 0.0, LARGEST_LATENT, float(latent), 0.05, key=f"md-latent-{key}", help="of the box around the encoded image")
    steps = third.selectbox("Steps in pixels", STEPS, STEPS.index(link.steps), key=f"md-steps-{key}")
    latent_steps = fourth.selectbox("In latents", STEPS, STEPS.index(link.latent_steps), key=f"md-latent-steps-{key}", help="1 is the paper's sign step")
    seed = fifth.number_input("Seed", 0, 10**9, link.seed, key=f"md-seed-{key}", help="of the random start in pixels")
    link = replace(link, radius=None if radius == own.radius else radius, latent_radius=None if latent == own.latent_radius else latent, steps=steps, latent_steps=latent_steps, seed=seed)
    return link, Settings(radius, latent, steps, latent_steps, seed)


def _within(link: Link, opened: OpenedDirections) -> Link:
    """The link with every value that cannot be shown replaced, and a sentence for each."""
    default = Link()
    wrong = {
        "image": not 0 <= link.image < len(opened.images), "label": bool(link.label) and link.label not in opened.images.class_names,
        "radius": link.radius is not None and not 0 <= link.radius <= LARGEST_RADIUS, "latent_radius": link.latent_radius is not None and not 0 <= link.latent_radius <= LARGEST_LATENT,
        "steps": link.steps not in STEPS, "latent_steps": link.latent_steps not in STEPS, "split": link.split is not None and link.split < 1, "seed": not 0 <= link.seed <= 10**9, "draw": not 0 <= link.draw <= 10**9,
    }  # fmt: skip
    for name in (each for each, bad in wrong.items() if bad):
        st.warning(f"The link's {name} = {plain(getattr(link, name), 40)} cannot be shown. The default is shown instead.")
        link = replace(link, **{name: getattr(default, name)})
    return link
