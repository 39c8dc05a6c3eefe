"""Every checkpoint at hand, as a card with fresh samples."""

import streamlit as st

from explorer.ui.components import show_problems
from explorer.ui.gallery import add_checkpoints, in_order, show_card, show_unreadable
from explorer.ui.library import find_checkpoints
from explorer.ui.links import link_to

st.title("Perturbation sets")
st.markdown(
    "A *perturbation set* gives every image x a region of parameters δ and a map from δ to images. "
    "Open one, drag its latent sliders and its radius, and watch the picture follow. Below them are VAEs with a certified ELBO, class-conditional VAEs whose latents "
    "are attacked, and classifiers to attack, bound and certify in any of these sets."
)
link_to("learned_sets", "Show the demo →", demo="1")

problems = add_checkpoints()
show_problems(problems)
found = find_checkpoints(tuple(st.session_state.get("gallery.folders", ())))
working = in_order([each for each in found if each.header])

columns = st.columns(2)
for index, each in enumerate(working):
    with columns[index % 2]:
        show_card(each)
if not working:
    st.info("No checkpoint was found. Train one: `python -m explorer.train digits-rts`, then add the folder `runs`.")
show_unreadable([each for each in found if not each.header])
