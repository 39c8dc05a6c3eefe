"""Heavy objects, shared by all sessions. Never change what these return."""

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
import torch

from explorer.data import ImageDataset
from explorer.errors import ExplorerError
from explorer.evaluation import Sweep
from explorer.evaluation.spectra import Spectrum
from explorer.figures import pixels, strip, tile
from explorer.figures.budget_maps import budget_pixels
from explorer.figures.materials import material_map
from explorer.hardware import pick_device
from explorer.models import BudgetedClassifier
from explorer.papers import EXPERIMENTS
from explorer.papers.adversarial_augmentation.opening import Backbone, open_backbone
from explorer.papers.adversarial_augmentation.reconstruction import with_images
from explorer.papers.certified_vae import CertifiedVae, Exploration, open_certified_vae, prior_samples
from explorer.papers.certified_vae import Settings as BoxSettings
from explorer.papers.certified_vae import explore as explore_box
from explorer.papers.contextual_budgets.exploration import Surroundings, mean_budgets
from explorer.papers.contextual_budgets.exploration import surroundings as look_around
from explorer.papers.contextual_budgets.opening import regions
from explorer.papers.learned_sets import LearnedSet, RealPairs, Settings, members, open_learned_set
from explorer.papers.learned_sets.robust_evaluation import set_and_pairs, worst_member
from explorer.papers.learned_sets.searches import Search, SearchSettings, search
from explorer.papers.learned_sets.segmentation_opening import open_segmenter
from explorer.papers.learned_sets.segmentation_training import lit_pictures, picture_count
from explorer.papers.learned_sets.transformations import sweeps
from explorer.papers.manifold_directions import OpenedDirections, open_directions, open_vae
from explorer.papers.manifold_directions.exploration import Attacked, attack_image
from explorer.papers.manifold_directions.exploration import Settings as AttackSettings
from explorer.papers.manifold_directions.exploration import class_directions as find_directions
from explorer.papers.manifold_directions.pictures import class_samples
from explorer.randomness import Streams
from explorer.studies.bounds import BoundsStudy, LayerWidth, study_bounds, worst_images
from explorer.studies.bounds import Settings as BoundsSettings
from explorer.studies.bounds import activations as count_activations
from explorer.studies.bounds import layer_widths as measure_layer_widths
from explorer.studies.classifiers import OpenedClassifier, open_classifier


def learned_set(path: Path) -> LearnedSet:
    """The opened checkpoint, once for each version of the file."""
    return _learned_set(str(path), path.stat().st_mtime_ns, str(pick_device()))


@st.cache_resource(max_entries=8, show_spinner="Opening the checkpoint …")
def _learned_set(path: str, modified: int, device: str) -> LearnedSet:
    """`modified` tells versions of the file apart: as all arguments without a leading underscore, it is part of the key."""
    return open_learned_set(path, device)


def classifier(path: Path) -> OpenedClassifier:
    """The opened checkpoint, once for each version of the file."""
    return _classifier(str(path), path.stat().st_mtime_ns, str(pick_device()))


@st.cache_resource(max_entries=8, show_spinner="Opening the checkpoint …")
def _classifier(path: str, modified: int, device: str) -> OpenedClassifier:
    return open_classifier(path, device)


def certified_vae(path: Path) -> CertifiedVae:
    """The opened checkpoint, once for each version of the file."""
    return _certified_vae(str(path), path.stat().st_mtime_ns, str(pick_device()))


@st.cache_resource(max_entries=8, show_spinner="Opening the checkpoint …")
def _certified_vae(path: str, modified: int, device: str) -> CertifiedVae:
    return open_certified_vae(path, device)


@st.cache_data(max_entries=64, show_spinner="Drawing a sample strip …")
def sample_strip(path: str, modified: int, image: int, count: int, seed: int):
    """A clean test image and random members of its set, in one row."""
    learned = _learned_set(path, modified, str(pick_device()))
    clean = learned.clean(image % len(learned.images))
    drawn = members(learned, clean, Settings(radius=learned.radius, seed=seed, members=count))
    return strip(pixels(torch.cat([clean, drawn.frames])))


@st.cache_data(max_entries=64, show_spinner="Attacking test images …")
def attacked_strip(path: str, modified: int, count: int, seed: int):
    """Test images above the worst that PGD finds for each."""
    opened = _classifier(path, modified, str(pick_device()))
    first = seed * count % max(1, len(opened.images) - count + 1)
    clean, worst = worst_images(opened, range(first, first + count), opened.radius)
    return tile(pixels(torch.cat([clean, worst])), count)


@st.cache_data(max_entries=64, show_spinner="Attacking test images …")
def worst_members_strip(path: str, modified: int, count: int, seed: int):
    """Test images above the worst member of its learned set for each; of the images alone where that set is not here."""
    opened = _classifier(path, modified, str(pick_device()))
    first = seed * count % max(1, len(opened.images) - count + 1)
    chosen = opened.images[list(range(first, first + count))]
    images, labels = chosen.images.to(opened.device), chosen.labels.to(opened.device)
    try:
        learned, _ = set_and_pairs(opened, None)
        (radius,) = learned.radii_of(("50",))
    except ExplorerError:
        return tile(pixels(images), count)
    _, worst = worst_member(opened.model, learned, images, labels, radius, 10, 0.25, Streams(0, range(first, first + count)))
    return tile(pixels(torch.cat([images, worst])), count)


@st.cache_data(max_entries=64, show_spinner="Running the generator …")
def budgets_strip(path: str, modified: int, count: int, seed: int):
    """Test images above the budgets of their pixels."""
    opened = _classifier(path, modified, str(pick_device()))
    first = seed * count % max(1, len(opened.images) - count + 1)
    images = opened.images.images[first : first + count]
    with torch.inference_mode():
        budgets = opened.model.budgets(images.to(opened.device))
    limits = opened.model.alpha * opened.model.volume, min(1.0, opened.model.alpha_bar * opened.model.volume)
    return tile(np.concatenate([pixels(images), budget_pixels(budgets, limits)]), count)


@st.cache_data(max_entries=64, show_spinner="Naming materials …")
def materials_strip(path: str, modified: int, count: int, seed: int):
    """Test scenes under different lights, the materials that a segmenter names, and the true ones."""
    opened = open_segmenter(path, pick_device())
    first = seed * count % max(1, picture_count(opened.pairs) - count + 1)
    pictures, materials = lit_pictures(opened.pairs, range(first, first + count))
    with torch.inference_mode():
        named = opened.checkpoint.model(pictures.to(opened.device)).argmax(1)
    maps = [material_map(each, opened.checkpoint.model.classes) for each in (*named, *materials)]
    return tile(np.concatenate([pixels(pictures), maps]), count)


@st.cache_data(max_entries=64, show_spinner="Sampling the prior …")
def prior_sheet(path: str, modified: int, count: int, columns: int, seed: int):
    """What a VAE draws from its prior."""
    return tile(pixels(prior_samples(_certified_vae(path, modified, str(pick_device())).model, count, seed)), columns)


@st.cache_data(max_entries=64, show_spinner="Sampling …")
def class_sheet(path: str, modified: int, rows: int, seed: int):
    """Draws of the prior of a class-conditional VAE, each decoded as every class."""
    model = open_vae(path, pick_device()).model
    return tile(pixels(class_samples(model, rows, seed)), model.classes)


@st.cache_data(max_entries=64, show_spinner="Counting the training images …")
def training_steps(experiment: str, parameters: str, _config: Any) -> int:
    """How many batches a configuration takes; `parameters` is its text. Raises DataNotFound."""
    return EXPERIMENTS[experiment].steps(_config, None)


def _content(tensor: torch.Tensor) -> tuple:
    """What tells images apart: the same number is another image in another data set."""
    return tuple(tensor.shape), tensor.cpu().numpy().tobytes()


@st.cache_resource(max_entries=256, show_spinner=False, hash_funcs={torch.Tensor: _content})
def real_pairs(_learned: LearnedSet, checkpoint: str, key: int, image: torch.Tensor) -> RealPairs:
    """Real perturbations of one image and their encodings; `checkpoint` says of which set, `key` which random numbers."""
    return _learned.real_pairs(image, key)


@st.cache_resource(max_entries=64, show_spinner="Searching the ball …", hash_funcs={torch.Tensor: _content})
def found_member(_learned: LearnedSet, checkpoint: str, clean: torch.Tensor, target: torch.Tensor, settings: SearchSettings) -> Search:
    """A search with its path; `checkpoint` says of which set."""
    return search(_learned, clean, target, settings)


@st.cache_resource(max_entries=32, show_spinner="Following each parameter …", hash_funcs={torch.Tensor: _content})
def parameter_paths(_learned: LearnedSet, checkpoint: str, image: torch.Tensor, steps: int) -> tuple[Sweep, ...]:
    return sweeps(_learned, image, steps)


@st.cache_resource(max_entries=128, show_spinner="Bounding the margins …")
def bounds_study(_model: torch.nn.Module, identity: tuple, _image: torch.Tensor, label: int, settings: BoundsSettings) -> BoundsStudy:
    """`identity` says of which version of which checkpoint and of which image."""
    return study_bounds(_model, _image, label, settings)


@st.cache_data(max_entries=64, show_spinner=False)
def image_regions(path: str, modified: int, number: int) -> dict[str, np.ndarray]:
    """The named parts of a test image whose budgets are compared; none for photographs."""
    opened = _classifier(path, modified, str(pick_device()))
    return {name: mask[-1].cpu().numpy() for name, mask in regions(opened.data, opened.images.images[: number + 1]).items()}


@st.cache_resource(max_entries=64, show_spinner="Running the generator …")
def surroundings(_model: torch.nn.Module, identity: tuple, _image: torch.Tensor, label: int, _same_class: torch.Tensor) -> Surroundings:
    """`identity` says of which version of which checkpoint and of which image."""
    return look_around(_model, _image, label, _same_class)


@st.cache_resource(max_entries=32, show_spinner="Running the generator …")
def class_budgets(_model: BudgetedClassifier, checkpoint: tuple, _images: ImageDataset, count: int, volume: float, alpha: float, alpha_bar: float) -> torch.Tensor:
    """The geometric mean budgets of each class, over its first images."""
    return mean_budgets(_model, _images, count, volume, alpha, alpha_bar)


@st.cache_data(max_entries=32, show_spinner=False)
def activations(_model: torch.nn.Module, checkpoint: tuple, _image: torch.Tensor) -> int:
    """`checkpoint` says which version of which."""
    return count_activations(_model, _image)


@st.cache_resource(max_entries=128, show_spinner="Bounding every layer …")
def layer_widths(_model: torch.nn.Module, identity: tuple, _image: torch.Tensor, radius: float, method: str) -> tuple[LayerWidth, ...]:
    return measure_layer_widths(_model, _image, radius, method)


@st.cache_resource(max_entries=256, show_spinner=False, hash_funcs={torch.Tensor: _content})
def explored_vae(_opened: CertifiedVae, checkpoint: tuple, image: torch.Tensor, settings: BoxSettings) -> Exploration:
    """ELBO, bounds and reconstruction of one image; `checkpoint` says of which version of which model."""
    return explore_box(_opened, image, settings)


def backbone(path: Path) -> Backbone:
    """An image-to-image network, once for each version of the file."""
    return _backbone(str(path), path.stat().st_mtime_ns, str(pick_device()))


@st.cache_resource(max_entries=8, show_spinner="Opening the checkpoint …")
def _backbone(path: str, modified: int, device: str) -> Backbone:
    return open_backbone(path, device)


@st.cache_data(max_entries=64, show_spinner="Rebuilding test images …")
def rebuilt_strip(path: str, modified: int, count: int, seed: int):
    """Test images above what an image-to-image network makes of them."""
    opened = with_images(_backbone(path, modified, str(pick_device())))
    first = seed * count % max(1, len(opened.images) - count + 1)
    images = opened.images.images[first : first + count]
    with torch.inference_mode():
        return tile(pixels(torch.cat([images, opened.backbone.model(images.to(opened.device)).clamp(0, 1).cpu()])), count)


def directions(path: Path) -> OpenedDirections:
    """A classifier with the VAE of its manifold, once for each version of the file."""
    return _directions(str(path), path.stat().st_mtime_ns, str(pick_device()))


@st.cache_resource(max_entries=8, show_spinner="Opening the checkpoint …")
def _directions(path: str, modified: int, device: str) -> OpenedDirections:
    return open_directions(path, device)


@st.cache_resource(max_entries=40, show_spinner="Finding the class's principal directions …")
def class_directions(_opened: OpenedDirections, checkpoint: tuple, label: int) -> Spectrum:
    """`checkpoint` says which version of which."""
    return find_directions(_opened, label)


@st.cache_resource(max_entries=128, show_spinner="Attacking …", hash_funcs={torch.Tensor: _content})
def attacked_image(_opened: OpenedDirections, checkpoint: tuple, number: int, image: torch.Tensor, label: int, settings: AttackSettings, _directions: Spectrum) -> dict[str, Attacked]:
    """In pixels and in latents; `checkpoint` says which version of which."""
    return attack_image(_opened, image, label, number, settings, _directions)
