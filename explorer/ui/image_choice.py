"""Choosing the image that a page is about: the strip of test images, random ones, those of a class, or an upload."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar, get_args

import streamlit as st
import torch
from jaxtyping import Float
from torch import Tensor

from explorer.data import ImageDataset, read_picture
from explorer.errors import ExplorerError
from explorer.figures import pixels

from .image_strip import Thumbnails, image_strip

STRIP = 24
Choice = Literal["First images", "Random", "By class", "Upload"]
Link = TypeVar("Link")  # with the fields choice, image, draw and label


@dataclass(frozen=True)
class Chosen:
    """An image as it is, its name, a number of its own, and its label, where it is known."""

    image: Float[Tensor, "1 c h w"]
    name: str
    key: int
    label: int | None = None


def choose_image(
    link: Link, images: ImageDataset, page: str, revision: int, beside: Callable[[Chosen], None] = lambda chosen: None
) -> tuple[Link, Chosen | None, list[str]]:
    """The link with what was chosen, the image, and what was wrong with an upload. `beside` draws at the strip's right."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    choices = list(get_args(Choice))
    with left:
        choice = st.segmented_control("Image", choices, default=link.choice, required=True, key=f"choice-{revision}", label_visibility="collapsed")
    link = replace(link, choice=choice or link.choice)
    with right:
        if link.choice == "By class":
            names = images.class_names
            label = st.selectbox("Class", names, names.index(link.label) if link.label else 0, key=f"label-{revision}", label_visibility="collapsed")
            link = replace(link, label=label)
        elif link.choice == "Random" and st.button("Draw others", key=f"draw-{revision}"):
            link = replace(link, draw=link.draw + 1)
    if link.choice == "Upload":
        return (link, *_uploaded(images, page))
    numbers = candidates(link, images)
    if link.choice != "First images" and link.image not in numbers:
        link = replace(link, image=numbers[0])
    shown = Thumbnails(pixels(images.images[numbers]), numbers, [images.class_names[int(images.labels[n])] for n in numbers])
    left, right = st.columns([5, 1], vertical_alignment="center", gap="small")
    with left:
        link = replace(link, image=image_strip(shown, link.image, key=f"strip-{revision}"))
    label = int(images.labels[link.image])
    chosen = Chosen(images.images[link.image : link.image + 1], f"test image {link.image} ({images.class_names[label]})", link.image, label)
    with right:
        beside(chosen)
    return link, chosen, []


def candidates(link: Link, images: ImageDataset) -> list[int]:
    """The numbers of the test images in the strip."""
    count = len(images)
    if link.choice == "Random":
        order = torch.randperm(count, generator=torch.Generator().manual_seed(link.draw))
        return order[:STRIP].tolist()
    if link.choice == "By class":
        label = images.class_names.index(link.label)
        return (images.labels == label).nonzero().flatten()[:STRIP].tolist()
    first = list(range(min(STRIP, count)))
    return first if link.image in first else [link.image, *first[:-1]]


def _uploaded(images: ImageDataset, page: str) -> tuple[Chosen | None, list[str]]:
    upload = st.file_uploader("A picture", max_upload_size=20, key=f"{page}.picture", help="PNG, JPEG, WebP, BMP, GIF or TIFF. It stays on this machine and is not part of the link.")
    if upload is None:
        st.caption("Light strokes on black look most like the digits the model has seen.")
        return None, []
    content = upload.getvalue()
    try:
        image = read_picture(content, *images.images.shape[1:])
    except ExplorerError as error:
        return None, [f"{upload.name}: {error}"]
    return Chosen(image, f"your picture {upload.name}", int.from_bytes(hashlib.sha256(content).digest()[:7])), []
