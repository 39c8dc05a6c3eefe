"""What the gallery and the runs know of each kind of checkpoint: its page, its picture, its numbers. A new kind is a line in KINDS."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from explorer.checkpoints import Header
from explorer.errors import ExplorerError
from explorer.models import model_config
from explorer.models.classifiers import KIND as CLASSIFIER
from explorer.models.segmentation import SEGMENTER
from explorer.papers.adversarial_augmentation.backbone_config import KIND as NETWORK
from explorer.papers.adversarial_augmentation.opening import open_backbone
from explorer.papers.adversarial_augmentation.reconstruction import with_images
from explorer.papers.certified_vae import KIND as CERTIFIED_VAE
from explorer.papers.certified_vae import open_certified_vae
from explorer.papers.learned_sets import KIND as LEARNED_SET
from explorer.papers.learned_sets import open_learned_set
from explorer.papers.learned_sets.segmentation_config import LIGHT_PAIRS
from explorer.papers.learned_sets.segmentation_opening import open_segmenter
from explorer.papers.manifold_directions import VAE_KIND as CLASS_VAE
from explorer.papers.manifold_directions import open_vae
from explorer.studies.classifiers import open_classifier

from . import cache
from .library import find_checkpoints

Fact = tuple[str, str, str]  # name, value, meaning


@dataclass(frozen=True)
class CheckpointKind:
    """`sheet(path, modified, seed)` draws the card's picture, `alt` says what it shows; `usable` raises where the checkpoint cannot be
    opened on its page."""

    label: str
    page: str
    sheet: Callable[[str, int, int], np.ndarray]
    alt: str
    facts: Callable[[Header], list[Fact]]
    usable: Callable[[Path], object]
    also: tuple[str, str] | None = None  # another page that shows it, and what the link says
    query: Callable[[Header, str], dict[str, str] | None] = lambda header, key: {"model": key}  # of the link to its page; none: nothing there to show it with


def _learned_set_facts(header: Header) -> list[Fact]:
    facts = [("radius ε", f"{header.radius:.2f}", "the largest latent norm of a real pair, validation split")]
    metrics = {
        "squared_error_per_pixel": ("reconstruction", "mean squared error per pixel, test split"),
        "kl_nats": ("KL", "divergence of posterior and prior in nats, test split"),
    }
    return facts + [(short, f"{header.metrics[key]:.3g}", text) for key, (short, text) in metrics.items() if key in header.metrics]


def _classifier_facts(header: Header) -> list[Fact]:
    facts = [("radius", f"± {header.radius:g}", "of the box of pixels that it was trained for")]
    metrics = {
        "clean": ("clean", "accuracy on the test split"),
        "attacked": ("under PGD", "attack found: accuracy at that radius is at most this"),
        "certified_crown_ibp": ("certified", "by CROWN-IBP: accuracy at that radius is at least this"),
    }
    return facts + [(short, f"{100 * header.metrics[key]:.1f} %", text) for key, (short, text) in metrics.items() if key in header.metrics]


def _budgeted_facts(header: Header) -> list[Fact]:
    _, *accuracies = _classifier_facts(header)
    return [("volume ε0", f"{header.radius:.3g}", "the geometric mean of the budgets that it was trained for"), *accuracies]


def _directions_facts(header: Header) -> list[Fact]:
    facts = [("trained on", " + ".join(map(str, header.training["sources"]))[:40], "where its training inputs came from: clean images, or attacks in pixels (linf, l2, l1), on the manifold, or in a learned set")]
    metrics = {
        "clean": ("clean", "accuracy on the test split"), "fgsm": ("under FGSM", "attack found: accuracy is at most this"), "vae": ("under VAE", "attack found in the latents of its VAE"),
        "perturbed": ("perturbed", "accuracy on real perturbations of the test split"),
    }  # fmt: skip
    return facts + [(short, f"{100 * header.metrics[key]:.1f} %", text) for key, (short, text) in metrics.items() if key in header.metrics]


def _class_vae_facts(header: Header) -> list[Fact]:
    metrics = {
        "squared_error_per_pixel": ("reconstruction", "mean squared error per pixel, test split"),
        "kl_nats": ("KL", "divergence of posterior and prior in nats, test split"),
    }
    return [(short, f"{header.metrics[key]:.3g}", text) for key, (short, text) in metrics.items() if key in header.metrics]


def _certified_vae_facts(header: Header) -> list[Fact]:
    trained = ("trained at", f"± {header.radius:g}", "the radius of the box whose bound was trained on") if header.radius else ("trained on", "the ELBO", "without a bound")
    metrics = {
        "test_elbo": ("ELBO", "in nats, mean over the test split, one draw of the noise for each image"),
        "test_bound": ("certified ≥", "lower bound of the ELBO over the box of that radius, for the same noise, mean over the test split"),
    }
    return [trained] + [(short, f"{header.metrics[key]:.1f}".replace("-", "−"), text) for key, (short, text) in metrics.items() if key in header.metrics]


def _network_facts(header: Header) -> list[Fact]:
    metrics = {"ssim": ("SSIM", "structural similarity of test images and what the network makes of them"), "absolute_error": ("error", "mean absolute error per pixel, test split")}
    return [(short, f"{header.metrics[key]:.3f}", text) for key, (short, text) in metrics.items() if key in header.metrics]


def _segmenter_facts(header: Header) -> list[Fact]:
    method, measured = str(header.training.get("method"))[:40], f"of the {header.metrics.get('pictures', 0):,.0f} test pictures that it was tried on, of scenes under all lights"
    facts = [] if "method" not in header.training else [("trained on", {"fixed": "one light", "pairs": "all lights"}.get(method, method), "what its training pictures were: scenes under the neutral light, under any of their lights, or members of a learned set of lights")]
    metrics = {"accuracy": ("right", f"share of the pixels that are named right, {measured}"), "mean_iou": ("IoU", f"intersection of the named and the true pixels of a material over their union, mean over the materials, {measured}")}
    return facts + [(short, f"{100 * header.metrics[key]:.1f} %", text) for key, (short, text) in metrics.items() if key in header.metrics]


def _in_its_lights(header: Header, key: str) -> dict[str, str] | None:
    """Beside the learned set that it was trained in, else another one of lights for pictures of its size."""
    asked = Path(str(header.training.get("learned_set") or "")).name.removesuffix(".safetensors")
    lights = [each for each in find_checkpoints(tuple(st.session_state.get("gallery.folders", ()))) if each.header and each.header.kind == LEARNED_SET and each.header.dataset.get("pairs") == LIGHT_PAIRS and _size(each.header) == _size(header)]
    found = sorted(lights, key=lambda each: each.header.name != asked)
    return {"model": found[0].key, "panel": "Materials", "segmenter": key} if found else None


def _size(header: Header) -> tuple[int | None, ...]:
    """Of the pictures that it takes; no numbers where its configuration says none."""
    try:
        config = model_config(header.model, header.model_config)
    except ExplorerError:
        return ()
    return tuple(getattr(config, name, None) for name in ("channels", "height", "width"))


KINDS = {
    LEARNED_SET: CheckpointKind(
        "learned set (CVAE)", "learned_sets", lambda path, modified, seed: cache.sample_strip(path, modified, 3 + seed, 9, seed),
        "a clean image, then random members of its perturbation set", _learned_set_facts, lambda path: open_learned_set(path).directions,
    ),
    CLASSIFIER: CheckpointKind(
        "classifier", "bounds", lambda path, modified, seed: cache.attacked_strip(path, modified, 10, seed),
        "test images above, below them the worst that PGD finds within the radius of the training", _classifier_facts, open_classifier,
        ("contextual_budgets", "Budgets →"),
    ),
    CERTIFIED_VAE: CheckpointKind(
        "certified VAE", "certified_vae", lambda path, modified, seed: cache.prior_sheet(path, modified, 20, 10, seed),
        "samples of the prior", _certified_vae_facts, open_certified_vae,
    ),
    CLASS_VAE: CheckpointKind(
        "class-conditional VAE", "manifold_directions", lambda path, modified, seed: cache.class_sheet(path, modified, 2, seed),
        "two draws of the prior, each decoded as every class", _class_vae_facts, lambda path: open_vae(str(path)),
    ),
    NETWORK: CheckpointKind(
        "image-to-image network", "adversarial_augmentation", lambda path, modified, seed: cache.rebuilt_strip(path, modified, 10, seed),
        "test images above, below them what the network makes of them", _network_facts, lambda path: with_images(open_backbone(path)),
    ),
    SEGMENTER: CheckpointKind(
        "segmenter of materials", "learned_sets", lambda path, modified, seed: cache.materials_strip(path, modified, 10, seed),
        "test scenes under several lights, below them the materials that it names, then the true ones", _segmenter_facts, open_segmenter, query=_in_its_lights,
    ),
}  # fmt: skip
BUDGETED = CheckpointKind(
    "classifier with learned budgets", "contextual_budgets", lambda path, modified, seed: cache.budgets_strip(path, modified, 10, seed),
    "test images above, below them the budgets of their pixels, dark for small ones", _budgeted_facts, open_classifier, ("bounds", "Bounds →"),
)  # fmt: skip
DIRECTIONS = CheckpointKind(
    "classifier off and on the manifold", "manifold_directions", KINDS[CLASSIFIER].sheet, KINDS[CLASSIFIER].alt, _directions_facts, open_classifier, ("bounds", "Bounds →"),
)

IN_SET = CheckpointKind(
    "classifier for a learned set", "attack", lambda path, modified, seed: cache.worst_members_strip(path, modified, 10, seed),
    "test images above, below them the worst members of the learned set that PGD finds at the radius of half of its encodings", _directions_facts, open_classifier, ("bounds", "Bounds →"),
    lambda header, key: {"model": key, "threat": "latent"},
)  # fmt: skip


def kind_of(header: Header) -> CheckpointKind | None:
    """What is known of a checkpoint's kind; a classifier with a generator of budgets is one of its own, and one whose training had sources,
    in a learned set or elsewhere."""
    if header.kind == CLASSIFIER and isinstance(header.training.get("sources"), (list, tuple)):
        return IN_SET if isinstance(header.training.get("learned_set"), str) else DIRECTIONS
    return BUDGETED if header.kind == CLASSIFIER and header.model == "budgeted_classifier" else KINDS.get(header.kind)
