"""OrganMNIST (axial) from a file in its published layout, made by hand; files that hold anything else are refused."""

import hashlib
import io

import numpy as np
import pytest
import torch

from explorer.data import load_dataset, medmnist
from explorer.errors import DataNotFound, InvalidInput

COUNTS = {"train": 30, "val": 12, "test": 15}


def arrays(**changes):
    draw = np.random.default_rng(0)
    images = {f"{split}_images": draw.integers(0, 256, (count, 28, 28), dtype=np.uint8) for split, count in COUNTS.items()}
    labels = {f"{split}_labels": (np.arange(count, dtype=np.uint8) % 11)[:, None] for split, count in COUNTS.items()}
    return {**images, **labels, **changes}


@pytest.fixture(params=["medmnist", "MedMNIST", ""])
def root(request, tmp_path):
    (tmp_path / request.param).mkdir(exist_ok=True)
    np.savez(tmp_path / request.param / "organamnist.npz", **arrays())
    return tmp_path


@pytest.mark.parametrize(("split", "key"), [("train", "train"), ("validation", "val"), ("test", "test")])
def test_each_split_is_read_as_it_was_published(root, split, key):
    dataset = load_dataset("organamnist", split, root, download=False)
    assert torch.equal((dataset.images[:, 0] * 255).round().byte(), torch.from_numpy(arrays()[f"{key}_images"]))
    assert dataset.labels.tolist() == [number % 11 for number in range(COUNTS[key])]
    assert len(dataset.class_names) == 11 and dataset.class_names[6] == "liver"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"test_images": np.zeros((15, 64, 64), np.uint8)}, "expected bytes of n × 28 × 28"),
        ({"test_images": np.zeros((15, 28, 28), np.float32)}, "expected bytes"),
        ({"test_labels": np.zeros((14, 1), np.uint8)}, "expected 15 × 1 classes"),
        ({"test_labels": np.full((15, 1), 11, np.uint8)}, "classes from 0 to 10"),
        ({"test_labels": np.array([[None]] * 15, dtype=object)}, "plain arrays"),
    ],
)
def test_a_file_that_holds_anything_else_is_refused(tmp_path, changes, words):
    np.savez(tmp_path / "organamnist.npz", **arrays(**changes))
    with pytest.raises(InvalidInput, match=words):
        load_dataset("organamnist", "test", tmp_path, download=False)


def test_a_file_without_a_split_is_refused(tmp_path):
    np.savez(tmp_path / "organamnist.npz", **{name: array for name, array in arrays().items() if name != "test_labels"})
    with pytest.raises(InvalidInput, match="holds no .*test_labels"):
        load_dataset("organamnist", "test", tmp_path, download=False)


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "organamnist.npz").write_bytes(b"PK\x03\x04 not a zip at all")
    with pytest.raises(InvalidInput, match="Download it again"):
        load_dataset("organamnist", "test", tmp_path, download=False)


def test_a_missing_file_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(DataNotFound, match=r"looked for organamnist.npz in .*medmnist.*nothing was downloaded.*EXPLORER_DATA"):
        load_dataset("organamnist", "test", tmp_path, download=False)


def published(monkeypatch, md5=None):
    content = io.BytesIO()
    np.savez(content, **arrays())
    monkeypatch.setattr(medmnist.urllib.request, "urlopen", lambda url, timeout: io.BytesIO(content.getvalue()))
    monkeypatch.setattr(medmnist, "MD5", md5 or hashlib.md5(content.getvalue()).hexdigest())


def test_a_whole_download_is_kept(tmp_path, monkeypatch):
    published(monkeypatch)
    assert len(load_dataset("organamnist", "test", tmp_path / "new")) == 15
    assert [path.name for path in (tmp_path / "new").rglob("*") if path.is_file()] == ["organamnist.npz"]


def test_a_download_with_another_sum_is_thrown_away(tmp_path, monkeypatch):
    published(monkeypatch, "0" * 32)
    with pytest.raises(DataNotFound, match="the download failed"):
        load_dataset("organamnist", "test", tmp_path)
    assert not list(tmp_path.rglob("*"))
