"""Checkpoints in the layouts of the paper's published code, written here from models of known behaviour."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from explorer.checkpoints import load
from explorer.errors import CheckpointUnreadable, InvalidInput
from explorer.import_learned_set import main
from explorer.models import build_model
from explorer.models.residual_cvae import LOG_VAR_BOUNDS
from explorer.papers.learned_sets import open_learned_set
from explorer.papers.learned_sets.segmentation_opening import open_segmenter
from explorer.papers.learned_sets.published import LAYOUTS, PublishedSettings, _halved, import_published
from explorer.types import Silent
from tests.tiny_light import EDGE, small_scenes
from tests.few import few

MODELS = {
    "mnist_fc": ("linf_fc_cvae", {"hidden_units": 6, "latent_dim": 3}, "digits"),
    "mnist_conv": ("linf_conv_cvae", {"widths": [2, 3, 4]}, "digits"),
    "mnist_stn": ("rts_cvae", {"latent_dim": 3, "transformers": 2, "localization_widths": [5, 4]}, "digits"),
    "cifar10_rectangle": ("residual_cvae", {"latent_dim": 3, "maps": 5, "inner_maps": 2, "bottleneck_maps": 3}, "scenes"),
    "mi_unet": ("unet_cvae", {"height": EDGE, "width": EDGE, "level_widths": [2, 3, 4, 5, 6], "skip_channels": 2, "pooled": [[EDGE >> level] * 2 for level in range(5)], "latent_dims": [3, 2, 2, 1, 1]}, "lit_scenes"),
}
PUBLISHED = {  # ours -> theirs, in the order of replacement
    "mnist_fc": [("generator.hidden", "generator.fc3"), ("generator.pixels", "generator.fc4"), (".hidden", ".fc1"), (".mean", ".fc21"), (".log_var", ".fc22")],
    "mnist_conv": [("generator.conv3", "generator.conv5"), ("generator.conv2", "generator.conv4"), ("generator.conv1", "generator.conv3"), ("to_quarter", "downsample3"), ("to_half", "downsample4"), (".mean", ".conv31"), (".log_var", ".conv32")],
    "mnist_stn": [("localization.2", "localization.3"), ("localization.0", "localization.1"), ("affine", "fc"), ("transformers", "stns"), ("control", "fc"), ("merge", "conv"), (".mean", ".fc31"), (".log_var", ".fc32"), (".norm", ".bn")],
    "cifar10_rectangle": [("generator.trunk", "generator.decoder"), ("trunk", "encoder"), (".first", ".0"), (".last", ".7"), ("recognition.norm", "recognition.encoder.8"), ("prior.norm", "prior.encoder.8"), ("coder.norm", "coder.5"), (".mean", ".fc1"), (".log_var", ".fc2"), ("control", "fc"), (".norm", ".bn")],
    "mi_unet": [("contraction.blocks.0", "inc.double_conv"), *((f"contraction.blocks.{n}", f"down{n}.maxpool_conv.1.double_conv") for n in range(1, 5)), *((f"expansion.blocks.{n - 1}", f"up{n}.conv.double_conv") for n in range(1, 5)),
                ("reduce", "conv"), (".mean", ".fc1"), (".log_var", ".fc2"), ("maps", "fc"), ("generator.last", "generator.outc.conv")],
}  # fmt: skip


def published_name(key: str, name: str) -> str:
    if name != "mi_unet":
        key = re.sub(r"blocks\.(\d)", lambda found: str(int(found[1]) + 1), key)
    for ours, theirs in PUBLISHED[name]:
        key = re.sub(rf"{re.escape(ours)}(?=[.\d]|$)", theirs, key)
    return key


def original(name: str) -> nn.Module:
    """A model whose reconstruction depends on the order of its inputs."""
    model_name, config, _ = MODELS[name]
    torch.manual_seed(1)
    model = build_model(model_name, config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    return model


def written(name: str, path, model: nn.Module, change=lambda state: state) -> None:
    state = {published_name(key, name): value.clone() for key, value in model.state_dict().items()}
    if LAYOUTS[name].flipped:  # as if it had been trained with the published tanh: middle − half·tanh(W x + b)
        middle, half = sum(LOG_VAR_BOUNDS) / 2, (LOG_VAR_BOUNDS[1] - LOG_VAR_BOUNDS[0]) / 2
        for key in [key for key in state if ".fc2." in key]:
            state[key] = ((middle if key.endswith("bias") else 0.0) - state[key]) / half
    torch.save({"model_state_dict": change(state), "optimizer_state_dict": {"param_groups": [{"lr": np.float64(0.001)}]}, "epoch": 3, "val_loss": 1.5}, path)


@pytest.mark.parametrize("name", few(3, sorted(LAYOUTS, key=lambda name: name == "cifar10_rectangle")))
def test_a_published_checkpoint_becomes_the_same_set(name, tmp_path, capsys, monkeypatch):
    small_scenes(monkeypatch, tmp_path / "cache")
    model, (_, _, dataset) = original(name), MODELS[name]
    written(name, tmp_path / "checkpoint_best.pth", model)
    monkeypatch.setattr("explorer.papers.learned_sets.published.TRIED", 4)
    assert main([str(tmp_path / "checkpoint_best.pth"), "--to", str(tmp_path / "set.safetensors"), "--dataset", dataset, "--radius", "2.5", "--device", "cpu"]) == 0
    assert f"Recognised as {name}" in capsys.readouterr().err
    opened = load(tmp_path / "set.safetensors")
    x, y, z = torch.rand(2, *model.image_shape), torch.rand(2, *model.image_shape), torch.randn(2, model.latent_dim)
    prior, ours = model.prior(x), opened.model.prior(x)
    assert torch.allclose(ours.mean, prior.mean, atol=1e-5) and torch.allclose(ours.log_var, prior.log_var, atol=1e-4)
    if not LAYOUTS[name].generator:  # whose inputs have one order
        assert torch.allclose(opened.model.decode(x, z), model.decode(x, z), atol=1e-5)
    assert any(torch.allclose(opened.model.encode(*pair).mean, model.encode(x, y).mean, atol=1e-4) for pair in ((x, y), (y, x))), "up to the order of the inputs, which chance decides for weights without training"
    assert open_learned_set(tmp_path / "set.safetensors").radius == 2.5


def test_the_published_tanh_of_flipped_sign_gives_the_same_variance(tmp_path):
    model = original("cifar10_rectangle")
    written("cifar10_rectangle", tmp_path / "x.pth", model)
    state = torch.load(tmp_path / "x.pth", weights_only=False)["model_state_dict"]
    imported = import_published(tmp_path / "x.pth", PublishedSettings(dataset="scenes", radius=1.0), None, torch.device("cpu"), Silent())
    x, (lower, upper) = torch.rand(3, 3, 32, 32), LOG_VAR_BOUNDS
    with torch.no_grad():
        features = torch.relu(model.prior.norm(model.prior.trunk(x))).flatten(1)
        published = torch.tanh(features @ state["prior.fc2.weight"].T + state["prior.fc2.bias"]) * (lower - upper) / 2 + (lower + upper) / 2
        assert torch.allclose(imported.model.prior(x).log_var, published, atol=1e-4)


def test_the_order_that_reconstructs_real_pairs_is_found(tmp_path):
    """A generator that hands its latents through, and a recognition network that hands the perturbed image on."""
    model = build_model("linf_fc_cvae", {"hidden_units": 784, "latent_dim": 784})
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        eye = torch.eye(784)
        model.recognition.hidden.weight[:, 784:], model.recognition.mean.weight[:] = eye, 8 * eye
        model.generator.hidden.weight[:, 784:], model.generator.pixels.weight[:] = eye, eye
        model.generator.pixels.bias.fill_(-4.0)

    def other_order(state):
        return {**state, **{key: state[key].roll(784, 1) for key in ("recognition.fc1.weight", "generator.fc3.weight")}}

    for number, change in enumerate((lambda state: state, other_order)):
        written("mnist_fc", tmp_path / f"{number}.pth", model, change)
        found = import_published(tmp_path / f"{number}.pth", PublishedSettings(dataset="digits", radius=1.0), None, torch.device("cpu"), Silent()).model
        assert torch.equal(found.recognition.hidden.weight, model.recognition.hidden.weight) and torch.equal(found.generator.hidden.weight, model.generator.hidden.weight)


def test_a_file_that_carries_code_or_another_network_is_refused(tmp_path):
    class Code:
        def __reduce__(self):
            return print, ("executed",)

    torch.save({"model_state_dict": {"a": Code()}}, tmp_path / "code.pth")
    torch.save({"fc.weight": torch.zeros(2, 2)}, tmp_path / "other.pth")
    (tmp_path / "text.pth").write_text("no checkpoint")
    for name, error, message in (("code", CheckpointUnreadable, "nothing else is opened"), ("other", InvalidInput, "none of the published networks"), ("text", CheckpointUnreadable, "nothing else is opened")):
        with pytest.raises(error, match=message):
            import_published(tmp_path / f"{name}.pth", PublishedSettings(), None, torch.device("cpu"), Silent())


@pytest.mark.parametrize(
    ("pixels", "shape", "expected"),
    [([23375, 5766, 1426, 345, 77], (3, 125, 187), [(125, 187), (62, 93), (31, 46), (15, 23), (7, 11)]), ([23375, 5766, 1426, 345, 77], (3, 500, 750), [(125, 187), (62, 93), (31, 46), (15, 23), (7, 11)]), ([8, 2], (3, 100, 200), [(2, 4), (1, 2)])],
)
def test_the_sizes_of_pooled_maps_follow_from_their_pixels(pixels, shape, expected):
    assert _halved(pixels, shape) == expected


def test_maps_that_are_no_halves_of_each_other_are_refused():
    with pytest.raises(InvalidInput, match="23375, 5000 pixels"):
        _halved([23375, 5000], (3, 125, 187))


def test_a_published_segmenter_names_what_it_named(tmp_path, capsys, monkeypatch):
    small_scenes(monkeypatch, tmp_path / "cache")
    torch.manual_seed(0)
    model = build_model("segmentation_unet", {"height": EDGE, "width": EDGE, "widths": [2, 3, 4, 5, 6], "classes": 9}).eval()
    names = {key: published_name(key.replace("head.", "outc.conv."), "mi_unet") for key in model.state_dict()}
    torch.save({"model_state_dict": {names[key]: value for key, value in model.state_dict().items()}, "epoch": 3, "test_loss": 0.5}, tmp_path / "checkpoint_best.pth")
    assert {"inc.double_conv.0.weight", "down4.maxpool_conv.1.double_conv.4.running_var", "up1.conv.double_conv.3.bias", "outc.conv.weight"} <= set(names.values())
    assert main([str(tmp_path / "checkpoint_best.pth"), "--to", str(tmp_path / "named.safetensors"), "--dataset", "lit_scenes", "--device", "cpu"]) == 0
    assert "Recognised as a segmenter" in capsys.readouterr().err
    opened, x = open_segmenter(tmp_path / "named.safetensors"), torch.rand(2, 3, EDGE, EDGE)
    assert torch.allclose(opened.checkpoint.model(x), model(x), atol=1e-5) and 0 <= opened.checkpoint.header.metrics["accuracy"] <= 1
    other = build_model("segmentation_unet", {"height": EDGE, "width": EDGE, "widths": [2, 3, 4, 5, 6], "classes": 36})
    torch.save({names[key]: value for key, value in other.state_dict().items()}, tmp_path / "other.pth")
    whole = {names[key]: value for key, value in model.state_dict().items()}
    torch.save({key: value for key, value in whole.items() if not key.startswith("down1.")}, tmp_path / "part.pth")
    for file, settings, message in (("other", {}, "names 36 materials, lit_scenes has 9"), ("part", {}, "not whole"), ("checkpoint_best", {"radius": 2.0}, "no --radius")):
        with pytest.raises(InvalidInput, match=message):
            import_published(tmp_path / f"{file}.pth", PublishedSettings(dataset="lit_scenes", **settings), None, torch.device("cpu"), Silent())


def test_the_published_unets_have_these_tensors():
    """Of the sizes that the published configuration gives, under the published names."""
    with torch.device("meta"):
        state = build_model("unet_cvae", {}).state_dict()
    published = {published_name(key, "mi_unet"): value.shape for key, value in state.items()}
    assert len(published) == 338 and published["prior.fc1.0.weight"] == (128, 374000) and published["generator.up1.conv.double_conv.0.weight"] == (513, 1026, 3, 3)
    assert published["generator.up2.conv.double_conv.0.weight"][:2] == (256, 513) and published["generator.outc.conv.weight"] == (3, 64, 1, 1)


def test_an_import_that_could_not_be_written_ends_before_its_work(tmp_path, capsys, monkeypatch):
    small_scenes(monkeypatch, tmp_path / "cache")
    written("mi_unet", tmp_path / "x.pth", original("mi_unet"))
    (tmp_path / "there.safetensors").write_bytes(b"kept")
    monkeypatch.setattr("explorer.papers.learned_sets.published._best_order", None)
    assert main([str(tmp_path / "x.pth"), "--to", str(tmp_path / "there.safetensors"), "--dataset", "lit_scenes", "--device", "cpu"]) == 1
    assert "is there already" in capsys.readouterr().err and (tmp_path / "there.safetensors").read_bytes() == b"kept"
