"""A specification says all that is to be done, and says it once."""

import dataclasses
import json
import shlex

import pytest

from explorer.checkpoints import load, save
from explorer.errors import ConfigurationError, RunUnreadable, UnknownName
from explorer.papers import EXPERIMENTS
from explorer.runs import Specification, read_specification
from explorer.runs.__main__ import main
from explorer.runs.kinds import KINDS, opened, specify, subject
from explorer.runs.specification import FORMAT
from tests.tiny_backbones import save_backbone
from tests.tiny_light import save_lighting_set, save_segmenter, small_scenes


def test_it_comes_back_from_its_file(extremes, tmp_path):
    (tmp_path / "a.json").write_text(extremes.text())
    assert read_specification(tmp_path / "a.json") == extremes


def test_the_fingerprint_changes_with_any_part(extremes):
    others = [
        dataclasses.replace(extremes, seed=1),
        dataclasses.replace(extremes, device="cuda"),
        dataclasses.replace(extremes, parameters={**extremes.parameters, "steps": 3}),
        dataclasses.replace(extremes, inputs={**extremes.inputs, "digest": "0" * 16}),
    ]
    assert len({each.fingerprint for each in [extremes, *others]}) == 5


def test_what_is_not_given_is_the_papers(checkpoint):
    made = specify("quality", {"checkpoint": str(checkpoint)}, {}, "cpu")
    assert (made.parameters["steps"], made.parameters["limit"], made.parameters["distance"]) == (50, None, "cross_entropy")


def test_the_same_checkpoint_from_elsewhere_has_the_same_name_for_it(checkpoint, monkeypatch):
    absolute = specify("quality", {"checkpoint": str(checkpoint)}, {}, "cpu")
    monkeypatch.chdir(checkpoint.parent)
    assert specify("quality", {"checkpoint": checkpoint.name}, {}, "cpu") == absolute


@pytest.mark.parametrize("name", [name for name in EXPERIMENTS if name != "pairs"])  # which wants pictures
def test_a_training_is_specified_by_its_experiment_and_keeps_its_values(name):
    made = specify("training", {"experiment": name}, {}, "cpu", seed=3)
    _, inputs, config = opened(made)
    assert config == dataclasses.replace(EXPERIMENTS[name].config, seed=3) and subject(made) == name


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_line_makes_the_same_specification(kind, checkpoint, vae, budgets, tmp_path, capsys, monkeypatch):
    small_scenes(monkeypatch, tmp_path)
    segmenter = save_segmenter(tmp_path / "segmenter.safetensors", save_lighting_set(tmp_path / "set.safetensors"))
    own = {"elbo": vae, "segmentation": segmenter, "certified": segmenter, "imitated": save_backbone(tmp_path), **dict.fromkeys(("budget", "direction", "attack", "cross", "certify", "worst", "parameter", "corruption"), budgets)}.get(kind.split("_")[0], checkpoint)
    inputs = {"experiment": "digits-rts"} if kind == "training" else {"checkpoint": str(own)}
    made = specify(kind, inputs, {"limit": 7}, "cpu", seed=5)
    words = shlex.split(made.command)
    assert words[:3] == ["python", "-m", "explorer.runs"]
    assert main([*words[3:], "--dry-run"]) == 0
    assert Specification(**json.loads(capsys.readouterr().out)) == made


def test_all_that_is_wrong_is_said_at_once(checkpoint):
    with pytest.raises(ConfigurationError) as caught:
        specify("extremes", {"checkpoint": str(checkpoint)}, {"steps": -1, "batch_size": 0, "radius": -2.0, "limit": 0}, "cpu")
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(
    ("kind", "inputs", "parameters", "error", "message"),
    [
        ("qality", {}, {}, UnknownName, "Did you mean 'quality'"),
        ("quality", {}, {}, ConfigurationError, "checkpoint is missing"),
        ("quality", {"checkpoint": "nowhere.safetensors"}, {}, ConfigurationError, "no such file"),
        ("training", {"experiment": "mnist-rst"}, {}, UnknownName, "mnist-rts"),
        ("training", {"experiment": "digits-rts"}, {"epochs": 0}, ConfigurationError, "epochs = 0"),
        ("training", {"experiment": "digits-rts"}, {"epohs": 3}, ConfigurationError, "unknown field 'epohs'"),
    ],
)
def test_bad_input_is_one_message(kind, inputs, parameters, error, message):
    with pytest.raises(error, match=message):
        specify(kind, inputs, parameters, "cpu")


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_bad_seed_is_one_message(checkpoint, seed):
    with pytest.raises(ConfigurationError, match="seed"):
        specify("quality", {"checkpoint": str(checkpoint)}, {}, "cpu", seed)


def test_a_checkpoint_of_another_kind_is_refused(checkpoint, tmp_path):
    opened = load(checkpoint)
    save(tmp_path / "other.safetensors", opened.model, dataclasses.replace(opened.header, kind="classifier"))
    with pytest.raises(ConfigurationError, match="holds a 'classifier', expected a 'learned_set'"):
        specify("quality", {"checkpoint": str(tmp_path / "other.safetensors")}, {}, "cpu")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "damaged"),
        ("[]", "not the specification of a run"),
        ("{}", "not the specification of a run"),
        ('{"format": 1}', "kind is missing"),
        ('{"format": 1, "kind": "quality", "inputs": 3}', "inputs"),
        (json.dumps({"format": FORMAT + 1, "kind": "quality"}), "Update the explorer"),
        ("[" * 100_000, "damaged"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_specification_says_what_is_wrong(tmp_path, content, message):
    path = tmp_path / "a.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(RunUnreadable, match=message):
        read_specification(path)
