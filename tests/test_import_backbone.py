"""Published weights: recognised by their shapes, computed as published, and nothing but tensors read."""

import pickle

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from explorer.checkpoints import load
from explorer.data import ImageDataset
from explorer.errors import CheckpointUnreadable, InvalidInput
from explorer.import_backbone import main
from explorer.models import build_model
from explorer.models.corruption_networks.super_resolution import MEAN
from explorer.models.tensor_files import read_tensor_file
from explorer.papers.adversarial_augmentation.published_backbones import recognised


class MeanShift(nn.Conv2d):
    def __init__(self, sign):
        super().__init__(3, 3, 1)
        self.weight.data = torch.eye(3).view(3, 3, 1, 1)
        self.bias.data = sign * 255 * torch.tensor(MEAN)


class PublishedBlock(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(features, features, 3, padding=1), nn.ReLU(), nn.Conv2d(features, features, 3, padding=1))

    def forward(self, x):
        return x + self.body(x)


class PublishedEdsr(nn.Module):
    """EDSR in the published layout: pixels from 0 to 255, mean shifts as convolutions."""

    def __init__(self, features, blocks, doublings):
        super().__init__()
        self.sub_mean, self.add_mean = MeanShift(-1), MeanShift(1)
        self.head = nn.Sequential(nn.Conv2d(3, features, 3, padding=1))
        self.body = nn.Sequential(*(PublishedBlock(features) for _ in range(blocks)), nn.Conv2d(features, features, 3, padding=1))
        ups = [layer for _ in range(doublings) for layer in (nn.Conv2d(features, 4 * features, 3, padding=1), nn.PixelShuffle(2))]
        self.tail = nn.Sequential(nn.Sequential(*ups), nn.Conv2d(features, 3, 3, padding=1))

    def forward(self, x):
        hidden = self.head(self.sub_mean(x))
        return self.add_mean(self.tail(hidden + self.body(hidden)))


class PublishedAutoencoder(nn.Module):
    """The compressive autoencoder in the published layout, without its drawn bits."""

    def __init__(self, first=64, second=128, bits=32, before=64, wide=256, narrow=16, blocks=3):
        super().__init__()
        pad, leaky = nn.ZeroPad2d((1, 2, 1, 2)), nn.LeakyReLU()
        block = lambda: nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(second, second, 3), leaky, nn.ZeroPad2d(1), nn.Conv2d(second, second, 3))
        self.e_conv_1, self.e_conv_2 = nn.Sequential(pad, nn.Conv2d(3, first, 5, 2), leaky), nn.Sequential(pad, nn.Conv2d(first, second, 5, 2), leaky)
        self.e_blocks = nn.ModuleList(block() for _ in range(blocks))
        self.e_conv_3 = nn.Sequential(nn.Conv2d(second, bits, 5, padding=2), nn.Tanh())
        self.d_up_conv_1 = nn.Sequential(nn.Conv2d(bits, before, 3), leaky, nn.ZeroPad2d(1), nn.ConvTranspose2d(before, second, 2, 2))
        self.d_blocks = nn.ModuleList(block() for _ in range(blocks))
        self.d_up_conv_2 = nn.Sequential(nn.Conv2d(second, bits, 3), leaky, nn.ZeroPad2d(1), nn.ConvTranspose2d(bits, wide, 2, 2))
        self.d_up_conv_3 = nn.Sequential(nn.Conv2d(wide, narrow, 3), leaky, nn.ReflectionPad2d(2), nn.Conv2d(narrow, 3, 3), nn.Tanh())

    def forward(self, x):
        hidden = self.e_conv_2(self.e_conv_1(x))
        for block in self.e_blocks:
            hidden = hidden + block(hidden)
        hidden = self.d_up_conv_1(torch.where(self.e_conv_3(hidden) >= 0, 1.0, -1.0))
        for block in self.d_blocks:
            hidden = hidden + block(hidden)
        return self.d_up_conv_3(self.d_up_conv_2(hidden))


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("doublings", [1, 2])
def test_published_edsr_computes_the_same_here(doublings):
    theirs, x = PublishedEdsr(4, 2, doublings).eval(), torch.rand(2, 3, 8, 8)
    found = recognised(theirs.state_dict())
    assert found.model == "edsr" and found.config == {"channels": 3, "features": 4, "blocks": 2, "scale": 2**doublings}
    ours = build_model(found.model, found.config)
    ours.load_state_dict(found.tensors)
    with torch.no_grad():
        torch.testing.assert_close(ours.enlarge(x), theirs(255 * x) / 255, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(ours(x), F.avg_pool2d(theirs(255 * x) / 255, 2**doublings), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("blocks", [1, 3])
def test_the_published_autoencoder_computes_the_same_here(blocks):
    theirs, x = PublishedAutoencoder(3, 5, 4, 6, 7, 2, blocks).eval(), torch.rand(2, 3, 16, 20)
    found = recognised(theirs.state_dict())
    ours = build_model(found.model, found.config)
    ours.load_state_dict(found.tensors)
    assert found.config == {"channels": 3, "widths": [3, 5], "bits": 4, "decoder": [6, 7, 2], "blocks": blocks}
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x), atol=1e-5, rtol=1e-4)


def test_the_papers_sizes_are_recognised():
    with torch.device("meta"):
        sizes = PublishedEdsr(64, 16, 2).state_dict(), PublishedAutoencoder().state_dict()
    edsr, cae = (recognised({name: torch.zeros(value.shape) if "mean" not in name else MeanShift(1).state_dict()[name.rpartition(".")[2]] for name, value in each.items()}) for each in sizes)
    assert sum(each.numel() for each in edsr.tensors.values()) == 1_517_571 and sum(each.numel() for each in cae.tensors.values()) == 2_241_859


@pytest.fixture
def images(monkeypatch):
    made = ImageDataset(torch.rand(3, 3, 16, 16), torch.zeros(3, dtype=torch.long), ("one", "two"))
    monkeypatch.setattr("explorer.import_backbone.load_dataset", lambda *_: made)
    return made


def test_the_command_writes_a_checkpoint_that_opens(images, tmp_path, capsys):
    torch.save({"state_dict": {f"module.{name}": value for name, value in PublishedEdsr(4, 1, 2).state_dict().items()}}, tmp_path / "mine.pt")
    assert main([str(tmp_path / "mine.pt"), "--to", str(tmp_path / "mine.safetensors")]) == 0
    opened = load(tmp_path / "mine.safetensors")
    assert (opened.header.kind, opened.header.model) == ("corruption_network", "edsr") and opened.header.training["imported_from"] == "mine.pt"
    assert opened.model(images.images).shape == images.images.shape
    assert main([str(tmp_path / "mine.pt"), "--to", str(tmp_path / "mine.safetensors")]) == 1 and "--replace" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        (lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.Linear(4, 4)).state_dict(), "neither architecture"),
        (lambda: build_model("completion_unet", {}).state_dict(), "neither architecture"),
        (lambda: {**PublishedEdsr(4, 1, 2).state_dict(), "sub_mean.bias": torch.zeros(3)}, "another EDSR"),
        (lambda: {name: value.fill_(float("nan")) for name, value in PublishedEdsr(4, 1, 1).state_dict().items()}, "diverged"),
        (lambda: {"steps": torch.tensor(3)}, "floats"),
    ],
)
def test_weights_of_another_architecture_are_told(tensors, said):
    with pytest.raises(InvalidInput, match=said):
        recognised(tensors())


class Evil:
    def __reduce__(self):
        return print, ("never",)


@pytest.mark.parametrize("write", [lambda path: torch.save({"a": Evil()}, path), lambda path: path.write_bytes(pickle.dumps(Evil())), lambda path: path.write_bytes(b"PK nothing"), lambda path: torch.save([1, 2], path), lambda path: path.write_bytes(b"")])
def test_a_file_with_more_than_tensors_is_refused_and_not_run(write, tmp_path, capsys):
    write(tmp_path / "odd.pt")
    with pytest.raises(CheckpointUnreadable, match="state_dict"):
        read_tensor_file(tmp_path / "odd.pt")
    assert "never" not in capsys.readouterr().out
