import dataclasses
import json
import subprocess
import sys
import time

import pytest
import torch

from explorer.checkpoints import describe, load
from explorer.errors import CheckpointMismatch, ConfigurationError, DataNotFound, ExplorerError, InvalidInput
from explorer.papers import EXPERIMENTS
from explorer.papers.base import Place
from explorer.papers.learned_sets import Settings, evaluation_pairs, explore, interpolate, members, open_learned_set
from explorer.train import configure, main
from explorer.types import Silent

SMALL = ["--limit", "48", "--batch-size", "16", "--latent-dim", "4", "--localization-widths", "8", "--transformers", "2", "--passes", "1"]


def train(tmp_path, *options):
    return main(["digits-rts", *SMALL, "--output", str(tmp_path), *options])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    assert main(["digits-rts", *SMALL, "--epochs", "2", "--output", str(folder)]) == 0
    return folder / "digits-rts.safetensors"


@pytest.fixture(scope="module")
def learned(checkpoint):
    return open_learned_set(checkpoint)


def test_the_papers_experiment_has_the_papers_settings():
    config = EXPERIMENTS["mnist-rts"].config
    assert (config.epochs, config.batch_size, config.latent_dim, config.transformers) == (100, 128, 128, 5)
    assert config.learning_rate == ((0, 0), (40, 8e-4), (100, 0))
    assert config.beta == ((0, 0), (10, 0.01), (50, 1), (100, 1))


def test_training_writes_best_last_history_and_a_measured_checkpoint(checkpoint):
    names = {path.name for path in checkpoint.parent.iterdir()}
    assert {"best.safetensors", "last.safetensors", "history.json", "state.safetensors", checkpoint.name} <= names
    header = describe(checkpoint)
    assert {"kl_nats", "squared_error_per_pixel", "cross_entropy_per_pixel"} <= header.metrics.keys()
    assert 0 < header.percentile_radii["25"] <= header.percentile_radii["50"] <= header.radius


def test_training_lowers_the_validation_objective(tmp_path):
    assert train(tmp_path, "--epochs", "8", "--learning-rate", "0:0.002,8:0.0005") == 0
    history = json.loads((tmp_path / "history.json").read_text())
    assert history[-1]["validation"] < 0.9 * history[0]["validation"]


def test_a_stopped_training_resumes_to_the_same_weights(tmp_path):
    assert train(tmp_path / "whole", "--epochs", "3") == 0

    class StopInThirdEpoch(Silent):
        steps = 0

        def advance(self, done, total, note=""):
            self.cancelled = done >= 7

    config = configure(EXPERIMENTS["digits-rts"], dict(zip([o[2:].replace("-", "_") for o in SMALL[::2]], SMALL[1::2])) | {"epochs": "3"})
    place = Place(tmp_path / "parts", torch.device("cpu"))
    with pytest.raises(ExplorerError):
        EXPERIMENTS["digits-rts"].train("digits-rts", config, place, StopInThirdEpoch())
    assert train(tmp_path / "parts", "--epochs", "3", "--resume") == 0
    first, second = (load(tmp_path / part / "last.safetensors").model.state_dict() for part in ("whole", "parts"))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.slow
def test_a_killed_training_resumes_to_the_same_weights(tmp_path):
    command = [sys.executable, "-m", "explorer.train", "digits-rts", *SMALL, "--epochs", "40", "--output"]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True)
    process = subprocess.Popen([*command, str(tmp_path / "parts")], stderr=subprocess.DEVNULL)
    while not (tmp_path / "parts" / "history.json").exists():
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (tmp_path / "parts" / "digits-rts.safetensors").exists(), "the kill came in the middle"
    subprocess.run([*command, str(tmp_path / "parts"), "--resume"], check=True, capture_output=True)
    first, second = (load(tmp_path / part / "last.safetensors").model.state_dict() for part in ("whole", "parts"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_an_old_training_is_not_overwritten(checkpoint, capsys):
    before = checkpoint.read_bytes()
    assert main(["digits-rts", *SMALL, "--epochs", "2", "--output", str(checkpoint.parent)]) == 1
    assert "--resume" in capsys.readouterr().err
    assert checkpoint.read_bytes() == before


def test_resuming_with_other_options_is_refused(checkpoint):
    config = dataclasses.replace(EXPERIMENTS["digits-rts"].config, epochs=5)
    with pytest.raises(CheckpointMismatch, match="epochs 2 .now 5."):
        EXPERIMENTS["digits-rts"].train("digits-rts", config, Place(checkpoint.parent, torch.device("cpu"), resume=True), Silent())


def test_all_impossible_options_are_reported_at_once(capsys):
    assert main(["digits-rts", "--epochs", "none", "--latent-dim", "0", "--learning-rate", "3:1,2:1", "--dataset", "mnits"]) == 1
    message = capsys.readouterr().err
    assert all(word in message for word in ("--epochs none", "latent_dim = 0", "increasing", "'mnits'"))


def test_an_unknown_experiment_is_answered_with_the_nearest_one(capsys):
    assert main(["digit-rts"]) == 1
    assert "Did you mean 'digits-rts'" in capsys.readouterr().err


def test_a_dry_run_prints_the_configuration_and_writes_nothing(tmp_path, capsys):
    assert train(tmp_path / "none", "--dry-run") == 0
    assert '"latent_dim": 4' in capsys.readouterr().out and not (tmp_path / "none").exists()


def test_an_output_folder_that_is_a_file_is_one_message(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert train(tmp_path / "file", "--epochs", "1") == 1
    assert "could not be written" in capsys.readouterr().err


def test_the_centre_of_the_ball_is_the_priors_mean(learned):
    clean = learned.clean(0)
    result = explore(learned, clean, Settings(radius=learned.radius))
    model = learned.checkpoint.model
    assert torch.allclose(result.perturbed, model.decode(clean, model.prior(clean).mean))
    assert result.norm == 0


def test_a_point_outside_is_projected_onto_the_ball(learned):
    result = explore(learned, learned.clean(0), Settings(radius=0.5, delta=(3.0, 0.0, 0.0, 4.0)))
    assert result.norm == pytest.approx(0.5, rel=1e-5)
    assert torch.allclose(result.delta, torch.tensor([0.3, 0, 0, 0.4]), atol=1e-5)


def test_the_same_seed_draws_the_same_members(learned):
    first, again = (members(learned, learned.clean(1), Settings(radius=1.0, seed=4, members=n)) for n in (6, 3))
    assert torch.allclose(first.frames[:3], again.frames, atol=1e-6)
    assert first.delta.norm(dim=1).max() <= 1


def test_an_interpolation_passes_through_its_points_and_stays_inside(learned):
    points = torch.tensor([[0.5, 0, 0, 0], [0, 9.0, 0, 0], [0, 0, 0, 0.1]])
    path = interpolate(learned, learned.clean(0), points, radius=1.0, frames=4)
    assert len(path.frames) == 9
    assert torch.allclose(path.delta[4], torch.tensor([0, 1.0, 0, 0]), atol=1e-5)
    assert path.delta.norm(dim=1).max() <= 1 + 1e-6


def test_directions_are_orthonormal_and_in_order_of_variance(learned):
    vectors, shares = learned.directions.vectors, learned.directions.shares
    assert torch.allclose(vectors @ vectors.T, torch.eye(len(vectors)), atol=1e-4)
    assert (shares.diff() <= 0).all() and shares.sum() <= 1 + 1e-5


def test_the_first_real_pair_is_the_one_of_the_evaluation(learned):
    _, perturbed = evaluation_pairs(learned.pairs, learned.images[:5])
    assert torch.allclose(learned.real_pairs(learned.images.images[4:5], 4).perturbed[:1], perturbed[4:5], atol=1e-6)


def test_an_image_that_does_not_exist_is_refused(learned):
    with pytest.raises(InvalidInput, match="0 to 299"):
        learned.clean(300)


def test_a_missing_data_set_is_replaced_by_the_embedded_one_and_said(checkpoint, tmp_path, monkeypatch):
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    with safe_open(checkpoint, "pt") as file:
        text = file.metadata()["explorer"].replace('"name": "digits"', '"name": "mnist"')
    save_file(load_file(checkpoint), tmp_path / "mnist.safetensors", {"explorer": text})

    def no_network(*_):
        raise DataNotFound("nowhere")

    monkeypatch.setattr("explorer.data.idx._download", no_network)
    opened = open_learned_set(tmp_path / "mnist.safetensors", root=tmp_path)
    assert "'digits' stands in" in opened.note and len(opened.images) == 300


def test_problems_in_a_configuration_raise_before_anything_is_written(tmp_path):
    config = dataclasses.replace(EXPERIMENTS["digits-rts"].config, batch_size=0)
    with pytest.raises(ConfigurationError, match="batch_size"):
        EXPERIMENTS["digits-rts"].train("x", config, Place(tmp_path / "out", torch.device("cpu")), Silent())
    assert not (tmp_path / "out").exists()
