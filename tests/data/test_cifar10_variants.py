"""CIFAR-10-C and CIFAR-10.1 as published, from files made here."""

import numpy as np
import pytest
import torch

from explorer.data import cifar10_variants as variants
from explorer.data import load_dataset
from explorer.errors import DataNotFound, InvalidInput, UnknownName


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Ten images a severity; an image's pixels tell its row."""
    monkeypatch.setattr(variants, "PER_SEVERITY", 10)
    folder = tmp_path / "CIFAR-10-C"
    folder.mkdir()
    np.save(folder / "fog.npy", np.arange(50, dtype=np.uint8)[:, None, None, None] * np.ones((1, 32, 32, 3), np.uint8))
    np.save(folder / "labels.npy", np.tile(np.arange(10), 5))
    (tmp_path / "CIFAR-10.1").mkdir()
    np.save(tmp_path / "CIFAR-10.1" / "cifar10.1_v6_data.npy", np.full((4, 32, 32, 3), 51, np.uint8))
    np.save(tmp_path / "CIFAR-10.1" / "cifar10.1_v6_labels.npy", np.array([3, 1, 4, 1], np.int32))
    return tmp_path


@pytest.mark.parametrize("severity", [1, 3, 5])
def test_severities_follow_one_another(root, severity):
    data = variants.load_corrupted_cifar10("fog", severity, root)
    assert (255 * data.images[:, 0, 0, 0]).round().tolist() == list(range(10 * severity - 10, 10 * severity))
    assert data.labels.tolist() == list(range(10)) and data.images.shape == (10, 3, 32, 32)


def test_new_images_have_their_labels(root):
    data = load_dataset("cifar10.1", root=root)
    assert data.labels.tolist() == [3, 1, 4, 1] and torch.allclose(data.images, torch.tensor(0.2)) and data.class_names[3] == "cat"


def test_other_splits_of_the_new_images_are_refused(root):
    with pytest.raises(InvalidInput, match="test images only"):
        load_dataset("cifar10.1", "train", root)


def spoil(root, name, array):
    np.save(root / "CIFAR-10-C" / name, array)


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [
        (lambda root: spoil(root, "fog.npy", np.zeros((49, 32, 32, 3), np.uint8)), "expected bytes of 50 × 32 × 32 × 3"),
        (lambda root: spoil(root, "fog.npy", np.zeros((50, 32, 32, 3), np.float32)), "holds float32"),
        (lambda root: spoil(root, "labels.npy", np.full(50, 10)), "expected 0 to 9"),
        (lambda root: (root / "CIFAR-10-C" / "fog.npy").write_bytes(b"no array"), "damaged"),
        (lambda root: spoil(root, "labels.npy", np.array([{}] * 50, dtype=object)), "damaged"),
    ],
)
def test_files_of_another_layout_are_told(root, spoiled, said):
    spoiled(root)
    with pytest.raises(InvalidInput, match=said):
        variants.load_corrupted_cifar10("fog", 1, root)


def test_what_is_not_there_is_told(root, tmp_path):
    with pytest.raises(DataNotFound, match=r"snow\.npy was not found"):
        variants.load_corrupted_cifar10("snow", 1, root)
    with pytest.raises(UnknownName, match="rain"):
        variants.load_corrupted_cifar10("rain", 1, root)
    with pytest.raises(InvalidInput, match="severity"):
        variants.load_corrupted_cifar10("fog", 0, root)
    with pytest.raises(DataNotFound, match="CIFAR-10.1"):
        load_dataset("cifar10.1", root=tmp_path / "elsewhere")
