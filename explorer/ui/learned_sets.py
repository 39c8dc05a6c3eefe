"""The controls of the Learned sets page: which image, where in the ball, and the panels below."""

from dataclasses import dataclass, replace

import streamlit as st
import torch

from explorer.figures import pixels
from explorer.papers.learned_sets import LearnedSet, RealPairs
from explorer.randomness import Streams
from explorer.sets import L2Ball, LatentBall

from . import cache, image_choice
from .components import show_row
from .learned_sets_link import PAGE, Link, decode_point
from .live_control import LiveState, live_control
from .live_scenes import SCENES, Scene

GRID = 64


@dataclass(frozen=True)
class Subject:
    """The image that is perturbed: as it is, its real perturbations, and a name."""

    image: torch.Tensor
    real: RealPairs
    name: str
    key: int


def choose_image(link: Link, learned: LearnedSet, identity: str, revision: int) -> tuple[Link, Subject | None, list[str]]:
    """The strip, random, by class, or upload. `identity` says which version of which checkpoint this is."""

    def subject(chosen: image_choice.Chosen) -> Subject:
        return Subject(chosen.image, cache.real_pairs(learned, identity, chosen.key, chosen.image), chosen.name, chosen.key)

    def beside(chosen: image_choice.Chosen) -> None:
        show_row({"clean": pixels(learned.clean(chosen.key))[0], "real pair": pixels(subject(chosen).real.perturbed[:1])[0]}, 62, wrap=False)

    link, chosen, problems = image_choice.choose_image(link, learned.images, PAGE, revision, beside)
    return link, None if chosen is None else subject(chosen), problems


def drag(link: Link, learned: LearnedSet, subject: Subject, identity: str, revision: str) -> LiveState:
    """The live control on this subject; returns what was committed."""
    token = SCENES.register((identity, subject.key, str(learned.device)), lambda: _scene(learned, subject))
    directions = learned.directions
    return live_control(
        token=token,
        latent_dim=learned.latent_dim,
        epsilon=learned.radius,
        percentiles=learned.checkpoint.header.percentile_radii,
        directions=[
            {"name": f"direction {i + 1}", "vector": vector.tolist(), "extent": float(extent), "share": float(share)}
            for i, (vector, extent, share) in enumerate(zip(directions.vectors, directions.extents, directions.shares))
        ],
        examples=[{"name": name, "delta": delta.tolist()} for name, delta in zip(subject.real.names, subject.real.delta.cpu())],
        delta=decode_point(link.u, learned.latent_dim),
        radius=learned.radius if link.radius is None else min(link.radius, learned.radius),
        view=link.view,
        axes=link.axes,
        revision=revision,
        image_shape=learned.checkpoint.model.image_shape,
        caption=subject.name,
        key="learned_sets.live",
    )


def plain_sliders(state: LiveState, learned: LearnedSet, revision: str) -> LiveState:
    """Where no socket can be opened: the radius and the first directions as sliders that answer on release."""
    st.warning("The live connection could not be opened, so the picture follows on release only. A proxy may block WebSockets.")
    radius = st.slider("Radius", 0.0, max(learned.radius, 1e-6), state.radius, key=f"plain-radius-{revision}")
    vectors, delta = learned.directions.vectors, torch.tensor(state.delta)
    for index, column in enumerate(st.columns(min(4, len(vectors)))):
        extent, old = max(float(learned.directions.extents[index]), 1e-6), float(vectors[index] @ delta)
        with column:
            new = st.slider(f"Direction {index + 1}", -extent, extent, max(-extent, min(extent, old)), key=f"plain-{index}-{revision}")
        delta = delta + (new - old) * vectors[index]
    point = L2Ball(torch.tensor([radius]), (learned.latent_dim,)).project(delta[None])[0]
    return replace(state, delta=tuple(point.tolist()), radius=radius)


def _scene(learned: LearnedSet, subject: Subject) -> Scene:
    """S at the subject alone, at 64 copies of it for random members, and at 64 test images."""
    ball = LatentBall(learned.checkpoint.model, learned.radius)
    clean = learned.pairs.clean(subject.image).to(learned.device)
    others = learned.pairs.clean(learned.images.images[:GRID]).to(learned.device)
    perturb_members = ball.at(clean.expand(GRID, -1, -1, -1))
    return Scene(
        one=ball.at(clean),
        latent_dim=learned.latent_dim,
        images=ball.at(others),
        image_count=len(others),
        members=unit_members(learned.latent_dim),
        perturb_members=perturb_members,
        device=str(learned.device),
    )


def unit_members(latent_dim: int) -> torch.Tensor:
    """64 points of the unit ball of uniform length in random directions, the same ones for every image."""
    return L2Ball(torch.ones(GRID), (latent_dim,)).sample(Streams(0, range(GRID), purpose="members"), "uniform-norm")
