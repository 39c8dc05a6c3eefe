import json
from dataclasses import replace

import pytest
import torch

from explorer.errors import ConfigurationError
from explorer.papers import RESULTS, read_results
from explorer.papers.manifold_directions.measured import ACCURACIES_KIND, SPECTRA_KIND
from explorer.runs.kinds import KINDS, opened, specify
from explorer.runs.manifold_directions import few_images_of_all_classes, measure_accuracies, measure_spectra
from explorer.runs.task import Task
from explorer.types import Silent
from tests.tiny_directions import write

WORK = {"direction_accuracies": (measure_accuracies, "accuracies", ACCURACIES_KIND), "direction_spectra": (measure_spectra, "spectra", SPECTRA_KIND)}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("tiny"))


def task(kind, checkpoint, folder, **parameters):
    specification = specify(kind, {"checkpoint": str(checkpoint)}, {"steps": 1, "limit": 80, **parameters}, "cpu")
    _, inputs, settings = opened(specification)
    return Task(folder, inputs, settings, torch.device("cpu"), specification.seed, Silent())


@pytest.mark.parametrize("kind", WORK)
def test_a_run_leaves_a_table_and_a_results_file(kind, files, tmp_path):
    work, name, results_kind = WORK[kind]
    work(task(kind, files[0], tmp_path, **({"resamples": 10} if "spectra" in kind else {})))
    shown = json.loads((tmp_path / "results" / f"{name}.json").read_text())
    (found,) = read_results(RESULTS, (tmp_path / "results",)).of(results_kind)
    assert shown["images"] == found[0].images == 80


@pytest.mark.parametrize(("changes", "words"), [({"steps": 0}, "steps = 0"), ({"vae": "nothing"}, "explorer.train nothing")], ids=str)
def test_what_cannot_be_is_refused_before_it_starts(files, changes, words):
    with pytest.raises(ConfigurationError, match=words):
        specify("direction_accuracies", {"checkpoint": str(files[0])}, changes, "cpu")


def test_another_kind_of_checkpoint_is_refused(files):
    with pytest.raises(ConfigurationError, match="expected a 'classifier'"):
        specify("direction_spectra", {"checkpoint": str(files[1])}, {}, "cpu")


def test_the_sample_for_an_estimate_holds_two_images_of_every_class(files):
    _, inputs, settings = opened(specify("direction_spectra", {"checkpoint": str(files[0])}, {}, "cpu"))
    few, factor = few_images_of_all_classes(inputs, settings)
    assert factor == 300 / few.limit and few.limit >= 40 and replace(few, limit=None, batch_size=250) == settings


def test_both_kinds_are_known_by_their_title():
    assert {KINDS[kind].title for kind in WORK} == {"Accuracy off and on the manifold", "Spectra under an attack"}
