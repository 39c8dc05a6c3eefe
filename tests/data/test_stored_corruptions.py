"""Pairs of CIFAR-10 and corruptions of it that lie in files, from files made here."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from explorer.data import IN_DISTRIBUTION, OUT_OF_DISTRIBUTION, PairSource, load_dataset, open_pairs, pair_kind
from explorer.data.ahead import made_ahead
from explorer.errors import DataNotFound, InvalidInput
from explorer.papers.learned_sets import EXPERIMENTS
from explorer.papers.learned_sets.config import problems
from tests.published_files import write_published

KINDS = ("stored-corruptions", "stored-corruptions-original", "stored-corruptions-perturbed", "stored-corruptions-others")
ROWS = {"train": 50, "test": 10}


@pytest.fixture
def root(tmp_path):
    """CIFAR-10 of 50 + 10 images; the bytes of a corruption tell its number and the row."""
    write_published(tmp_path)
    for split, count in ROWS.items():
        (tmp_path / f"cifar-10-c-{split}").mkdir()
        for number, name in enumerate(IN_DISTRIBUTION + OUT_OF_DISTRIBUTION):
            pixels = np.zeros((count, 32, 32, 3), np.uint8)
            pixels[..., 0], pixels[..., 1] = number, np.arange(count)[:, None, None]
            np.save(tmp_path / f"cifar-10-c-{split}" / f"{name}_5.npy", pixels)
    return tmp_path


def told(images) -> list[tuple[int, int]]:
    """The number and row of each."""
    return [tuple((255 * image[:2, 0, 0]).round().int().tolist()) for image in images]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_pair_is_of_one_image_and_of_its_type(kind, split, root):
    source = open_pairs(kind, "cifar10", split, root)
    batch, data = source.fixed(range(len(source))), load_dataset("cifar10", split, root)
    assert isinstance(source, PairSource) and torch.equal(source.images.images, data.images)
    numbers = {name: number for number, name in enumerate(IN_DISTRIBUTION + OUT_OF_DISTRIBUTION)}
    whole = {image.numpy().tobytes(): row for row, image in enumerate(load_dataset("cifar10", "test", root).images)} if split == "test" else None
    for perturbed, scene, number in zip(batch.perturbed, batch.scenes.tolist(), batch.types.tolist()):
        if (name := source.type_names[number]) == "original":
            assert torch.equal(perturbed, data.images[scene])
            continue
        of, row = told([perturbed])[0]
        assert of == numbers[name] and row == source.rows[scene]
        assert whole is None or whole[data.images[scene].numpy().tobytes()] == row


def test_training_and_validation_share_no_row(root):
    train, held = (set(told(open_pairs("stored-corruptions", "cifar10", split, root).fixed(range(5)).perturbed)) for split in ("train", "validation"))
    rows = [open_pairs("stored-corruptions", "cifar10", split, root).rows.tolist() for split in ("train", "validation")]
    assert not train & held and sorted(rows[0] + rows[1]) == list(range(50))


@pytest.mark.parametrize("kind", KINDS)
def test_a_reference_is_the_clean_image_or_of_another_type(kind, root):
    source = open_pairs(kind, "cifar10", "train", root)
    scenes = torch.arange(40) % len(source.images)
    batch = source.drawn(scenes, torch.rand(40, source.draws, generator=torch.Generator().manual_seed(0)))
    clean = source.images.images[scenes]
    same = (batch.reference == clean).flatten(1).all(1)
    assert same.all() if kind in (KINDS[0], KINDS[3]) else not same.all()
    assert not (batch.reference == batch.perturbed).flatten(1).all(1).any()
    if kind == KINDS[2]:
        rows = source.rows[scenes].tolist()
        assert not same.any() and [row for _, row in told(batch.reference)] == rows


def test_other_processes_read_the_same(root):
    source = open_pairs("stored-corruptions", "cifar10", "train", root)
    here, there = ([each.perturbed for each in made_ahead(source.fixed, [range(4), range(4, 9)], workers)] for workers in (0, 1))
    assert source.costly and all(torch.equal(one, other) for one, other in zip(here, there))


def test_the_stored_corruptions_of_an_image_are_shown(root):
    source = open_pairs("stored-corruptions-original", "cifar10", "test", root)
    batch, names = source.shown(source.images.images[3:4], 3)
    assert names[0] == "original" and torch.equal(batch.perturbed[0], source.images.images[3])
    assert told(batch.perturbed[1:]) == [(number, 3) for number in range(12)]
    other, _ = source.shown(torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)), 3)
    assert not set(told(other.perturbed[1:])) & set(told(batch.perturbed[1:]))


def test_the_published_test_files_serve_too(root):
    for path in (root / "cifar-10-c-test").iterdir():
        path.unlink()
    with pytest.raises(DataNotFound, match="neither .*defocus_blur_5.npy nor .*CIFAR-10-C"):
        open_pairs("stored-corruptions", "cifar10", "test", root)
    (root / "CIFAR-10-C").mkdir()
    for number, name in enumerate(IN_DISTRIBUTION):
        pixels = np.full((50, 32, 32, 3), 200, np.uint8)
        pixels[40:, ..., 0], pixels[40:, ..., 1] = number, np.arange(10)[:, None, None]
        np.save(root / "CIFAR-10-C" / f"{name}.npy", pixels)
    source = open_pairs("stored-corruptions", "cifar10", "test", root, limit=4)
    assert len(source) == 48 and told(source.fixed(range(48)).perturbed)[:4] == [(0, 0), (1, 1), (2, 2), (3, 3)]


def test_other_files_have_another_fingerprint(root):
    before, images = open_pairs("stored-corruptions", "cifar10", "test", root).fingerprint(), load_dataset("cifar10", "test", root).fingerprint()
    np.save(root / "cifar-10-c-test" / "snow_5.npy", np.full((10, 32, 32, 3), 7, np.uint8))
    assert len({before, images, open_pairs("stored-corruptions", "cifar10", "test", root).fingerprint()}) == 3


def test_without_files_others_are_made_to_be_shown(root):
    (root / "cifar-10-c-test" / "fog_5.npy").unlink()
    source, data, note = pair_kind("stored-corruptions").at_hand("cifar10", root)
    assert note is None and data.name == "cifar10" and torch.equal(source.images.images, load_dataset("cifar10", "test", root).images)
    source, data, note = pair_kind("stored-corruptions").at_hand("cifar10", root / "nowhere")
    assert data.name == "scenes" and "stands in" in note


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((48, 32, 32, 3), np.uint8), "48 images, of which 44 would be those of the split 'train'"),
        (np.zeros((60, 32, 32, 3), np.uint8), "a row for each published image"),
        (np.zeros((50, 32, 32, 3), np.float32), "holds float32"),
        (np.zeros((50, 3, 32, 32), np.uint8), "expected bytes of n × 32 × 32 × 3"),
    ],
)
def test_files_of_other_images_are_refused(array, said, root):
    np.save(root / "cifar-10-c-train" / "snow_5.npy", array)
    with pytest.raises(InvalidInput, match=said):
        open_pairs("stored-corruptions", "cifar10", "train", root)


def test_they_are_of_cifar10_alone():
    config = EXPERIMENTS["cifar10c-centred"].config
    assert not problems(replace(config, pairs="stored-corruptions"))
    assert any("corruptions that lie in files" in each for each in problems(replace(config, pairs="stored-corruptions", dataset="scenes")))
    assert asdict(config)["pairs"] == "corruptions"
