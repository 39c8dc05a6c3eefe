"""The controls of the Learned sets page: which image, where in the ball, and the panels below."""

import hashlib
from dataclasses import dataclass, replace
from typing import get_args

import streamlit as st
import torch

from explorer.data import read_picture
from explorer.errors import ExplorerError
from explorer.figures import pixels
from explorer.papers.learned_sets import LearnedSet, RealPairs
from explorer.randomness import Streams
from explorer.sets import L2Ball, LatentBall

from . import cache
from .components import show_row
from .image_strip import Thumbnails, image_strip
from .learned_sets_link import Choice, Link, decode_point
from .live_control import LiveState, live_control
from .live_scenes import SCENES, Scene

STRIP = 24
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
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    choices = list(get_args(Choice))
    with left:
        choice = st.segmented_control("Image", choices, default=link.choice, required=True, key=f"choice-{revision}", label_visibility="collapsed")
    link = replace(link, choice=choice or link.choice)
    with right:
        if link.choice == "By class":
            names = learned.images.class_names
            label = st.selectbox("Class", names, names.index(link.label) if link.label else 0, key=f"label-{revision}", label_visibility="collapsed")
            link = replace(link, label=label)
        elif link.choice == "Random" and st.button("Draw others", key=f"draw-{revision}"):
            link = replace(link, draw=link.draw + 1)
    if link.choice == "Upload":
        return (link, *_uploaded(learned, identity))
    numbers = candidates(link, learned)
    if link.choice != "First images" and link.image not in numbers:
        link = replace(link, image=numbers[0])
    images = learned.images
    shown = Thumbnails(pixels(images.images[numbers]), numbers, [images.class_names[int(images.labels[n])] for n in numbers])
    left, right = st.columns([5, 1], vertical_alignment="center", gap="small")
    with left:
        link = replace(link, image=image_strip(shown, link.image, key=f"strip-{revision}"))
    image = images.images[link.image : link.image + 1]
    name = f"test image {link.image} ({images.class_names[int(images.labels[link.image])]})"
    subject = Subject(image, cache.real_pairs(learned, identity, link.image, image), name, link.image)
    with right:
        show_row({"clean": pixels(learned.clean(link.image))[0], "real pair": pixels(subject.real.perturbed[:1])[0]}, 62, wrap=False)
    return link, subject, []


def candidates(link: Link, learned: LearnedSet) -> list[int]:
    """The numbers of the test images in the strip."""
    count = len(learned.images)
    if link.choice == "Random":
        order = torch.randperm(count, generator=torch.Generator().manual_seed(link.draw))
        return order[:STRIP].tolist()
    if link.choice == "By class":
        label = learned.images.class_names.index(link.label)
        return (learned.images.labels == label).nonzero().flatten()[:STRIP].tolist()
    first = list(range(min(STRIP, count)))
    return first if link.image in first else [link.image, *first[:-1]]


def _uploaded(learned: LearnedSet, identity: str) -> tuple[Subject | None, list[str]]:
    upload = st.file_uploader("A picture", max_upload_size=20, key="learned_sets.picture", help="PNG, JPEG, WebP, BMP, GIF or TIFF. It stays on this machine and is not part of the link.")
    if upload is None:
        st.caption("Light strokes on black look most like the digits the model has seen.")
        return None, []
    channels, height, width = learned.images.images.shape[1:]
    content = upload.getvalue()
    try:
        image = read_picture(content, channels, height, width)
    except ExplorerError as error:
        return None, [f"{upload.name}: {error}"]
    key = int.from_bytes(hashlib.sha256(content).digest()[:7])
    return Subject(image, cache.real_pairs(learned, identity, key, image), f"your picture {upload.name}", key), []


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
