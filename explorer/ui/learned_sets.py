"""The controls of the Learned sets page: which image, where in the ball, and the panels below."""

import base64
import zlib
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import streamlit as st
import torch

from explorer.data import read_picture
from explorer.errors import ExplorerError, InvalidInput
from explorer.figures import pixels
from explorer.papers.learned_sets import LearnedSet, RealPairs
from explorer.randomness import Streams
from explorer.sets import L2Ball, LatentBall
from explorer.sets.base import Law

from . import cache
from .components import show_row
from .image_strip import Thumbnails, image_strip
from .live_control import LiveState, live_control
from .live_scenes import SCENES, Scene

STRIP = 24
GRID = 64
Panel = Literal["Difference", "Interpolation", "Random members"]
Choice = Literal["First images", "Random", "By class", "Upload"]


@dataclass(frozen=True)
class Link:
    """The page's settings, as they stand in its URL. `u` is the point of the ball: float32 numbers in base64."""

    model: str = ""
    choice: Choice = "First images"
    image: int = 0
    draw: int = 0
    label: str = ""
    radius: float | None = None
    u: str = ""
    view: Literal["one", "members", "images"] = "one"
    panel: Panel = "Difference"
    amplify: int = 1
    stops: tuple[int, ...] = (0, 1)
    frame: int = 0
    seed: int = 0
    law: Law = "normal"


@dataclass(frozen=True)
class Subject:
    """The image that is perturbed: as it is, its real perturbations, and a name."""

    image: torch.Tensor
    real: RealPairs
    name: str
    key: int


def encode_point(delta: tuple[float, ...]) -> str:
    """A point of the ball as URL text; empty for the centre."""
    if not any(delta):
        return ""
    return base64.urlsafe_b64encode(np.asarray(delta, "<f4").tobytes()).decode().rstrip("=")


def decode_point(text: str, latent_dim: int) -> tuple[float, ...]:
    """Raises InvalidInput for text that is no point of that many finite coordinates."""
    if not text:
        return (0.0,) * latent_dim
    try:
        point = np.frombuffer(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "<f4")
    except ValueError:
        raise InvalidInput("the link's u is not a point of this set. The centre is shown instead.") from None
    if len(point) != latent_dim or not np.isfinite(point).all():
        raise InvalidInput(f"the link's u is not a point of {latent_dim} finite coordinates. The centre is shown instead.")
    return tuple(map(float, point))


def checked(link: Link, learned: LearnedSet) -> tuple[Link, list[str]]:
    """The link with every value that this model does not have replaced, and a sentence for each."""
    problems = []
    last, epsilon = len(learned.images) - 1, learned.radius
    if not 0 <= link.image <= last:
        problems.append(f"The link's image = {link.image} does not exist (0 to {last}). Image 0 is shown instead.")
        link = replace(link, image=0)
    if link.radius is not None and not 0 <= link.radius <= epsilon * (1 + 1e-6):
        problems.append(f"The link's radius = {link.radius:g} is outside 0 to ε = {epsilon:.4g}. ε is shown instead.")
        link = replace(link, radius=None)
    if link.label and link.label not in learned.images.class_names:
        problems.append(f"The link's label = {link.label[:40]!r} is no class of this data set.")
        link = replace(link, label="")
    for name, low, high in (("seed", 0, 10**9), ("draw", 0, 10**9), ("amplify", 1, 32), ("frame", 0, 10**6)):
        if not low <= getattr(link, name) <= high:
            problems.append(f"The link's {name} = {getattr(link, name)} is outside {low} to {high}. The default is shown instead.")
            link = replace(link, **{name: getattr(Link(), name)})
    if not 2 <= len(link.stops) <= 3 or any(not -1 <= stop < 8 for stop in link.stops):
        problems.append(f"The link's stops = {link.stops} are not two or three perturbations from -1 (clean) to 7.")
        link = replace(link, stops=Link().stops)
    try:
        decode_point(link.u, learned.latent_dim)
    except InvalidInput as error:
        problems.append(str(error))
        link = replace(link, u="")
    return link, problems


def choose_image(link: Link, learned: LearnedSet, identity: str, revision: int) -> tuple[Link, Subject | None, list[str]]:
    """The strip, random, by class, or upload. `identity` says which version of which checkpoint this is."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    choices = list(Choice.__args__)
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
        show_row({"clean": pixels(learned.clean(link.image))[0], "real pair": pixels(subject.real.perturbed[:1])[0]}, 62)
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
    key = zlib.crc32(content)
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
        revision=revision,
        image_shape=learned.checkpoint.model.image_shape,
        caption=subject.name,
        key="learned_sets.live",
    )


def plain_sliders(state: LiveState, learned: LearnedSet, revision: str) -> LiveState:
    """Where no socket can be opened: the radius and the first directions as sliders that answer on release."""
    st.warning("The live connection could not be opened, so the picture follows on release only. A proxy may block WebSockets.")
    radius = st.slider("Radius", 0.0, learned.radius, state.radius, key=f"plain-radius-{revision}")
    vectors, delta = learned.directions.vectors, torch.tensor(state.delta)
    for index, column in enumerate(st.columns(4)):
        extent, old = float(learned.directions.extents[index]), float(vectors[index] @ delta)
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
    return L2Ball(torch.ones(GRID), (latent_dim,)).sample(Streams(0, range(GRID)), "uniform-norm")
