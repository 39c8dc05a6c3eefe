import dataclasses
import json
import math
import subprocess
import sys
import time

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from explorer.checkpoints import describe, load
from explorer.data import RtsPairs
from explorer.errors import Cancelled, CheckpointMismatch, ConfigurationError, InvalidInput, OutputError, UnknownName
from explorer.papers import EXPERIMENTS
from explorer.papers.base import Place
from explorer.papers.learned_sets import Settings, explore, interpolate, members, open_learned_set
from explorer.train import configure, main
from explorer.training import TrainingState
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


def test_the_noise_experiments_have_the_papers_settings():
    config = EXPERIMENTS["mnist-linf-conv"].config
    assert (config.epochs, config.pairs) == (20, "linf")
    assert config.learning_rate == ((0, 0), (10, 1e-3), (15, 5e-4), (20, 1e-4)) and config.beta == ((0, 0), (5, 1e-3), (20, 1e-2))
    assert [EXPERIMENTS[name].config.stored for name in ("mnist-rts", "mnist-rts-1", "mnist-rts-5")] == [None, 1, 5]


@pytest.mark.parametrize("options", [["--limit", "32"], ["--limit", "32", "--model", "linf_fc_cvae", "--latent-dim", "6"]], ids=["conv", "fc"])
def test_a_noise_set_trains_and_opens(tmp_path, options):
    assert main(["digits-linf", "--epochs", "1", "--passes", "1", "--output", str(tmp_path), *options]) == 0
    opened = open_learned_set(tmp_path / "digits-linf.safetensors")
    assert explore(opened, opened.clean(0), Settings(radius=opened.radius)).perturbed.shape == (1, 1, 28, 28)
    assert opened.real_pairs(opened.images.images[:1], 0).names[0] == "noise 1, ±0.3"


def test_stored_perturbations_are_the_same_in_every_epoch(monkeypatch, tmp_path):
    seen = []
    perturb = RtsPairs.perturb
    monkeypatch.setattr(RtsPairs, "perturb", lambda self, images, draws: seen.append(draws.clone()) or perturb(self, images, draws))
    assert train(tmp_path, "--epochs", "3", "--stored", "2") == 0
    rows = torch.cat([draws for draws in seen if len(draws) == 16])
    assert len(rows) == 3 * 48 and 48 < len(rows.unique(dim=0)) <= 2 * 48


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


class Recorder(Silent):
    """Remembers where the loop was, and asks it to stop at a step."""

    def __init__(self, stop_at=math.inf):
        self.steps, self.stop_at, self.cancelled = [], stop_at, False

    def advance(self, done, total, note=""):
        self.steps.append(done)
        self.cancelled = done >= self.stop_at


def small_config(**changes):
    names = [option[2:].replace("-", "_") for option in SMALL[::2]]
    return configure(EXPERIMENTS["digits-rts"], dict(zip(names, SMALL[1::2])) | changes)


def weights(folder):
    return load(folder / "last.safetensors").model.state_dict()


def test_a_stopped_training_resumes_where_it_was_to_the_same_weights(tmp_path):
    config, run = small_config(epochs="3"), EXPERIMENTS["digits-rts"].train
    run("digits-rts", config, Place(tmp_path / "whole", torch.device("cpu")), Silent())
    with pytest.raises(Cancelled):
        run("digits-rts", config, Place(tmp_path / "parts", torch.device("cpu")), Recorder(stop_at=7))
    resumed = Recorder()
    run("digits-rts", config, Place(tmp_path / "parts", torch.device("cpu"), resume=True), resumed)
    assert resumed.steps[0] == 6, "two epochs of three steps are not trained again"
    first, second = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.slow
def test_a_killed_training_resumes_to_the_same_weights(tmp_path):
    command = [sys.executable, "-m", "explorer.train", "digits-rts", *SMALL, "--epochs", "12", "--output"]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True)
    process = subprocess.Popen([*command, str(tmp_path / "parts")], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while not (tmp_path / "parts" / "state.safetensors").exists():
        time.sleep(0.002)
    process.kill()
    process.wait()
    assert not (tmp_path / "parts" / "digits-rts.safetensors").exists(), "the kill came in the middle"
    assert 1 <= len(json.loads((tmp_path / "parts" / "history.json").read_text())) < 12
    done = subprocess.run([*command, str(tmp_path / "parts"), "--resume"], check=True, capture_output=True, text=True)
    assert "epoch 1:" not in done.stderr and "epoch 12:" in done.stderr
    first, second = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_training_is_not_resumed_on_other_images(checkpoint):
    config = small_config(epochs="2")
    config = dataclasses.replace(config, limit=47)
    with pytest.raises(CheckpointMismatch, match="train images"):
        EXPERIMENTS["digits-rts"].train("digits-rts", config, Place(checkpoint.parent, torch.device("cpu"), resume=True), Silent())


@pytest.mark.parametrize("keep", [0, 100, 5000])
def test_a_damaged_state_is_one_message(checkpoint, tmp_path, capsys, keep):
    (tmp_path / "state.safetensors").write_bytes((checkpoint.parent / "state.safetensors").read_bytes()[:keep])
    assert train(tmp_path, "--epochs", "2", "--resume") == 1
    assert "not a training state that can be resumed" in capsys.readouterr().err


def test_a_full_disk_in_mid_training_leaves_the_last_epoch_whole(tmp_path, monkeypatch, capsys):
    assert train(tmp_path, "--epochs", "1") == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        TrainingState(2, [], {}).save(tmp_path / "state.safetensors", torch.nn.Linear(1, 1), torch.optim.Adam([torch.zeros(1)]), torch.Generator())
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_unwritable_folder_is_found_before_the_training(tmp_path):
    (tmp_path / "file").write_text("")
    recorder = Recorder()
    with pytest.raises(OutputError):
        EXPERIMENTS["digits-rts"].train("digits-rts", small_config(epochs="1"), Place(tmp_path / "file" / "run", torch.device("cpu")), recorder)
    assert not recorder.steps


def test_an_old_training_is_not_overwritten(checkpoint, capsys):
    before = checkpoint.read_bytes()
    assert main(["digits-rts", *SMALL, "--epochs", "2", "--output", str(checkpoint.parent)]) == 1
    assert "--resume" in capsys.readouterr().err
    assert checkpoint.read_bytes() == before


def test_resuming_with_other_options_is_refused(checkpoint):
    config = dataclasses.replace(EXPERIMENTS["digits-rts"].config, epochs=5)
    with pytest.raises(CheckpointMismatch, match="epochs 2 .now 5."):
        EXPERIMENTS["digits-rts"].train("digits-rts", config, Place(checkpoint.parent, torch.device("cpu"), resume=True), Silent())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seed", "99999999999999999999999"], "seed"),
        (["--limit", "-3"], "limit"),
        (["--beta", "0:-1,5:1"], "at least 0"),
        (["--learning-rate", "-5:0.1,-1:0.2"], "at least 0"),
        (["--log-var-bounds", "5,-14"], "lower < upper"),
        (["--device", "cuda:99"], "cuda:99"),
        (["--device", "tpu"], "tpu"),
        (["--localization-widths", "0"], "widths"),
    ],
    ids=str,
)
def test_an_impossible_option_is_one_message(options, message, tmp_path, capsys):
    assert train(tmp_path / "none", "--epochs", "1", *options) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error
    assert not (tmp_path / "none").exists()


def test_a_value_that_begins_with_a_minus_can_be_typed(tmp_path, capsys):
    assert train(tmp_path / "none", "--log-var-bounds", "-14,5", "--dry-run") == 0
    assert "-14.0" in capsys.readouterr().out


def test_a_training_that_diverges_says_to_lower_the_rate(tmp_path, capsys):
    options = ["--learning-rate", "0:1000000", "--log-var-bounds", "none"]
    assert train(tmp_path, "--epochs", "3", *options) == 1
    assert "Lower the learning rate" in capsys.readouterr().err


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
    _, perturbed = learned.pairs.fixed(range(5)).both
    assert torch.allclose(learned.real_pairs(learned.images.images[4:5], 4).perturbed[:1], perturbed[4:5], atol=1e-6)


def test_an_image_that_does_not_exist_is_refused(learned):
    with pytest.raises(InvalidInput, match="0 to 299"):
        learned.clean(300)


def test_a_missing_data_set_is_replaced_by_the_embedded_one_and_said(checkpoint, tmp_path):
    with safe_open(checkpoint, "pt") as file:
        text = file.metadata()["explorer"].replace('"name": "digits"', '"name": "mnist"')
    save_file(load_file(checkpoint), tmp_path / "mnist.safetensors", {"explorer": text})
    opened = open_learned_set(tmp_path / "mnist.safetensors", root=tmp_path)
    assert "'digits' stands in" in opened.note and len(opened.images) == 300


def test_an_unknown_kind_of_pairs_is_refused(checkpoint, tmp_path):
    with safe_open(checkpoint, "pt") as file:
        text = file.metadata()["explorer"].replace('"pairs": "rts"', '"pairs": "rst"')
    save_file(load_file(checkpoint), tmp_path / "odd.safetensors", {"explorer": text})
    with pytest.raises(UnknownName, match="Did you mean 'rts'"):
        open_learned_set(tmp_path / "odd.safetensors")


def test_problems_in_a_configuration_raise_before_anything_is_written(tmp_path):
    config = dataclasses.replace(EXPERIMENTS["digits-rts"].config, batch_size=0)
    with pytest.raises(ConfigurationError, match="batch_size"):
        EXPERIMENTS["digits-rts"].train("x", config, Place(tmp_path / "out", torch.device("cpu")), Silent())
    assert not (tmp_path / "out").exists()
