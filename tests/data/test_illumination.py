import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.data import illumination
from explorer.data.illumination import LIGHTS, PALETTE, PUBLISHED_MATERIALS, UNKNOWN, SceneFolders, open_scenes, split_of
from explorer.data.scenes import MATERIALS, lit_scenes
from explorer.errors import DataNotFound, InvalidInput
from tests.lit_folders import HEIGHT, LEVEL, WIDTH, write_scene

REAL = Path(os.environ.get("EXPLORER_DATA", "nowhere")) / illumination.FOLDER


@pytest.fixture
def folder(tmp_path):
    for name in ("everett_kitchen1", "main_drylab3", "elm_bath2", "elm_bath1"):
        write_scene(tmp_path, name)
    return tmp_path


def test_splits_are_of_different_scenes(folder):
    names = [open_scenes(split, LEVEL, folder).names for split in ("train", "validation", "test")]
    assert names == [("elm_bath1", "elm_bath2"), ("main_drylab3",), ("everett_kitchen1",)]
    assert split_of("main_admin1") == "train"


def test_pictures_are_those_of_the_lights_asked_for(folder):
    scenes = open_scenes("train", LEVEL, folder)
    pictures = scenes.pictures([1, 0, 1], [3, 20, 24])
    assert pictures.shape == (3, *scenes.image_shape) == (3, 3, 31, 46)
    assert pictures.mean((1, 2, 3)).mul(255).round().tolist() == [24, 160, 192]


def test_materials_are_the_nearest_of_another_level_and_all_unknown_ones_are_one_class(folder):
    scenes = open_scenes("test", LEVEL, folder)
    with Image.open(folder / illumination.FOLDER / "everett_kitchen1" / f"materials_mip{LEVEL - 1}.png") as picture:
        indices = np.asarray(picture.resize((WIDTH, HEIGHT), Image.Resampling.NEAREST))
    named = [PUBLISHED_MATERIALS[number] for number in scenes.materials([0])[0].flatten()]
    assert named == ["Other" if PALETTE[index] in UNKNOWN else PALETTE[index] for index in indices.flatten()]


def test_there_are_35_known_materials_and_all_else():
    assert len(PALETTE) == 41 and len(PUBLISHED_MATERIALS) == 36 and PUBLISHED_MATERIALS[-1] == "Other"
    assert list(PUBLISHED_MATERIALS[:-1]) == sorted(PUBLISHED_MATERIALS[:-1])


def test_where_there_is_nothing_it_says_what_was_looked_for(tmp_path):
    with pytest.raises(DataNotFound, match="dir_0_mip5.jpg"):
        open_scenes("test", 5, tmp_path)


def test_a_level_that_is_not_there_is_answered_with_those_that_are(folder):
    with pytest.raises(DataNotFound, match=r"no scene of the test split at level 5.*at level 7"):
        open_scenes("test", 5, folder)


def test_every_scene_that_lacks_pictures_is_named(tmp_path):
    write_scene(tmp_path, "elm_a", lights=range(24))
    write_scene(tmp_path, "elm_b", lights=[0])
    with pytest.raises(InvalidInput, match=r"(?s)elm_a: 1 of 25.*dir_24_mip7.*elm_b: 24 of 25"):
        open_scenes("train", LEVEL, tmp_path)


def test_a_picture_of_another_size_is_refused(tmp_path):
    write_scene(tmp_path, "elm_a", size=(WIDTH + 1, HEIGHT))
    with pytest.raises(InvalidInput, match="47×31 pixels: expected 46×31"):
        open_scenes("train", LEVEL, tmp_path).pictures([0], [0])


def test_a_damaged_picture_is_refused(folder):
    path = folder / illumination.FOLDER / "elm_bath1" / f"dir_5_mip{LEVEL}.jpg"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InvalidInput, match="cannot be read as a picture"):
        open_scenes("train", LEVEL, folder).pictures([0], [5])


def test_a_grey_picture_and_a_map_without_a_palette_are_refused(folder):
    scenes, own = open_scenes("test", LEVEL, folder), folder / illumination.FOLDER / "everett_kitchen1"
    Image.new("L", (WIDTH, HEIGHT)).save(own / f"dir_0_mip{LEVEL}.jpg")
    Image.new("L", (WIDTH, HEIGHT)).save(own / f"materials_mip{LEVEL}.png")
    with pytest.raises(InvalidInput, match="of mode L: expected RGB"):
        scenes.pictures([0], [0])
    with pytest.raises(InvalidInput, match="expected P, a palette of materials"):
        scenes.materials([0])


def test_a_scene_without_materials_says_which_file_it_lacks(folder):
    (folder / illumination.FOLDER / "everett_kitchen1" / f"materials_mip{LEVEL - 1}.png").unlink()
    with pytest.raises(DataNotFound, match=f"materials_mip{LEVEL}.png"):
        open_scenes("test", LEVEL, folder).materials([0])


def test_rendered_scenes_are_the_same_kind_of_object():
    scenes = lit_scenes("test", 2)
    pictures = scenes.pictures([0, 0, 1], [3, 4, 3])
    assert pictures.shape == (3, *scenes.image_shape) and scenes.material_names == MATERIALS
    assert torch.equal(scenes.pictures([1], [3])[0], pictures[2]) and not torch.equal(pictures[0], pictures[1])
    assert scenes.materials([1, 0]).shape == (2, 64, 64) and scenes.materials([0]).max() < len(MATERIALS)


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the one published scene, in EXPLORER_DATA")
def test_a_published_scene_opens():
    scenes = open_scenes("test", 6, REAL.parent)
    assert isinstance(scenes, SceneFolders) and scenes.names == ("everett_kitchen2",)
    pictures = scenes.pictures([0] * LIGHTS, range(LIGHTS))
    assert pictures.shape == (LIGHTS, 3, 62, 93) and pictures.std(0).mean() > 0.05, "lights differ"
    common = scenes.materials([0]).flatten().bincount(minlength=36)
    assert PUBLISHED_MATERIALS[int(common.argmax())] == "Painted"
