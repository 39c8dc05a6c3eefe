import json

import pytest
import torch

from explorer.errors import ConfigurationError
from explorer.papers import RESULTS, read_results
from explorer.papers.adversarial_augmentation.reconstruction import RECONSTRUCTION_KIND
from explorer.papers.adversarial_augmentation.similarity import SIMILARITY_KIND
from explorer.runs.adversarial_augmentation import (
    few_imitated,
    few_searched,
    measure_reconstruction,
    measure_similarity,
)
from explorer.runs.kinds import opened, specify
from explorer.runs.task import Task
from explorer.types import Silent
from tests.tiny_backbones import save_backbone
from tests.tiny_budgets import save_tiny

QUICK = {"worst_weights": {"steps": 1, "radii": [0.05]}, "imitated_corruptions": {"steps": 1, "corruptions": ["contrast"], "severities": [5]}}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Of a classifier and of an image-to-image network."""
    folder = tmp_path_factory.mktemp("tiny")
    return save_tiny(folder, learned=False), save_backbone(folder)


def specified(kind, files, **changes):
    checkpoint, own = (files[0], {"backbones": [str(files[1])]}) if kind == "worst_weights" else (files[1], {})
    return specify(kind, {"checkpoint": str(checkpoint)}, {**QUICK[kind], **own, "limit": 3, **changes}, "cpu")


@pytest.mark.parametrize(
    ("kind", "work", "name", "results_kind"),
    [("worst_weights", measure_similarity, "similarity", SIMILARITY_KIND), ("imitated_corruptions", measure_reconstruction, "reconstruction", RECONSTRUCTION_KIND)],
)
def test_a_run_leaves_a_table_and_a_results_file(kind, work, name, results_kind, files, tmp_path):
    specification = specified(kind, files)
    _, inputs, settings = opened(specification)
    work(Task(tmp_path, inputs, settings, torch.device("cpu"), specification.seed, Silent()))
    shown = json.loads((tmp_path / "results" / f"{name}.json").read_text())
    (found,) = read_results(RESULTS, (tmp_path / "results",)).of(results_kind)
    assert shown["images"] == found[0].images == 3


@pytest.mark.parametrize(("kind", "sample"), [("worst_weights", few_searched), ("imitated_corruptions", few_imitated)])
def test_the_sample_for_an_estimate_is_a_few_images(kind, sample, files):
    _, inputs, settings = opened(specified(kind, files, limit=100))
    few, factor = sample(inputs, settings)
    assert (few.limit, factor) == (2, 50)


@pytest.mark.parametrize(("changes", "words"), [({"radii": [0.0]}, "radii"), ({"backbones": ["nothing"]}, "explorer.train nothing"), ({"steps": -1, "chunk": 0}, "steps = -1(.|\n)*chunk = 0")], ids=str)
def test_what_cannot_be_is_refused_before_it_starts(files, changes, words):
    with pytest.raises(ConfigurationError, match=words):
        specified("worst_weights", files, **changes)


def test_a_corruption_that_does_not_exist_is_refused(files):
    with pytest.raises(ConfigurationError, match="rain"):
        specified("imitated_corruptions", files, corruptions=["rain"])


@pytest.mark.parametrize("kind", QUICK)
def test_another_kind_of_checkpoint_is_refused(kind, files):
    with pytest.raises(ConfigurationError, match="expected a"):
        specified(kind, files[::-1])
