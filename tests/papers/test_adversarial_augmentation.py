"""Trainings of AdA and its baselines: each experiment takes a step on tiny data, from published files to a checkpoint that opens."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from explorer.checkpoints import Header, load, save
from explorer.data import load_dataset
from explorer.errors import Cancelled, CheckpointError, CheckpointMismatch, ConfigurationError, InvalidInput
from explorer.models import build_model
from explorer.papers import EXPERIMENTS
from explorer.papers.adversarial_augmentation.augmented import sources
from explorer.papers.adversarial_augmentation.config import AugmentedConfig, problems
from explorer.papers.adversarial_augmentation.experiments import EXPERIMENTS as OWN
from explorer.papers.adversarial_augmentation.nano_batches import bytes_for_one, nano_batch
from explorer.papers.adversarial_augmentation.pipeline import corrupted_in_shares, open_balls, pipeline
from explorer.papers.adversarial_augmentation.training import snapshot_names, steps
from explorer.papers.base import Place
from explorer.sets import WeightBall
from explorer.studies.classifiers import open_classifier
from explorer.train import main
from explorer.training import State, jensen_shannon
from explorer.types import Silent
from tests.stopping import StopAfterResults
from tests.few import few

CPU = torch.device("cpu")
QUICK = ("trades-l2-cifar10", "awp-linf-cifar10", "ada-cifar10-all-augmix-deepaugment", "random-weights-scenes-unet")
SMALL_NETWORKS = {
    "unet": ("completion_unet", {"widths": (4, 4, 4)}),
    "vqvae": ("vq_vae", {"width": 8, "residual_width": 4, "codes": 8}),
    "edsr": ("edsr", {"features": 4, "blocks": 1}),
    "warp": ("affine_warp", {}),
    "cae": ("compressive_autoencoder", {"widths": (4, 4), "bits": 4, "decoder": (4, 4, 4), "blocks": 1}),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Tiny files in the published layout of CIFAR-10: patches of 8 × 8 pixels of one colour each."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "cifar-10-batches-py").mkdir()
    drawn = np.random.default_rng(0)
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        pixels = drawn.integers(0, 256, (10, 3, 4, 4), dtype=np.uint8).repeat(8, 2).repeat(8, 3).reshape(10, 3072)
        (folder / "cifar-10-batches-py" / name).write_bytes(pickle.dumps({b"data": pixels, b"labels": list(range(10))}, protocol=2))
    return folder


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """An untrained network of each kind, by the end of its experiment's name."""
    folder, found = tmp_path_factory.mktemp("networks"), {}
    for kind, (model, config) in SMALL_NETWORKS.items():
        torch.manual_seed(0)
        found[kind] = folder / f"{kind}.safetensors"
        header = Header(kind="corruption_network", name=kind, model=model, model_config=config, dataset={}, training={}, metrics={}, seed=0, radius=0.0, percentile_radii={})
        save(found[kind], build_model(model, config), header)
    return found


def tiny(name, networks, **changes):
    config = OWN[name].config
    small = {"stem": 4, "widths": (4, 4), "depths": (1, 1), "bottleneck": False, "epochs": 2, "warm_up": 0.5, "clean_epochs": 0, "batch_size": 20, "limit": 40, "steps": min(config.steps, 2), "attack_steps": 2}
    found, augmenting = (tuple(str(networks[each.split("-")[1]]) for each in names) for names in (config.backbones, config.deepaugment))
    return replace(config, dataset="cifar10", backbones=found, deepaugment=augmenting, nano_batch=8 if found else None, **{**small, **changes})


@pytest.mark.parametrize("name", OWN)
def test_an_experiments_own_configuration_is_possible(name):
    assert not problems(OWN[name].config) and not problems(OWN[name].published)


def test_the_settings_are_the_papers():
    ada, awp = OWN["ada-cifar10-edsr-augmix"].config, OWN["awp-l2-cifar10"].config
    assert (ada.radius, ada.steps, ada.ssim_limit, ada.epochs, ada.batch_size, ada.learning_rate, ada.warm_up, ada.weight_decay) == ((0.015,), 10, 0.3, 300, 1024, 0.1, 5, 1e-4)
    assert (awp.trained_radius, awp.weight_step, OWN["at-linf-cifar10"].config.trained_radius, OWN["sam-cifar10"].config.weight_step) == (0.5, 0.001, 8 / 255, 0.05)
    assert sum(each.numel() for each in build_model("preact_resnet", ada.model_config((3, 32, 32), 10)).parameters()) == pytest.approx(23.5e6, rel=0.01)


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in OWN if name not in QUICK)])
def test_an_experiment_trains_and_its_checkpoint_opens_as_any_classifier(name, root, networks, tmp_path):
    config = tiny(name, networks, epochs=1)
    path = OWN[name].train(name, config, Place(tmp_path, CPU, root), Silent())
    opened = open_classifier(path, root=root)
    header = opened.checkpoint.header
    assert header.kind == "classifier" and header.radius == config.trained_radius and {"clean", "validation", "validation_clean"} <= header.metrics.keys()
    assert len([key for key in header.dataset if key.startswith(("backbone_", "deepaugment_"))]) == len(config.backbones) + len(config.deepaugment)
    assert opened.model(load_dataset("cifar10", "test", root, limit=2).images).shape == (2, 10)


@pytest.mark.parametrize("name", few(1, ["sam-cifar10", "ada-cifar10-unet-augmix"]))
def test_a_stopped_training_goes_on_bit_for_bit(name, root, networks, tmp_path):
    config, train = tiny(name, networks), OWN[name].train
    whole = train("tiny", config, Place(tmp_path / "whole", CPU, root), Silent())
    with pytest.raises(Cancelled):
        train("tiny", config, Place(tmp_path / "stopped", CPU, root), StopAfterResults())
    again = train("tiny", config, Place(tmp_path / "stopped", CPU, root, resume=True), Silent())
    assert all(torch.equal(a, b) for a, b in zip(load(again).model.state_dict().values(), load(whole).model.state_dict().values()))


def test_a_training_does_not_go_on_with_another_network(root, networks, tmp_path):
    path = tmp_path / "network.safetensors"
    path.write_bytes(networks["unet"].read_bytes())
    config, place = replace(tiny("ada-cifar10-unet", networks, epochs=1, steps=1), backbones=(str(path),)), Place(tmp_path / "out", CPU, root, resume=True)
    train = OWN["ada-cifar10-unet"].train
    train("tiny", config, place, Silent())
    path.write_bytes(networks["edsr"].read_bytes())
    with pytest.raises(CheckpointMismatch, match="backbone_0_digest"):
        train("tiny", config, place, Silent())


def test_a_missing_network_is_an_error_that_names_the_command_before_anything_is_written(root, networks, tmp_path):
    config = replace(tiny("ada-cifar10-unet", networks), backbones=("backbone-other-cifar10",))
    with pytest.raises(CheckpointError, match=r"python -m explorer\.train backbone-other-cifar10"):
        OWN["ada-cifar10-unet"].train("tiny", config, Place(tmp_path / "out", CPU, root), Silent())
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_that_is_no_network_is_refused(root, networks, tmp_path):
    path = OWN["nominal-cifar10"].train("nominal", tiny("nominal-cifar10", networks, epochs=1), Place(tmp_path, CPU, root), Silent())
    with pytest.raises(InvalidInput, match="expected a 'corruption_network'"):
        open_balls((str(path),), (0.015,), torch.rand(1, 3, 32, 32))


def test_every_network_corrupts_an_equal_share(networks, root):
    config = tiny("ada-cifar10-all", networks, steps=0, ssim_limit=None)
    x, labels = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0)), torch.arange(8)
    balls, digests = open_balls(config.backbones, config.radii, x[:1])
    model = build_model("preact_resnet", config.model_config((3, 32, 32), 10))
    found = corrupted_in_shares(config, balls, Silent())(model, (x, labels), State(0.0, {}, torch.Generator().manual_seed(0)))
    with torch.no_grad():
        plain = [ball.model(x[2 * place : 2 * place + 2]).clamp(0, 1) for place, ball in enumerate(balls)]
    near = [(found[2 * a : 2 * a + 2] - plain[b]).abs().mean() if a == b else (found[2 * a : 2 * a + 2] - balls[b].model(x[2 * a : 2 * a + 2]).clamp(0, 1)).abs().mean() for a in range(4) for b in range(4)]
    assert (torch.stack(near).view(4, 4).argmin(1) == torch.arange(4)).all() and len(digests) == 4 and model.training


def test_the_search_raises_the_loss_more_than_random_weights(networks):
    x, labels = torch.rand(16, 3, 32, 32, generator=torch.Generator().manual_seed(0)), torch.arange(16) % 10
    torch.manual_seed(1)
    losses = {}
    for name, corruption in (("adversarial", "adversarial"), ("random", "random")):
        config = tiny("ada-cifar10-unet", networks, corruption=corruption, steps=5, radius=(0.05,))
        torch.manual_seed(1)
        model = build_model("preact_resnet", config.model_config((3, 32, 32), 10)).eval()
        balls, _ = open_balls(config.backbones, config.radii, x[:1])
        found = corrupted_in_shares(config, balls, Silent())(model, (x, labels), State(0.0, {}, torch.Generator().manual_seed(0)))
        losses[name] = jensen_shannon(0.0)(model, (found, labels), State(0.0, {}, torch.Generator())).mean().item()
    assert losses["adversarial"] > losses["random"]


def test_corruptions_begin_after_the_clean_epochs(networks, root, tmp_path):
    config = tiny("ada-cifar10-unet", networks, clean_epochs=1.0, steps=1)
    x, labels = torch.rand(4, 3, 32, 32), torch.arange(4)
    model = build_model("preact_resnet", config.model_config((3, 32, 32), 10))
    made = pipeline(config, model, x[:1], tmp_path, Silent())
    early, late = (made.prepare(model, (x, labels), State(epoch, {}, torch.Generator().manual_seed(0)))[0] for epoch in (0.9, 1.0))
    assert torch.equal(early, x) and not torch.equal(late, x)


@pytest.mark.parametrize("name", few(1, ["nominal-cifar10", "ada-cifar10-unet"]))
def test_a_small_batch_is_learned_by_heart(name, root, networks, tmp_path):
    config = tiny(name, networks, stem=8, widths=(16, 32), epochs=24, warm_up=2, batch_size=20, limit=20, learning_rate=0.4, augment=False, steps=1)
    config = replace(config, backbones=(str(networks["warp"]),), radius=(0.03,)) if config.backbones else config
    OWN[name].train("tiny", config, Place(tmp_path, CPU, root), Silent())
    losses = [epoch["loss"] for epoch in json.loads((tmp_path / "history.json").read_text())]
    assert losses[0] > 2 and losses[-1] < losses[0] / 2


def test_deepaugments_images_are_made_once_and_drawn_with_equal_chances(root, networks, tmp_path):
    config, images = tiny("deepaugment-cifar10", networks), load_dataset("cifar10", "train", root).images
    shown = sources(config, images, tmp_path, CPU, Silent())
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    again = sources(config, images, tmp_path, CPU, Silent())
    assert files and {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")} == files
    assert len(shown.versions) == 3 and all(torch.equal(a, b) for a, b in zip(shown.versions, again.versions))
    drawn = shown.drawn(torch.zeros(600, dtype=torch.long), torch.Generator().manual_seed(0), CPU)
    shares = [(drawn == version[0].float() / 255).flatten(1).all(1).float().mean().item() for version in shown.versions]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.08) and torch.equal(shown.versions[0].float() / 255, images)


def test_a_network_without_distortions_is_refused(root, networks, tmp_path):
    config = replace(tiny("deepaugment-cifar10", networks), deepaugment=(str(networks["unet"]),))
    with pytest.raises(InvalidInput, match="EDSR or a compressive"):
        OWN["deepaugment-cifar10"].train("tiny", config, Place(tmp_path, CPU, root), Silent())


def test_snapshots_are_kept_at_equal_shares_of_the_training(root, networks, tmp_path):
    config = tiny("nominal-cifar10", networks, epochs=4, snapshots=4)
    assert snapshot_names("nominal", config) == {1: "nominal-25-percent", 2: "nominal-50-percent", 3: "nominal-75-percent"}
    OWN["nominal-cifar10"].train("nominal", config, Place(tmp_path, CPU, root), Silent())
    assert [load(tmp_path / f"nominal-{share}-percent.safetensors").header.metrics["epoch"] for share in (25, 50, 75)] == [1, 2, 3]


def test_nano_batches_are_measured_once_and_kept(root, networks, tmp_path):
    config = replace(tiny("ada-cifar10-unet", networks, epochs=1, steps=1), nano_batch=None)
    train, place = OWN["ada-cifar10-unet"].train, Place(tmp_path, CPU, root, resume=True)
    train("tiny", config, place, Silent())
    first = (tmp_path / "nano_batches.json").read_text()
    train("tiny", config, place, Silent())
    assert (tmp_path / "nano_batches.json").read_text() == first and 1 <= int(first.strip("[]")) <= 20


def test_a_nano_batch_fits_into_memory_and_too_little_for_one_image_is_an_error(networks):
    ball, classifier = WeightBall(load(networks["unet"]).model, 0.015), build_model("preact_resnet", {"stem": 4, "widths": (4,), "depths": (1,)}).eval()
    image = torch.rand(1, 3, 32, 32)
    needed = bytes_for_one(ball, classifier, image)
    assert needed > 4 * 3 * 32 * 32 and nano_batch(ball, classifier, image, 64, 3 * needed) <= 3
    with pytest.raises(InvalidInput, match="smaller network"):
        nano_batch(ball, classifier, image, 64, needed - 1)


def test_steps_are_counted_before_the_data_are_searched_through(root, networks):
    assert steps(tiny("nominal-cifar10", networks), root) == 4


def test_all_that_is_wrong_is_said_at_once(tmp_path):
    wrong = AugmentedConfig(corruption="adversarial", backbones=(), radius=(0.0,), ssim_limit=3.0, epochs=0, steps=-1, learning_rate=0.0, dataset="cifar", trades_beta=1.0)
    said = "\n".join(problems(wrong))
    assert all(name in said for name in ("backbones", "radius", "ssim_limit", "epochs", "steps", "learning_rate", "dataset", "trades_beta", "warm_up"))
    with pytest.raises(ConfigurationError):
        OWN["nominal-cifar10"].train("wrong", wrong, Place(tmp_path, CPU), Silent())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"backbones": ("a",)}, "nothing goes through them"),
        ({"corruption": "adversarial", "backbones": ("a", "b"), "radius": (0.1, 0.2, 0.3)}, "one for each of 2"),
        ({"corruption": "linf", "trades_beta": 6.0, "augmix": True}, "choose one"),
        ({"classifier": "dm_small"}, "expected one of preact_resnet"),
        ({"widths": (1, 2), "depths": (1,)}, "widths and depths"),
        ({"nano_batch": 0}, "nano_batch = 0"),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_said(changes, words):
    assert any(words in each for each in problems(replace(AugmentedConfig(), **changes)))


def test_the_command_prints_a_configuration(capsys):
    assert main(["ada-cifar10-unet", "--radius", "0.01", "--dry-run"]) == 0
    assert '"backbone-unet-cifar10"' in capsys.readouterr().out and set(OWN) <= set(EXPERIMENTS)
