"""The kinds of runs that attack or certify a classifier: what they write, and what they refuse."""

import json

import pytest
import torch

from explorer.errors import ConfigurationError
from explorer.runs.attack import few_attacked
from explorer.runs.kinds import KINDS, opened, specify
from explorer.runs.task import Task
from explorer.types import Silent

NAMES = {"attack": "attack", "attack_curve": "curve", "cross_sets": "cross", "certify": "certified"}
QUICK = {
    "attack": {"steps": 2, "threat": "linf:0.02"}, "attack_curve": {"steps": 2, "radii": [0.01, 0.02]}, "cross_sets": {"steps": 2},
    "certify": {"samples": 50, "sigmas": [0.1]},
}  # fmt: skip


def task(kind, path, folder, **parameters) -> Task:
    _, inputs, settings = opened(specify(kind, {"checkpoint": str(path)}, {"limit": 6, "batch_size": 4, **QUICK[kind], **parameters}, "cpu", seed=2))
    return Task(folder, inputs, settings, torch.device("cpu"), 2, Silent())


@pytest.mark.parametrize("kind", NAMES)
def test_a_run_leaves_its_table(kind, budgets, tmp_path):
    KINDS[kind].work(task(kind, budgets, tmp_path))
    shown = json.loads((tmp_path / "results" / f"{NAMES[kind]}.json").read_text())
    assert shown["checkpoint"] == "tiny-budgets" and shown["images"] == 6 and shown["settings"]["seed"] == 2


@pytest.mark.parametrize("kind", NAMES)
def test_a_trial_is_a_small_part_of_the_work(kind, budgets):
    _, inputs, settings = opened(specify(kind, {"checkpoint": str(budgets)}, {"limit": None}, "cpu"))
    small, factor = few_attacked(inputs, settings)
    assert small.limit == 4 and factor == pytest.approx(75)


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("attack", {"threat": "linf:0"}, "the image alone cannot be attacked"),
        ("attack", {"attack": "fgms"}, "Did you mean 'fgsm'"),
        ("attack_curve", {"radii": [0.2, 0.1]}, "expected rising numbers"),
        ("cross_sets", {"models": ["nowhere"]}, "no file nowhere"),
        ("certify", {"samples": 3}, "not even unanimous votes"),
    ],
)
def test_impossible_parameters_are_refused(kind, parameters, message, budgets):
    with pytest.raises(ConfigurationError, match=message):
        specify(kind, {"checkpoint": str(budgets)}, parameters, "cpu")


@pytest.mark.parametrize("kind", NAMES)
def test_another_kind_of_checkpoint_is_refused(kind, checkpoint):
    with pytest.raises(ConfigurationError, match="expected a 'classifier'"):
        specify(kind, {"checkpoint": str(checkpoint)}, {}, "cpu")
