"""The kinds of runs on classifiers and their budgets: what they write, and what they refuse."""

import json

import pytest
import torch

from explorer.errors import ConfigurationError
from explorer.papers import RESULTS
from explorer.papers.results import read_result
from explorer.runs.budgets import few_test_images, measure_errors, measure_followed, measure_volumes
from explorer.runs.kinds import opened, specify
from explorer.runs.task import Task
from explorer.types import Silent
from tests.tiny_budgets import save_tiny

KINDS = {"budget_errors": (measure_errors, "errors"), "budget_volumes": (measure_volumes, "volumes"), "budget_followed": (measure_followed, "followed")}
QUICK = {"budget_errors": {"steps": 2}, "budget_volumes": {"iterations": 2}, "budget_followed": {}}


@pytest.fixture(scope="module")
def uniform(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("uniform"), learned=False)


def task(kind, path, folder, **parameters) -> Task:
    _, inputs, settings = opened(specify(kind, {"checkpoint": str(path)}, {"limit": 6, "batch_size": 4, **QUICK[kind], **parameters}, "cpu", seed=2))
    return Task(folder, inputs, settings, torch.device("cpu"), 2, Silent())


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_leaves_a_table_and_a_results_file(kind, budgets, tmp_path):
    work, name = KINDS[kind]
    work(task(kind, budgets, tmp_path))
    shown = json.loads((tmp_path / "results" / f"{name}.json").read_text())
    found, table = read_result(tmp_path / "results" / "measured.json", RESULTS)
    assert found == f"contextual_budgets.{name}" and shown["checkpoint"] == table.checkpoint == "tiny-budgets" and table.settings["seed"] == 2


def test_what_budgets_follow_comes_with_pictures(budgets, tmp_path):
    measure_followed(task("budget_followed", budgets, tmp_path))
    for name in ("budgets", "class_means"):
        assert (tmp_path / "results" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"


def test_a_uniform_model_is_measured_with_the_budgets_of_another(budgets, uniform, tmp_path):
    measure_errors(task("budget_errors", uniform, tmp_path, generator=str(budgets)))
    table = read_result(tmp_path / "results" / "measured.json", RESULTS)[1]
    assert None not in table.errors and table.settings["generator"].startswith("tiny-budgets (")


@pytest.mark.parametrize("kind", KINDS)
def test_a_trial_is_a_small_part_of_the_work(kind, budgets):
    _, inputs, settings = opened(specify(kind, {"checkpoint": str(budgets)}, {}, "cpu"))
    small, factor = few_test_images(inputs, settings)
    assert small.limit == 4 and factor == pytest.approx(75)


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("budget_errors", {"volume": 1.5}, "volume = 1.5"),
        ("budget_errors", {"generator": "nowhere.safetensors"}, "generator"),
        ("budget_volumes", {"targets": [0.4, -1.0]}, "volume = -1.0"),
        ("budget_followed", {"limit": 0}, "limit = 0"),
    ],
)
def test_impossible_parameters_are_refused(kind, parameters, message, budgets):
    with pytest.raises(ConfigurationError, match=message):
        specify(kind, {"checkpoint": str(budgets)}, parameters, "cpu")


def test_a_model_without_budgets_has_none_to_follow(uniform):
    with pytest.raises(ConfigurationError, match="no generator of budgets"):
        specify("budget_followed", {"checkpoint": str(uniform)}, {}, "cpu")


def test_a_generator_must_be_one(budgets, uniform):
    with pytest.raises(ConfigurationError, match="expected a 'budgeted_classifier'"):
        specify("budget_errors", {"checkpoint": str(budgets)}, {"generator": str(uniform)}, "cpu")


@pytest.mark.parametrize("kind", KINDS)
def test_another_kind_of_checkpoint_is_refused(kind, checkpoint):
    with pytest.raises(ConfigurationError, match="expected a 'classifier'"):
        specify(kind, {"checkpoint": str(checkpoint)}, {}, "cpu")
