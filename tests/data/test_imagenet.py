"""ImageNet's layouts, from folders made here: four classes stand for a thousand."""

import json

import pytest
import torch
from PIL import Image

from explorer.data import folders, imagenet
from explorer.errors import DataNotFound, InvalidInput, UnknownName
from explorer.evaluation.corruption_error import error_on_renditions

WNIDS = ("n01440764", "n01443537", "n02084071", "n04008634")


def picture(path, shade, size=(40, 30)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade, 0, 0)).save(path)


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(imagenet, "CLASSES", 4)
    monkeypatch.setattr(imagenet, "RENDITIONS", 2)
    for number, wnid in enumerate(WNIDS):
        picture(tmp_path / "imagenet" / "val" / wnid / f"ILSVRC2012_val_{number}.JPEG", 50 * number)
        picture(tmp_path / "ImageNet-C" / "fog" / "3" / wnid / "a.JPEG", 50 * number, (24, 24))
    for wnid in WNIDS[1::2]:
        picture(tmp_path / "imagenet-r" / wnid / "art_0.jpg", 9)
    return tmp_path


def test_classes_are_numbered_in_the_sorted_order_of_their_folders(root):
    images = imagenet.open_imagenet("test", root, size=16)
    assert images.labels.tolist() == [0, 1, 2, 3] and images.class_names == WNIDS
    read = images[:]
    assert read.images.shape == (4, 3, 16, 16)
    assert (read.images[:, 0].mean((1, 2)) * 255 - torch.tensor([0.0, 50, 100, 150])).abs().max() < 3


def test_only_the_pictures_asked_for_are_read(root):
    images = imagenet.open_imagenet("test", root, size=16)
    images.paths[0].write_bytes(b"no picture")
    assert images[torch.tensor([2, 1])].labels.tolist() == [2, 1]
    with pytest.raises(InvalidInput, match="val_0.JPEG cannot be read"):
        images[[0]]


def test_the_middle_is_cut_out(root):
    """Of 40 × 32 pixels a crop keeps the middle 28 each way: the left and right edges are not in it."""
    path = root / "wide.png"
    wide = Image.new("RGB", (40, 32), (0, 0, 255))
    wide.paste((255, 255, 0), (5, 0, 35, 32))
    wide.save(path)
    cut = folders.middle(folders.opened(path), 28, 0.875)
    assert cut[2].max() == 0 and cut[0].min() == 1
    assert folders.middle(folders.opened(path), 32, 1.0).shape == (3, 32, 32)


def test_renditions_are_judged_among_their_own_classes(root):
    def classifier(images):
        """Class 0, which has no renditions, before 1 and the others."""
        return torch.tensor([3.0, 2.0, 1.0, 0.0]).expand(len(images), -1)

    assert error_on_renditions(classifier, "imagenet", torch.device("cpu"), root, batch_size=1) == 0.5
    assert error_on_renditions(classifier, "imagenet", torch.device("cpu"), root, limit=1) == 0
    assert error_on_renditions(classifier, "cifar10", torch.device("cpu"), root) is None
    assert error_on_renditions(classifier, "imagenet", torch.device("cpu"), root / "imagenet") is None


def test_a_corruption_s_pictures_are_kept_whole(root):
    images = imagenet.open_imagenet_c("fog", 3, root, size=16)
    assert images.kept == 1.0 and images.labels.tolist() == [0, 1, 2, 3]
    with pytest.raises(DataNotFound, match="ImageNet-C/fog/4"):
        imagenet.open_imagenet_c("fog", 4, root)
    with pytest.raises(UnknownName, match="Did you mean 'fog'"):
        imagenet.open_imagenet_c("fogg", 3, root)
    with pytest.raises(InvalidInput, match="severity must be"):
        imagenet.open_imagenet_c("fog", 6, root)


def test_renditions_keep_the_numbers_of_all_classes(root):
    images = imagenet.open_imagenet_r(root, size=16)
    assert images.labels.tolist() == [1, 3]
    assert imagenet.rendition_mask(images).tolist() == [False, True, False, True]


def test_numbered_folders_mean_numbers_and_not_their_sorted_places(root, monkeypatch):
    monkeypatch.setattr(imagenet, "CLASSES", 12)
    for number in range(12):
        picture(root / "ImageNet-v2" / str(number) / "x.jpeg", 20 * number)
    images = imagenet.open_imagenet_v2(root, size=16)
    assert images.labels.tolist() == list(range(12))
    shades = images[:].images[:, 0].mean((1, 2)) * 255
    assert (shades - 20 * images.labels).abs().max() < 3


def test_a_number_that_is_no_class_is_refused(root):
    for number in (0, 1, 2, 4):
        picture(root / "ImageNet-v2" / str(number) / "x.jpeg", 0)
    with pytest.raises(InvalidInput, match="among them '4'"):
        imagenet.open_imagenet_v2(root)


def test_a_supplied_index_gives_order_and_names(root):
    entries = {str(number): [wnid, f"thing {number}"] for number, wnid in enumerate(WNIDS)}
    (root / imagenet.CLASS_INDEX).write_text(json.dumps(entries))
    assert imagenet.class_titles(root) == ("thing 0", "thing 1", "thing 2", "thing 3")
    entries["0"], entries["1"] = entries["1"], entries["0"]
    (root / imagenet.CLASS_INDEX).write_text(json.dumps(entries))
    with pytest.raises(InvalidInput, match="sorted order"):
        imagenet.class_index(root)


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', '{"0": "n01440764"}'])
def test_a_damaged_index_is_refused(root, content):
    (root / imagenet.CLASS_INDEX).write_text(content)
    with pytest.raises(InvalidInput, match="class"):
        imagenet.class_index(root)


def test_odd_files_empty_and_unknown_folders_are_named(root):
    folder = root / "imagenet" / "val"
    (folder / WNIDS[0] / "notes.txt").write_text("")
    with pytest.raises(InvalidInput, match="'notes.txt', which is no picture"):
        imagenet.open_imagenet("test", root)
    (folder / WNIDS[0] / "notes.txt").unlink()
    (root / "imagenet-r" / "somewhere").mkdir()
    with pytest.raises(InvalidInput, match="'somewhere' is no class"):
        imagenet.open_imagenet_r(root)
    (folder / WNIDS[0] / "ILSVRC2012_val_0.JPEG").unlink()
    with pytest.raises(InvalidInput, match="holds no picture"):
        imagenet.open_imagenet("test", root)


def test_missing_folders_say_where_they_were_looked_for(tmp_path):
    with pytest.raises(DataNotFound, match="imagenet/train.*EXPLORER_DATA"):
        imagenet.open_imagenet("train", tmp_path)
    with pytest.raises(InvalidInput, match="'train' and 'test'"):
        imagenet.open_imagenet("validation", tmp_path)


def test_without_an_order_of_classes_nothing_is_guessed(tmp_path):
    picture(tmp_path / "imagenet-r" / WNIDS[0] / "a.jpg", 0)
    with pytest.raises(DataNotFound, match="class order"):
        imagenet.open_imagenet_r(tmp_path)
