"""Heavy objects, shared by all sessions. Never change what these return."""

from pathlib import Path
from typing import Any

import streamlit as st
import torch

from explorer.evaluation import Sweep
from explorer.figures import pixels, strip
from explorer.hardware import pick_device
from explorer.papers import EXPERIMENTS
from explorer.papers.learned_sets import LearnedSet, RealPairs, Settings, members, open_learned_set
from explorer.papers.learned_sets.searches import Search, SearchSettings, search
from explorer.papers.learned_sets.transformations import sweeps


def learned_set(path: Path) -> LearnedSet:
    """The opened checkpoint, once for each version of the file."""
    return _learned_set(str(path), path.stat().st_mtime_ns, str(pick_device()))


@st.cache_resource(max_entries=8, show_spinner="Opening the checkpoint …")
def _learned_set(path: str, modified: int, device: str) -> LearnedSet:
    """`modified` tells versions of the file apart: as all arguments without a leading underscore, it is part of the key."""
    return open_learned_set(path, device)


@st.cache_data(max_entries=64, show_spinner="Drawing a sample strip …")
def sample_strip(path: str, modified: int, image: int, count: int, seed: int):
    """A clean test image and random members of its set, in one row."""
    learned = _learned_set(path, modified, str(pick_device()))
    clean = learned.clean(image % len(learned.images))
    drawn = members(learned, clean, Settings(radius=learned.radius, seed=seed, members=count))
    return strip(pixels(torch.cat([clean, drawn.frames])))


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
