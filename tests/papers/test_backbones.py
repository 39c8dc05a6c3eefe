"""Trainings of image-to-image networks: what is learned, one epoch of tiny data for each, and what goes on after a stop."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from explorer.checkpoints import load
from explorer.errors import Cancelled, ConfigurationError, InvalidInput
from explorer.models import build_model
from explorer.papers.adversarial_augmentation.backbone_config import BackboneConfig, problems
from explorer.papers.adversarial_augmentation.backbone_experiments import EXPERIMENTS
from explorer.papers.adversarial_augmentation.backbone_losses import (
    completion,
    compression,
    enlargement,
    quantised,
    without_pixels,
)
from explorer.papers.adversarial_augmentation.backbone_training import likeness, train_backbone
from explorer.papers.base import Place
from explorer.training import State
from explorer.types import Silent
from tests.stopping import StopAfterResults

CPU = torch.device("cpu")
TINY = {
    "completion_unet": {"widths": (3, 4)},
    "vq_vae": {"width": 4, "residual_width": 2, "codes": 8},
    "edsr": {"features": 3, "blocks": 1},
    "compressive_autoencoder": {"widths": (3, 4), "decoder": (3, 4, 2), "bits": 3, "blocks": 1},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Smooth pictures in the published layout of CIFAR-10."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "cifar-10-batches-py").mkdir()
    coarse = torch.rand(10, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    pixels = (255 * torch.nn.functional.interpolate(coarse, (32, 32), mode="bilinear")).byte().flatten(1).numpy()
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        (folder / "cifar-10-batches-py" / name).write_bytes(pickle.dumps({b"data": np.ascontiguousarray(pixels), b"labels": list(range(10))}, protocol=2))
    return folder


def tiny(model="completion_unet", **changes):
    return replace(BackboneConfig(model=model, epochs=1, batch_size=16, limit=20, learning_rate=((0.0, 1e-3), (1.0, 0.0)), **TINY[model]), **changes)


def state(seed=0):
    return State(0.0, {}, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiments_own_configuration_is_possible(name):
    assert not [each for each in problems(EXPERIMENTS[name].config) if "scenes" not in each]


def test_the_settings_are_the_papers():
    unet, vqvae = EXPERIMENTS["backbone-unet-cifar10"].config, EXPERIMENTS["backbone-vqvae-cifar10"].config
    for config in (unet, vqvae):
        assert (config.epochs, config.batch_size, config.learning_rate[0][1]) == (90, 16384, 3e-3)
    assert (unet.removed, unet.squared_share, vqvae.commitment) == ((0.02, 0.35), 0.05, 0.25)
    assert unet.model_config(3) == vqvae.model_config(3) == {"channels": 3}


@pytest.mark.parametrize("model", TINY)
def test_an_experiment_trains_measures_and_saves(model, root, tmp_path):
    opened = load(train_backbone("tiny", tiny(model), Place(tmp_path, CPU, root), Silent()))
    assert opened.header.kind == "corruption_network" and opened.header.model == model
    assert {"validation", "ssim", "absolute_error", "squared_error"} <= opened.header.metrics.keys()
    assert opened.model(torch.rand(2, 3, 32, 32)).shape == (2, 3, 32, 32)


@pytest.mark.parametrize("model", ["vq_vae", pytest.param("compressive_autoencoder", marks=pytest.mark.slow)])
def test_a_stopped_training_goes_on_bit_for_bit(model, root, tmp_path):
    config = tiny(model, epochs=2)
    whole = train_backbone("tiny", config, Place(tmp_path / "whole", CPU, root), Silent())
    with pytest.raises(Cancelled):
        train_backbone("tiny", config, Place(tmp_path / "stopped", CPU, root), StopAfterResults())
    again = train_backbone("tiny", config, Place(tmp_path / "stopped", CPU, root, resume=True), Silent())
    assert again.read_bytes()[-2000:] == whole.read_bytes()[-2000:]


def test_between_two_shares_of_the_pixels_are_missing_with_all_their_channels():
    removed = without_pixels(torch.ones(200, 3, 32, 32), 0.02, 0.35, torch.Generator().manual_seed(0)) == 0
    assert torch.equal(removed.all(1), removed.any(1))
    shares = removed[:, 0].flatten(1).float().mean(1)
    assert 0.01 < shares.min() < 0.05 and 0.32 < shares.max() < 0.38 and shares.mean() == pytest.approx(0.185, abs=0.02)


def test_completion_is_the_absolute_error_and_a_little_of_the_squared_one():
    class Half(torch.nn.Module):
        def forward(self, x):
            return torch.full_like(x, 0.5)

    found = completion(0.1, 0.1, 0.05)(Half(), (torch.zeros(2, 3, 8, 8),), state())
    torch.testing.assert_close(found, torch.full((2,), 0.5 + 0.05 * 0.25))


def test_a_vq_vae_minimises_error_over_variance_and_commitment():
    torch.manual_seed(0)
    model, x = build_model("vq_vae", {"width": 4, "residual_width": 2, "codes": 8}).eval(), torch.rand(2, 3, 8, 8)
    z = model.encoder(x - 0.5)
    nearest = torch.cdist(z.flatten(2).mT, model.codebook.codes).argmin(-1)
    codes = model.codebook.codes[nearest].mT.view_as(z)
    by_hand = (model.decode(codes) - x).square().mean((1, 2, 3)) / 0.5 + 0.25 * (z - codes).square().mean((1, 2, 3))
    torch.testing.assert_close(quantised(0.25, 0.5)(model, (x,), state()), by_hand)


def test_enlarging_a_constant_image_needs_no_details():
    torch.manual_seed(0)
    model = build_model("edsr", {"features": 3, "blocks": 1})
    for each in model.parameters():
        torch.nn.init.zeros_(each)
    found = enlargement(model, (model.mean.expand(1, 3, 8, 8),), state())
    torch.testing.assert_close(found, torch.zeros(1), atol=1e-6, rtol=0)


def test_drawn_bits_come_from_the_trainings_generator():
    torch.manual_seed(0)
    model, x = build_model("compressive_autoencoder", {"widths": [3, 4], "decoder": [3, 4, 2], "bits": 3, "blocks": 1}), torch.rand(2, 3, 16, 16)
    again, other = (compression(model, (x,), state(seed)) for seed in (0, 1))
    assert torch.equal(compression(model, (x,), state()), again) and not torch.equal(again, other)


def test_an_image_left_as_it_is_has_no_error():
    assert likeness(torch.nn.Identity(), torch.rand(3, 3, 16, 16)) == pytest.approx({"ssim": 1.0, "absolute_error": 0.0, "squared_error": 0.0}, abs=1e-6)


def test_everything_impossible_is_told_at_once(tmp_path):
    config = BackboneConfig(dataset="nowhere", epochs=0, removed=(0.5, 0.1), features=3, limit=0, learning_rate=((0.0, -1.0),))
    found = "\n".join(problems(config))
    assert all(name in found for name in ("dataset", "epochs", "removed", "features", "limit", "learning_rate"))
    with pytest.raises(ConfigurationError):
        train_backbone("tiny", config, Place(tmp_path, CPU), Silent())


def test_images_that_the_network_does_not_take_are_told_before_anything_is_written(root, tmp_path, monkeypatch):
    from explorer.data import ImageDataset

    odd = ImageDataset(torch.rand(4, 3, 30, 30), torch.arange(4), tuple("abcd"))
    monkeypatch.setattr("explorer.papers.adversarial_augmentation.splits.load_dataset", lambda *_, **__: odd)
    with pytest.raises(InvalidInput, match="multiples of 4"):
        train_backbone("tiny", tiny("vq_vae"), Place(tmp_path / "out", CPU, root), Silent())
    assert not (tmp_path / "out").exists()
