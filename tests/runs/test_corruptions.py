"""The kind of runs that measure classifiers under corruptions: what it writes, and what it refuses."""

import json

import pytest
import torch

from explorer.errors import ConfigurationError
from explorer.runs.corruptions import few_corrupted
from explorer.runs.kinds import KINDS, opened, specify
from explorer.runs.task import Task
from explorer.types import Silent

KIND = "corruption_errors"
QUICK = {"names": ["contrast", "fog"], "severities": [1, 3], "limit": 6, "batch_size": 4}


def test_a_run_leaves_its_table(budgets, tmp_path):
    _, inputs, settings = opened(specify(KIND, {"checkpoint": str(budgets)}, QUICK, "cpu", seed=2))
    KINDS[KIND].work(Task(tmp_path, inputs, settings, torch.device("cpu"), 2, Silent()))
    shown = json.loads((tmp_path / "results" / f"{KIND}.json").read_text())
    assert shown["checkpoint"] == "tiny-budgets" and shown["images"] == 6 and shown["settings"]["seed"] == 2
    assert shown["names"] == ["contrast", "fog"] and all(0 <= error <= 1 for row in shown["errors"] for error in row)


def test_a_trial_is_a_small_part_of_the_work(budgets):
    _, inputs, settings = opened(specify(KIND, {"checkpoint": str(budgets)}, {"limit": None}, "cpu"))
    small, factor = few_corrupted(inputs, settings)
    assert small.limit == 8 and factor == pytest.approx(300 / 8)


def test_impossible_parameters_are_refused_all_at_once(budgets, checkpoint):
    with pytest.raises(ConfigurationError, match=r"rain[\s\S]*severities = 9"):
        specify(KIND, {"checkpoint": str(budgets)}, {"names": ["rain"], "severities": [9]}, "cpu")
    with pytest.raises(ConfigurationError, match="expected a 'classifier'"):
        specify(KIND, {"checkpoint": str(checkpoint)}, {}, "cpu")
