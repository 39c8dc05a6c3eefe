"""The controls of the Adversarial augmentation page: through which network, how far and how long."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from explorer.errors import InvalidInput
from explorer.metrics.structural_similarity import check_large_enough
from explorer.papers.adversarial_augmentation.backbone_config import KIND
from explorer.papers.adversarial_augmentation.opening import Backbone, check_fit
from explorer.studies.classifiers import OpenedClassifier

from . import cache
from .adversarial_augmentation_link import LIMITS, STEP_CHOICES, Link
from .classifier_choice import known_classifiers, trained_nominally
from .components import plain
from .library import Found, find_checkpoints
from .model_choice import is_half


@dataclass(frozen=True, eq=False)
class ChosenNetwork:
    """An image-to-image network that is open; `identity` says which version of which file."""

    key: str
    path: Path
    backbone: Backbone
    identity: tuple


def known_networks(folders: tuple[str, ...]) -> dict[str, Found]:
    """Image-to-image networks by key; the halves that a training leaves behind last."""
    found = [each for each in find_checkpoints(folders) if each.header and each.header.kind == KIND]
    return {each.key: each for each in sorted(found, key=is_half)}


def told_apart(link: Link, networks: Mapping[str, Found]) -> Link:
    """A link from the gallery may name a network where a classifier is expected."""
    named = [key for key in link.model if key in networks]
    return replace(link, model=tuple(key for key in link.model if key not in networks), network=link.network or named[0]) if named else link


def classifiers_for(link: Link, folders: tuple[str, ...], networks: Mapping[str, Found]) -> dict[str, Found]:
    """Classifiers by key; first those of the data set of the link's network, or of any network, and of those the embedded digits, of which the
    first has learned no corruption."""
    wanted = [networks[link.network]] if link.network in networks else list(networks.values())
    trained = {each.header.dataset.get("name") for each in wanted}

    def order(pair: tuple[str, Found]) -> tuple[bool, bool, bool, bool]:
        dataset = pair[1].header.dataset.get("name")
        return is_half(pair[1]), dataset not in trained, dataset != "digits", not trained_nominally(pair[1])

    return dict(sorted(known_classifiers(folders).items(), key=order))


def choose_network(link: Link, networks: Mapping[str, Found], opened: OpenedClassifier, revision: int) -> tuple[Link, ChosenNetwork | None, list[str]]:
    """The link with the network, and what is wrong with the one that it names. Those of the classifier's channels can be chosen, of its data
    set first."""
    channels, dataset = opened.model.image_shape[0], opened.data.name
    fitting = [key for key, each in networks.items() if each.header.model_config.get("channels", 3) == channels]
    fitting.sort(key=lambda key: (is_half(networks[key]), networks[key].header.dataset.get("name") != dataset, networks[key].header.model != "completion_unet"))
    kind = "grey" if channels == 1 else "colour" if channels == 3 else f"{channels}-channel"
    problems = []
    if link.network and link.network not in fitting:
        why = f"takes images of other channels than {kind} ones" if link.network in networks else "is not an image-to-image network that is here"
        problems.append(f"The link's network {link.network[:60]!r} {why}. Another is shown instead.")
    if not fitting:
        st.info(f"No image-to-image network for {kind} images was found. Train one with `python -m explorer.train backbone-unet-{'scenes' if channels == 3 else 'digits'}`, then add the folder `runs` in the gallery.")
        return link, None, problems
    key = st.selectbox("Image-to-image network", fitting, fitting.index(link.network) if link.network in fitting else 0, key=f"network-{revision}-{channels}-{dataset}", help="Whose weights are changed.")
    path = networks[key].path
    backbone = cache.backbone(path)
    check_fit(backbone, opened.images.images[:1].to(opened.device))
    return replace(link, network="" if key == fitting[0] else key), ChosenNetwork(key, path, backbone, (str(path), path.stat().st_mtime_ns)), problems


def choose_search(link: Link, revision: int) -> Link:
    """Steps, the guard's limit, and the seed."""
    first, second, third = st.columns([3, 3, 2], vertical_alignment="bottom")
    steps = first.selectbox("Steps", STEP_CHOICES, STEP_CHOICES.index(link.steps), key=f"steps-{revision}", help="Of the search; AdA takes 10. Fewer are longer in proportion; 0 is the random start alone.")
    limit = second.selectbox("Guard: 1 − SSIM ≤", LIMITS, LIMITS.index(link.ssim_limit), format_func=lambda value: f"{value:g}", key=f"limit-{revision}", help="AdA takes 0.3 for 32 × 32 pixels, 0.7 for 128 × 128.")
    seed = third.number_input("Seed", 0, 10**9, link.seed, key=f"seed-{revision}", help="Of the random start and of the random weights.")
    return replace(link, steps=steps, ssim_limit=limit, seed=seed)


def describe_network(chosen: ChosenNetwork) -> str:
    """What the network is, in a line."""
    header = chosen.backbone.checkpoint.header
    count = sum(each.numel() for each in chosen.backbone.model.parameters())
    like = f", SSIM {header.metrics['ssim']:.3f} to what it is given" if "ssim" in header.metrics else ""
    return f"**{plain(header.name)}**: {plain(header.model)}, {plain(header.dataset.get('name'))}, {count:,} weights in {len(chosen.backbone.ball(1.0).layers)} layers{like}. ν bounds each layer's change relative to its norm."


def fit_problem(opened: OpenedClassifier) -> str | None:
    """Why these images cannot be compared by SSIM."""
    try:
        check_large_enough(opened.images.images[:1])
    except InvalidInput as error:
        return str(error)
    return None
