"""The kinds of runs on VAEs: what they write, and what they refuse."""

import json

import pytest
import torch

from explorer.errors import ConfigurationError
from explorer.papers import RESULTS
from explorer.papers.results import read_result
from explorer.runs.certified_vae import few_images, measure_attack, measure_elbo
from explorer.runs.kinds import opened, specify
from explorer.runs.task import Task
from explorer.types import Silent

KINDS = {"elbo_table": (measure_elbo, "elbo"), "elbo_attack": (measure_attack, "attack")}


def task(kind, vae, folder, **parameters) -> Task:
    _, inputs, settings = opened(specify(kind, {"checkpoint": str(vae)}, {"limit": 6, "batch_size": 4, **parameters}, "cpu", seed=2))
    return Task(folder, inputs, settings, torch.device("cpu"), 2, Silent())


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_leaves_a_table_and_a_results_file(kind, vae, tmp_path):
    work, name = KINDS[kind]
    work(task(kind, vae, tmp_path))
    shown = json.loads((tmp_path / "results" / f"{name}.json").read_text())
    found, table = read_result(tmp_path / "results" / "measured.json", RESULTS)
    assert found == f"certified_vae.{name}" and shown["checkpoint"] == table.checkpoint == "tiny-vae" and table.settings["seed"] == 2


def test_the_attack_leaves_a_picture(vae, tmp_path):
    measure_attack(task("elbo_attack", vae, tmp_path, steps=2))
    seen = json.loads((tmp_path / "results" / "attacked.json").read_text())
    assert (tmp_path / "results" / "attacked.png").read_bytes()[:4] == b"\x89PNG" and seen["radius"] == 0.1 and seen["attacked_elbo"] <= seen["clean_elbo"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_trial_is_a_small_part_of_the_work(kind, vae):
    _, inputs, settings = opened(specify(kind, {"checkpoint": str(vae)}, {}, "cpu"))
    small, factor = few_images(inputs, settings)
    assert small.limit == 4 and factor == pytest.approx({"elbo_table": (300 + 1297) / 8, "elbo_attack": 75}[kind])


@pytest.mark.parametrize(("kind", "parameters", "message"), [("elbo_table", {"radius": -0.1}, "radius"), ("elbo_attack", {"radii": [0.2, 0.1]}, "rising")])
def test_impossible_parameters_are_refused(kind, parameters, message, vae):
    with pytest.raises(ConfigurationError, match=message):
        specify(kind, {"checkpoint": str(vae)}, parameters, "cpu")


@pytest.mark.parametrize("kind", KINDS)
def test_another_kind_of_checkpoint_is_refused(kind, checkpoint):
    with pytest.raises(ConfigurationError, match="expected a 'certified_vae'"):
        specify(kind, {"checkpoint": str(checkpoint)}, {}, "cpu")
