from dataclasses import replace
import shutil

import numpy as np
import pytest
import torch

from explorer.checkpoints import describe, load, save
from explorer.papers.learned_sets import open_learned_set
from explorer.papers.learned_sets.searches import SearchSettings
from explorer.papers.trained import trained_path
from explorer.ui import cache
from explorer.ui.checkpoint_kinds import kind_of
from explorer.ui.library import SHIPPED


@pytest.fixture(scope="module")
def learned():
    return open_learned_set(SHIPPED / "learned_sets" / "digits-rts.safetensors")


def test_another_image_of_the_same_number_has_its_own_real_pairs(learned):
    images = learned.images.images
    one, two = (cache.real_pairs(learned, "a set", 0, images[n : n + 1]) for n in (0, 1))
    assert torch.equal(two.perturbed, learned.real_pairs(images[1:2], 0).perturbed) and not torch.equal(one.delta, two.delta)


def test_the_same_image_is_encoded_once(learned):
    image = learned.images.images[:1]
    assert cache.real_pairs(learned, "a set", 0, image) is cache.real_pairs(learned, "a set", 0, image.clone())


def test_another_target_is_another_search(learned):
    pairs, settings = learned.real_pairs(learned.images.images[:1], 0), SearchSettings(2.0, steps=2)
    one, two = (cache.found_member(learned, "a set", learned.clean(0), pairs.perturbed[n : n + 1], settings) for n in (0, 1))
    assert not torch.equal(one.distance, two.distance)


def test_another_version_of_a_checkpoint_is_opened_anew(tmp_path):
    path = tmp_path / "mine.safetensors"
    shutil.copy(SHIPPED / "learned_sets" / "digits-rts.safetensors", path)
    first = cache.learned_set(path)
    assert cache.learned_set(path) is first
    checkpoint = load(path)
    save(path, checkpoint.model, replace(checkpoint.header, radius=1.25))
    assert cache.learned_set(path).radius == 1.25


def test_another_version_of_a_checkpoint_has_another_strip(tmp_path):
    path = tmp_path / "mine.safetensors"
    shutil.copy(SHIPPED / "learned_sets" / "digits-rts.safetensors", path)
    first = cache.sample_strip(str(path), 1, 0, 3, 0)
    checkpoint = load(path)
    save(path, checkpoint.model, replace(checkpoint.header, radius=0.0))
    assert (cache.sample_strip(str(path), 2, 0, 3, 0) != first).any()


@pytest.mark.parametrize("name", ["robust-digits-rts-pairs", "robust-scenes-adversarial"])
def test_a_classifier_for_a_learned_set_is_shown_with_its_worst_members_and_opens_in_it(name):
    path = trained_path(name)
    kind = kind_of(describe(path))
    assert kind.page == "attack" and kind.query(describe(path), name) == {"model": name, "threat": "latent"}
    shown = kind.sheet(str(path), path.stat().st_mtime_ns, 0)
    half = len(shown) // 2
    above, below = shown[:half], shown[-half:]
    assert shown.ndim in (2, 3) and np.abs(above.astype(float) - below.astype(float)).mean() > 1


def test_without_its_learned_set_the_images_stand_alone(tmp_path, monkeypatch):
    path = tmp_path / "alone.safetensors"
    opened = load(trained_path("robust-digits-rts-pairs"))
    save(path, opened.model, replace(opened.header, training={**opened.header.training, "learned_set": "nowhere"}))
    whole, alone = (cache.worst_members_strip(str(each), each.stat().st_mtime_ns, 4, 0) for each in (trained_path("robust-digits-rts-pairs"), path))
    assert len(alone) < len(whole)
