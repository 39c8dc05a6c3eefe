"""A learned perturbation set to drag: Wong & Kolter, Learning perturbation sets for robust machine learning, ICLR 2021."""

from dataclasses import replace

import streamlit as st

from explorer.errors import ExplorerError
from explorer.figures import Provenance
from explorer.papers.learned_sets import KIND, Settings, explore
from explorer.ui import cache, links
from explorer.ui.components import plain, show_problems
from explorer.ui.learned_panels import PANELS, View
from explorer.ui.learned_sets import choose_image, drag, plain_sliders
from explorer.ui.learned_sets_link import PAGE, Link, checked, encode_point
from explorer.ui.library import checkpoint_path, find_checkpoints
from explorer.ui.opening import choose_panel, close_page, stop_page

SHOWN_FIRST = "digits-rts"  # has directions worth dragging, and its data come with the package

st.title("Learned sets")
link, problems, revision = links.opened(Link, PAGE)
folders = tuple(st.session_state.get("gallery.folders", ()))
names = [each.key for each in find_checkpoints(folders) if each.header and each.header.kind == KIND]
names.sort(key=lambda name: name != SHOWN_FIRST)
if not names:
    st.info("No checkpoint of a learned set was found. Train one with `python -m explorer.train digits-rts`.")
    st.stop()
if link.model and link.model not in names:
    problems.append(f"The link's checkpoint {link.model[:60]!r} is not here. {names[0]!r} is shown instead.")

left, right = st.columns([2, 3], vertical_alignment="bottom")
with left:
    model = st.selectbox("Checkpoint", names, names.index(link.model) if link.model in names else 0, key=f"model-{revision}")
if link.model and model != link.model:  # another model's latents and images mean something else
    link = replace(link, u="", radius=None, image=0, axes=Link().axes)
link = replace(link, model=model)
try:
    path = checkpoint_path(model, folders)
    learned = cache.learned_set(path)
    link, refused = checked(link, learned)
except (ExplorerError, OSError) as error:
    st.error(plain(error, 400))
    st.stop()
with right:
    header = learned.checkpoint.header
    trained = plain(header.dataset.get("name"))
    st.caption(f"S(x) = {{g(x, μ(x) + σ(x)·u) : ‖u‖₂ ≤ ε}}, ε = {learned.radius:.2f}, {learned.latent_dim} latents, trained on {trained}")
show_problems([*problems, *refused, *([learned.note] if learned.note else [])])

identity = f"{path}:{path.stat().st_mtime_ns}"
link, subject, refused = choose_image(link, learned, identity, revision)
show_problems(refused)
if subject is None:
    stop_page(link, PAGE, ())

place = f"{revision}-{model}-{subject.key}"
state = drag(link, learned, subject, identity, place)
if state.socket == "unavailable":
    state = plain_sliders(state, learned, place)
radius = state.radius
link = replace(link, u=encode_point(state.delta), radius=None if radius >= learned.radius else radius, view=state.view, axes=state.axes)

clean = learned.pairs.clean(subject.image).to(learned.device)
result = explore(learned, clean, Settings(radius=radius, delta=state.delta))
provenance = Provenance(model, link.seed, radius, {"image": subject.name, "u": link.u, "checkpoint_revision": header.revision})
others = tuple(name for name in names if name != model)
view = View(path, learned, identity, subject, clean, result, radius, provenance, revision, others, folders)

link, panel = choose_panel(link, PANELS, revision)
try:
    link = panel(link, view)
except ExplorerError as error:
    st.error(plain(error, 400))

close_page(link, PAGE, "the point u: it has too many coordinates. Download it as JSON instead" if any(state.delta) and not link.u else "")
