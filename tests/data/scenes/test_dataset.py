import numpy as np
import pytest
import torch

from explorer.data import load_dataset
from explorer.data.scenes import CACHE_VARIABLE, SHAPES, dataset


@pytest.fixture
def few(tmp_path, monkeypatch):
    """Splits of few, tiny pictures, in a cache folder of their own."""
    monkeypatch.setattr(dataset, "SIZE", 12)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(dataset, "COUNTS", {"train": 16, "validation": 8, "test": 8})
    dataset._whole.cache_clear()
    yield tmp_path
    dataset._whole.cache_clear()


def test_splits_are_of_different_scenes_and_classes_are_equally_frequent(few):
    parts = [load_dataset("scenes", split) for split in ("train", "validation", "test")]
    assert [len(part) for part in parts] == [16, 8, 8]
    assert parts[0].labels.bincount().tolist() == [2] * len(SHAPES) and parts[0].class_names == tuple(SHAPES)
    assert len({image.numpy().tobytes() for part in parts for image in part.images}) == 32


def test_a_limit_gives_the_first_pictures_and_renders_no_others(few):
    part = load_dataset("scenes", "test", limit=3)
    assert not list(few.iterdir())
    assert torch.equal(part.images, load_dataset("scenes", "test").images[:3])
    assert torch.equal(part.images, load_dataset("scenes", "test", limit=3).images), "also from the cache"


def test_what_is_kept_is_what_was_rendered(few):
    rendered = load_dataset("scenes", "test")
    dataset._whole.cache_clear()
    assert len(list(few.iterdir())) == 1
    assert load_dataset("scenes", "test").fingerprint() == rendered.fingerprint()


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 cut"])
def test_a_damaged_cache_is_made_again(few, content):
    whole = load_dataset("scenes", "test").fingerprint()
    (path,) = few.iterdir()
    path.write_bytes(content)
    dataset._whole.cache_clear()
    assert load_dataset("scenes", "test").fingerprint() == whole
    with np.load(path) as file:
        assert file["images"].shape == (8, 3, 12, 12)


def test_a_folder_that_cannot_be_written_only_costs_time(few, monkeypatch):
    (few / "file").write_text("")
    monkeypatch.setenv(CACHE_VARIABLE, str(few / "file"))
    assert len(load_dataset("scenes", "test")) == 8
