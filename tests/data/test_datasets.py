import gzip
import struct
from pathlib import Path

import pytest
import torch

from explorer.data import DATASETS, load_dataset
from explorer.data.idx import read_idx
from explorer.errors import DataNotFound, InvalidInput, UnknownName


def idx_bytes(values: torch.Tensor) -> bytes:
    return b"\x00\x00\x08" + bytes([values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.numpy().tobytes()


@pytest.fixture(params=["MNIST/raw", "MNIST", ""])
def root(request, tmp_path):
    """A tiny MNIST in one of the folders it may lie in, gzipped and not."""
    folder = tmp_path / request.param
    folder.mkdir(parents=True, exist_ok=True)
    draw = torch.Generator().manual_seed(0)
    for part, count in (("train", 40), ("t10k", 10)):
        images = torch.randint(0, 256, (count, 28, 28), dtype=torch.uint8, generator=draw)
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_bytes(images)))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(torch.arange(count, dtype=torch.uint8) % 10))
    return tmp_path


def test_published_files_are_read_gzipped_or_not(root):
    dataset = load_dataset("mnist", "test", root)
    assert dataset.images.shape == (10, 1, 28, 28)
    assert dataset.labels.tolist() == list(range(10))


def test_train_and_validation_share_no_image(root):
    parts = [load_dataset("mnist", split, root) for split in ("train", "validation")]
    assert [len(part) for part in parts] == [36, 4]
    rows = [image.numpy().tobytes() for part in parts for image in part.images]
    assert len(set(rows)) == 40


def test_the_variable_names_the_root(root, monkeypatch):
    monkeypatch.setenv("EXPLORER_DATA", str(root))
    assert len(load_dataset("mnist", "test")) == 10


def test_limit_keeps_the_first_images(root):
    whole, part = load_dataset("mnist", "test", root), load_dataset("mnist", "test", root, limit=3)
    assert torch.equal(part.images, whole.images[:3])


def test_missing_files_say_where_they_were_looked_for_and_what_to_do(tmp_path, monkeypatch):
    import torchvision

    def no_network(*_, **__):
        raise RuntimeError("no network")

    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", no_network)
    with pytest.raises(DataNotFound, match=r"looked in .*FashionMNIST.*EXPLORER_DATA.*'digits'"):
        load_dataset("fashion_mnist", "test", tmp_path)


def test_what_is_missing_is_downloaded_through_torchvision(tmp_path, monkeypatch):
    import torchvision

    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", publisher(whole=True))
    assert len(load_dataset("fashion_mnist", "test", tmp_path)) == 10
    assert [path.name for path in tmp_path.iterdir()] == ["FashionMNIST"]


def publisher(whole: bool):
    """Stands for torchvision's class: writes the published layout, or breaks off after the images."""

    def download(base, download):
        folder = Path(base) / "FashionMNIST" / "raw"
        folder.mkdir(parents=True)
        (folder / "t10k-images-idx3-ubyte").write_bytes(idx_bytes(torch.zeros(10, 28, 28).byte()))
        if not whole:
            raise RuntimeError("connection lost")
        (folder / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(torch.arange(10).byte()))

    return download


def test_a_download_that_breaks_off_leaves_nothing(tmp_path, monkeypatch):
    import torchvision

    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", publisher(whole=False))
    with pytest.raises(DataNotFound, match="the download failed"):
        load_dataset("fashion_mnist", "test", tmp_path)
    assert not list(tmp_path.iterdir())


def test_nothing_is_downloaded_where_it_is_not_wanted(tmp_path):
    with pytest.raises(DataNotFound, match="nothing was downloaded"):
        load_dataset("fashion_mnist", "test", tmp_path / "none", download=False)
    assert not (tmp_path / "none").exists()


def test_the_command_describes_a_data_set(capsys):
    from explorer.data.__main__ import main

    assert main(["digits"]) == 0
    assert "test          300 images (1, 28, 28)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content",
    [b"", b"hello world", b"\x00\x00\x08\x03\x00", idx_bytes(torch.zeros(4, 28, 28).byte())[:-5], gzip.compress(b"x" * 100)[:-9], gzip.compress(b"y" * 999)[:12] + b"\xff" * 40],
    ids=["empty", "no idx", "short header", "short body", "cut gzip", "damaged gzip"],
)
def test_a_damaged_file_is_refused(content, tmp_path):
    path = tmp_path / ("images.gz" if content[:2] == b"\x1f\x8b" else "images")
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match="Download it again"):
        read_idx(path)


def test_an_unknown_name_is_answered_with_the_nearest_one():
    with pytest.raises(UnknownName, match="Did you mean 'digits'"):
        load_dataset("digit")


def test_an_unknown_split_is_refused():
    with pytest.raises(InvalidInput, match="train, validation, test"):
        load_dataset("digits", "dev")


def test_the_embedded_digits_have_fixed_disjoint_splits():
    parts = {split: load_dataset("digits", split) for split in ("train", "validation", "test")}
    assert {split: len(part) for split, part in parts.items()} == {"train": 1297, "validation": 200, "test": 300}
    assert parts["test"].fingerprint() == load_dataset("digits", "test").fingerprint()
    rows = [image.numpy().tobytes() for part in parts.values() for image in part.images]
    assert len(set(rows)) == 1797


def test_the_scans_are_scikit_learns():
    from sklearn.datasets import load_digits

    from explorer.data import digits

    pixels, target = digits._scans()
    assert (pixels == load_digits().images).all() and (target == load_digits().target).all()


def test_digits_look_like_mnist():
    images = load_dataset("digits", "test").images
    assert images.shape[1:] == (1, 28, 28)
    assert images.min() == 0 and images.max() <= 1
    assert images[:, :, :1].max() == 0 and images[:, :, -2:].max() == 0, "the digits leave a margin"


def test_real_mnist_has_its_published_size(real_data):
    sizes = [len(load_dataset("mnist", split, real_data)) for split in ("train", "validation", "test")]
    assert sizes == [59000, 1000, 10000]


def test_every_table_entry_says_what_it_is():
    assert all(entry.description for entry in DATASETS.values())
