"""The kinds of runs on segmenters: what they leave, also for the papers' tables, and what they refuse."""

import json

import pytest
import torch

from explorer.errors import ConfigurationError
from explorer.papers import RESULTS, read_results
from explorer.papers.learned_sets.segmentation_tables import figure_17, table3
from explorer.runs.kinds import KINDS, opened, specify
from explorer.runs.segmentation import few_pictures
from explorer.runs.task import Task
from explorer.types import Silent
from tests.tiny_light import save_lighting_set, save_segmenter, small_scenes

QUICK = {"segmentation": {"steps": 1, "limit": 2, "batch_size": 1}, "certified_segmentation": {"samples": 20, "selection": 5, "confidence": 0.9, "steps": 1, "limit": 1}}


@pytest.fixture
def segmenter(tmp_path, monkeypatch):
    small_scenes(monkeypatch, tmp_path / "cache")
    return save_segmenter(tmp_path / "segmentation-scenes-smoothed.safetensors", save_lighting_set(tmp_path / "set.safetensors"))


@pytest.mark.parametrize(("kind", "fill"), [("segmentation", table3), ("certified_segmentation", figure_17)])
def test_a_run_leaves_a_results_file_that_the_papers_read(segmenter, tmp_path, kind, fill):
    _, inputs, settings = opened(specify(kind, {"checkpoint": str(segmenter)}, QUICK[kind], "cpu"))
    KINDS[kind].work(Task(tmp_path, inputs, settings, torch.device("cpu"), 0, Silent()))
    shown = json.loads((tmp_path / "results" / f"{kind}.json").read_text())
    assert shown["images"] == QUICK[kind]["limit"] and shown["learned_set"] == "set"
    results = read_results(RESULTS, (tmp_path / "results",))
    assert [each for each, *_ in results.tables] == [f"learned_sets.{kind}"]
    own = [row for row in fill(results).rows if row.own]
    assert all(row.measured is not None and len(row.measured) == len(fill(results).columns) for row in own) and len(own) == 1


def test_a_trial_is_a_small_part_of_the_work(segmenter):
    _, inputs, settings = opened(specify("segmentation", {"checkpoint": str(segmenter)}, {}, "cpu"))
    small, factor = few_pictures(inputs, settings)
    assert small.limit == 2 and factor == pytest.approx(25 / 2)


def test_impossible_parameters_are_refused_all_at_once(segmenter, checkpoint):
    with pytest.raises(ConfigurationError, match=r"radii[\s\S]*step_size"):
        specify("segmentation", {"checkpoint": str(segmenter)}, {"radii": [-1.0], "step_size": 0.0}, "cpu")
    with pytest.raises(ConfigurationError, match="expected a 'segmenter'"):
        specify("certified_segmentation", {"checkpoint": str(checkpoint)}, {}, "cpu")
    with pytest.raises(ConfigurationError, match="nowhere"):
        specify("segmentation", {"checkpoint": str(segmenter)}, {"learned_set": "nowhere.safetensors"}, "cpu")
