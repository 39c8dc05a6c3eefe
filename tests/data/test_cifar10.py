"""CIFAR-10 in both layouts, made by hand; files that ask for more than arrays are refused."""

import hashlib
import io
import os
import pickle
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.data import cifar10, load_dataset
from explorer.data.cifar10 import read_batch, read_grid
from explorer.errors import DataNotFound, InvalidInput

NAMES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
GRIDS = [*(f"train_batch_{number}.webp" for number in range(1, 6)), "test_batch.webp"]
COUNT = 16  # images of a batch: a grid of 4 × 4


def drawn(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (COUNT, 3, 32, 32), dtype=np.uint8)


def published(folder):
    """The six batches as they were published: dictionaries with keys of bytes, a row of 3072 bytes for each image."""
    folder.mkdir(parents=True)
    for seed, name in enumerate(NAMES):
        batch = {b"data": drawn(seed).reshape(COUNT, -1), b"labels": [each % 10 for each in range(COUNT)], b"batch_label": name.encode()}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))


def grids(folder):
    folder.mkdir(parents=True)
    for seed, name in enumerate(GRIDS):
        tiles = drawn(seed).transpose(0, 2, 3, 1).reshape(4, 4, 32, 32, 3).swapaxes(1, 2).reshape(128, 128, 3)
        Image.fromarray(tiles).save(folder / name, lossless=True)
    labels = np.arange(COUNT, dtype=np.uint8) % 10
    np.savez(folder / "labels.npz", y_train=np.tile(labels, 5), y_test=labels)


@pytest.fixture(params=["published", "grids"])
def root(request, tmp_path):
    {"published": published, "grids": grids}[request.param](tmp_path / {"published": "cifar-10-batches-py", "grids": "cifar10"}[request.param])
    return tmp_path


def test_both_layouts_hold_the_same_images(root):
    dataset = load_dataset("cifar10", "test", root, download=False)
    assert torch.equal((dataset.images * 255).round().byte(), torch.from_numpy(drawn(5)))
    assert dataset.labels.tolist() == [each % 10 for each in range(COUNT)] and dataset.class_names[9] == "truck"


def test_train_and_validation_share_no_image(root):
    parts = [load_dataset("cifar10", split, root, download=False) for split in ("train", "validation")]
    assert [len(part) for part in parts] == [72, 8]
    assert len({image.numpy().tobytes() for part in parts for image in part.images}) == 80


class Harmful:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_file_that_would_run_code_is_refused_before_it_does(tmp_path):
    (tmp_path / "batch").write_bytes(pickle.dumps({b"data": Harmful(str(tmp_path / "made")), b"labels": []}))
    with pytest.raises(InvalidInput, match="mkdir.*Delete it"):
        read_batch(tmp_path / "batch")
    assert not (tmp_path / "made").exists()


WHOLE = pickle.dumps({b"data": drawn(0).reshape(COUNT, -1), b"labels": [0] * COUNT})


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", WHOLE[:-100], pickle.dumps([1, 2]), pickle.dumps({b"data": drawn(0)[:, :, 0], b"labels": [0] * COUNT}),
     pickle.dumps({b"data": drawn(0).reshape(COUNT, -1), b"labels": [0]}), pickle.dumps({b"data": drawn(0).reshape(COUNT, -1), b"labels": [10] * COUNT})],
    ids=["empty", "text", "half", "list", "wrong shape", "few labels", "large label"],
)  # fmt: skip
def test_a_damaged_batch_is_refused(content, tmp_path):
    (tmp_path / "batch").write_bytes(content)
    with pytest.raises(InvalidInput, match="batch"):
        read_batch(tmp_path / "batch")


@pytest.mark.parametrize("content", [b"", b"RIFF", b"\x89PNG\r\n\x1a\n\x00\x00"], ids=["empty", "cut webp", "cut png"])
def test_a_damaged_picture_is_refused(content, tmp_path):
    (tmp_path / "grid.webp").write_bytes(content)
    with pytest.raises(InvalidInput, match="cannot be read as a picture"):
        read_grid(tmp_path / "grid.webp", np.zeros(4))


def test_a_picture_of_another_number_of_tiles_is_refused(tmp_path):
    grids(tmp_path / "cifar10")
    with pytest.raises(InvalidInput, match="16 images and .9,. labels"):
        read_grid(tmp_path / "cifar10" / "test_batch.webp", np.zeros(9))


def test_labels_that_are_no_archive_are_refused(tmp_path):
    grids(tmp_path / "cifar10")
    (tmp_path / "cifar10" / "labels.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(InvalidInput, match="labels.npz"):
        load_dataset("cifar10", "test", tmp_path, download=False)


def test_half_a_set_says_where_it_was_looked_for_and_what_to_do(tmp_path):
    published(tmp_path / "cifar-10-batches-py")
    (tmp_path / "cifar-10-batches-py" / "data_batch_3").unlink()
    with pytest.raises(DataNotFound, match="looked in .*cifar-10-batches-py.*nothing was downloaded.*EXPLORER_DATA"):
        load_dataset("cifar10", "train", tmp_path, download=False)
    assert len(load_dataset("cifar10", "test", tmp_path, download=False)) == COUNT


def archive(folder) -> bytes:
    published(folder / "cifar-10-batches-py")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        file.add(folder / "cifar-10-batches-py", "cifar-10-batches-py")
    return buffer.getvalue()


def test_what_is_missing_is_downloaded_and_checked(tmp_path, monkeypatch):
    content = archive(tmp_path / "site")
    monkeypatch.setattr(cifar10, "MD5", hashlib.md5(content).hexdigest())
    monkeypatch.setattr("urllib.request.urlopen", lambda url, timeout: io.BytesIO(content))
    assert len(load_dataset("cifar10", "test", tmp_path / "data")) == COUNT
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["cifar-10-batches-py"]


def test_a_download_with_another_sum_leaves_nothing(tmp_path, monkeypatch):
    content = archive(tmp_path / "site")
    monkeypatch.setattr("urllib.request.urlopen", lambda url, timeout: io.BytesIO(content[:-9]))
    with pytest.raises(DataNotFound, match="the download failed"):
        load_dataset("cifar10", "test", tmp_path / "data")
    assert not list((tmp_path / "data").iterdir())


def test_real_cifar_has_its_published_size(real_data):
    if not (real_data / "cifar10").is_dir():
        pytest.skip("no CIFAR-10 in EXPLORER_DATA")
    dataset = load_dataset("cifar10", "test", real_data, limit=1000, download=False)
    assert dataset.images.shape == (1000, 3, 32, 32) and dataset.labels[:4].tolist() == [3, 8, 8, 0]
