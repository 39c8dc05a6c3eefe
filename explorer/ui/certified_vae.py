"""The controls of the Certified VAE page: which models, which image, which box, and how hard the attack tries."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st
from jaxtyping import Float
from torch import Tensor

from explorer.checkpoints import Header
from explorer.papers.certified_vae import KIND

from . import cache, image_choice, model_choice
from .certified_vae_link import CONFIDENCES, DRAWS, MAX_MODELS, PAGE, RESTARTS, STEPS, VARIANCES, Link
from .components import plain
from .library import Found, find_checkpoints
from .model_choice import Model, is_half

SHOWN_FIRST = "digits"  # a data set that comes with the package


@dataclass(frozen=True, eq=False)
class Subject:
    """The image around which everything is computed, its name, and its number for the noise."""

    image: Float[Tensor, "1 c h w"]
    name: str
    key: int


def known_models(folders: tuple[str, ...]) -> dict[str, Found]:
    """By key, those of the embedded digits first, and the halves that a training leaves behind last."""
    found = [each for each in find_checkpoints(folders) if each.header and each.header.kind == KIND]
    found.sort(key=lambda each: (is_half(each), each.header.dataset.get("name") != SHOWN_FIRST))
    return {each.key: each for each in found}


def choose_models(link: Link, known: dict[str, Found], revision: int) -> tuple[Link, list[str]]:
    """The link with one to four models; an empty one starts with all of one experiment's data and size. Also what was wrong in it."""
    return model_choice.choose_models(
        link, known, MAX_MODELS, revision, what="certified VAE", label="Models", help="One to four, all for images of the same size.", usual=usual_models(known),
        keeps=lambda before, now: not set(now).isdisjoint(before), changed={"image": 0, "radius": None},
    )  # fmt: skip


def usual_models(known: dict[str, Found]) -> list[str]:
    """The first one, and up to three more of its data, size and origin that were trained at other radii."""
    first = next(iter(known.values()))
    alike = {each.header.radius: key for key, each in reversed(known.items()) if _family(each) == _family(first) and not is_half(each)}
    return [alike[radius] for radius in sorted(alike)][:MAX_MODELS] or [first.key]


def open_models(keys: Sequence[str], known: dict[str, Found]) -> tuple[list[Model], list[str]]:
    """As `model_choice.open_models`."""
    return model_choice.open_models(keys, known, cache.certified_vae)


def describe(models: Sequence[Model]) -> str:
    """What the models are, in a line."""
    parts = []
    for each in models:
        count, header = sum(parameter.numel() for parameter in each.opened.model.parameters()), each.opened.checkpoint.header
        parts.append(f"**{plain(each.label)}**: {plain(header.dataset.get('name'))}, {count / 1e6:.2g} M parameters, {'trained on the bound at ± ' + format(header.radius, 'g') if header.radius else 'trained on the ELBO'}")
    return " · ".join(parts)


def choose_subject(link: Link, models: Sequence[Model], revision: int) -> tuple[Link, Subject | None, list[str]]:
    """The strip of the first model's test images, random ones, by class, or upload."""
    link, chosen, problems = image_choice.choose_image(link, models[0].opened.images, PAGE, revision)
    return link, None if chosen is None else Subject(chosen.image, chosen.name, chosen.key), problems


def choose_settings(link: Link, revision: int) -> Link:
    """The box, σ0² and the noise; how hard the attack tries; how certain the certificate is."""
    with st.expander("Box, noise, attack and certificate"):
        one, two, three, four = st.columns(4, vertical_alignment="bottom")
        clip = one.toggle("Cut the box to [0, 1]", link.clip, key=f"clip-{revision}", help="The paper's box is x ± radius and leaves [0, 1]; cut there, it is smaller and the bound tighter.")
        raised = two.toggle("Also raise the ELBO", link.raised, key=f"raised-{revision}", help="Also search for the image with the highest ELBO: into the distribution (eq. 6).")
        variance = three.number_input("σ0²", *VARIANCES, link.variance, step=0.05, key=f"variance-{revision}", help="Of the likelihood N(g(z), σ0²); at ½ the ELBO is −‖x − g‖² − KL, which Table 1's values fit.")
        seed = four.number_input("Seed of the noise", 0, 10**9, link.seed, key=f"seed-{revision}", help="One draw of the noise for clean, attack and bound, so that they can be compared.")
        one, two, three, four = st.columns(4, vertical_alignment="bottom")
        steps = one.selectbox("Attack: steps", STEPS, STEPS.index(link.steps), key=f"steps-{revision}", help="Of PGD, from the image itself; 0 for no attack.")
        restarts = two.selectbox("Attack: restarts", RESTARTS, RESTARTS.index(link.restarts), key=f"restarts-{revision}", help="The first from the image itself, the others from random points.")
        confidence = three.selectbox("Certificate: confidence", CONFIDENCES, CONFIDENCES.index(link.confidence), format_func=lambda each: f"{100 * each:g} %", key=f"confidence-{revision}")
        draws = four.selectbox("Certificate: draws", DRAWS, DRAWS.index(link.draws), format_func="{:,}".format, key=f"draws-{revision}")
    return replace(link, clip=clip, raised=raised, variance=variance, seed=seed, steps=steps, restarts=restarts, confidence=confidence, draws=draws)


def on_device(model: Model, image: Tensor) -> Tensor:
    return image.to(model.opened.device)


def _family(found: Found) -> tuple:
    header: Header = found.header
    return found.origin.split()[0], header.dataset.get("name"), str(header.model_config)
