"""The controls of the Attack page: with what is searched, and how long."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from explorer.attacks import ATTACKS, Attack, changed_attack
from explorer.studies.attack import evaluations

from .attack_link import STEPS, Link
from .model_choice import Model


def choose_attack(link: Link, models: Sequence[Model], revision: int) -> tuple[Link, Attack]:
    """The link with attack, steps and seed, and the attack."""
    first, second, third = st.columns([5, 3, 2], vertical_alignment="bottom")
    name = first.selectbox("Attack", list(ATTACKS), list(ATTACKS).index(link.attack), format_func=lambda each: ATTACKS[each].title, key=f"attack-{revision}")
    if name != link.attack:
        link = replace(link, attack=name, steps=0)
    whole = bool(ATTACKS[name].parts)
    own = "as they are" if whole else f"own: {ATTACKS[name].steps}"
    steps = second.selectbox(
        "Steps", STEPS, STEPS.index(0 if whole else link.steps), format_func=lambda each: f"{each:,}" if each else own, disabled=whole, key=f"steps-{name}-{revision}",
        help="The worst of all takes each of its attacks as it is." if whole else "Of each restart.",
    )  # fmt: skip
    seed = third.number_input("Seed", 0, 10**9, link.seed, key=f"seed-{revision}", help="Of random starts and proposals.")
    link = replace(link, steps=0 if whole else steps, seed=seed)
    attack = changed_attack(ATTACKS[name], steps=link.steps or None)
    count = evaluations(attack, len(models[0].opened.class_names))
    st.caption(f"{attack.title}: about {count:,} {'gradients' if attack.method in ('pgd', 'auto_pgd') else 'evaluations'} for each image. It is found, not proved: a stronger attack may find more.")
    return link, attack


def settings_of(link: Link) -> dict[str, object]:
    """For a run."""
    return {"attack": link.attack, "steps": link.steps or None, "limit": link.count or None}
