"""A user's pictures in pairs: folders, CSVs, zips, and everything that can be wrong with them."""

import io
import stat
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.data import PairSource, own_archive, pair_kind
from explorer.data.own_archive import unpack
from explorer.data.own_pairs import load_own_pairs, own_split
from explorer.errors import ConfigurationError, DataNotFound, InvalidInput
from tests.own_pictures import write_scenes


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_scenes(tmp_path_factory.mktemp("own") / "mine")


def problems(place) -> str:
    return "\n".join(pair_kind("own").problems(str(place)))


def test_a_folder_is_scenes_with_their_pairs_by_type(folder):
    whole = load_own_pairs(folder)
    assert isinstance(whole, PairSource) and whole.type_names == ("blur", "bright", "dark") and len(whole) == 18
    batch = whole.fixed(range(6))
    assert batch.scenes.tolist() == list(range(6)), "the first pairs cover all scenes"
    picture = torch.from_numpy(np.array(Image.open(folder / "scene-02" / "blur.png"))).permute(2, 0, 1) / 255
    assert torch.allclose(batch.perturbed[2], picture)


def test_the_splits_share_no_scene_and_lose_none(folder):
    names = [set(own_split(load_own_pairs(folder), split).scene_names) for split in ("train", "validation", "test")]
    assert sum(map(len, names)) == len(set.union(*names)) == 6 and all(names)


def test_a_drawn_pair_is_of_its_scene_and_every_one_is_drawn(folder):
    part = own_split(load_own_pairs(folder), "train")
    scenes = torch.arange(4).repeat(30)
    batch = part.drawn(scenes, torch.rand(120, 1, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(batch.scenes, scenes) and torch.equal(batch.reference, part.images.images[scenes])
    assert {(scene, type) for scene, type in zip(batch.scenes.tolist(), batch.types.tolist())} == {(scene, type) for scene in range(4) for type in range(3)}


def test_the_pairs_of_a_foreign_picture_say_whose_they_are(folder):
    whole = load_own_pairs(folder)
    assert whole.shown(whole.images.images[1:2], 1)[1] == ("blur", "bright", "dark")
    assert whole.shown(torch.rand(1, 3, 12, 16), 99)[1][0] == "blur, of scene scene-03"


def test_a_csv_names_pairs_and_types(folder):
    rows = [f"scene-{scene:02}/reference.png,scene-{scene:02}/{name}.png,light" for scene in range(6) for name in ("bright", "dark")]
    (folder / "pairs.csv").write_text("reference,perturbed,type\n" + "\n".join(rows) + "\n")
    whole = load_own_pairs(folder / "pairs.csv")
    assert len(whole) == 12 and whole.type_names == ("light",)


def test_numbered_files_are_of_one_type(tmp_path):
    write_scenes(tmp_path / "a", done=("blur",))
    for scene in (tmp_path / "a").iterdir():
        (scene / "blur.png").rename(scene / "fog_01.png")
        Image.open(scene / "fog_01.png").save(scene / "fog_02.png")
    assert load_own_pairs(tmp_path / "a").type_names == ("fog",)


def test_everything_that_is_wrong_is_said_at_once(tmp_path):
    write_scenes(tmp_path / "a")
    (tmp_path / "a" / "scene-00" / "blur.png").unlink()
    (tmp_path / "a" / "scene-00" / "bright.png").unlink()
    (tmp_path / "a" / "scene-00" / "dark.png").unlink()
    (tmp_path / "a" / "scene-01" / "clean.png").write_bytes((tmp_path / "a" / "scene-01" / "blur.png").read_bytes())
    found = problems(tmp_path / "a")
    assert "scene-00: one picture, expected a reference and at least one perturbed" in found and "scene-01: clean.png and reference.png are both named" in found


def test_pictures_of_another_size_and_broken_ones_are_named(tmp_path):
    write_scenes(tmp_path / "a")
    Image.new("RGB", (16, 13)).save(tmp_path / "a" / "scene-03" / "dark.png")
    assert "scene-03/dark.png: 16×13 pixels, most others 16×12" in problems(tmp_path / "a")
    (tmp_path / "a" / "scene-03" / "dark.png").write_bytes(b"no picture")
    assert "scene-03/dark.png: not a picture that can be read" in problems(tmp_path / "a")


def test_a_csv_says_which_line_misses_what(tmp_path):
    write_scenes(tmp_path / "a")
    (tmp_path / "a" / "x.csv").write_text("reference,perturbed,type\nscene-00/reference.png,scene-00/gone.png,blur\nscene-01/reference.png,,blur\n")
    found = problems(tmp_path / "a" / "x.csv")
    assert "line 2: there is no file gone.png" in found and "line 3: no perturbed" in found
    (tmp_path / "a" / "x.csv").write_text("clean,other\n")
    assert "no column reference and no column perturbed" in problems(tmp_path / "a" / "x.csv")


def test_sixteen_bits_and_cmyk_are_converted_and_said(tmp_path):
    write_scenes(tmp_path / "a", mode="L", done=("blur", "dark"))
    Image.fromarray(np.full((12, 16), 65535, np.uint16)).save(tmp_path / "a" / "scene-00" / "blur.png")
    whole = load_own_pairs(tmp_path / "a")
    assert whole.images.images.shape == (6, 1, 12, 16) and whole.fixed([0]).perturbed.max() == 1 and "16 bits" in whole.notes[0]
    Image.new("CMYK", (16, 12)).save(tmp_path / "a" / "scene-00" / "blur.png", format="TIFF")
    colour = load_own_pairs(tmp_path / "a")
    assert colour.images.images.shape == (6, 3, 12, 16) and "CMYK" in colour.notes[0] and "grey among colour" in colour.notes[1]


def test_a_type_with_a_single_example_is_said(tmp_path):
    write_scenes(tmp_path / "a", done=("blur",))
    Image.open(tmp_path / "a" / "scene-00" / "blur.png").save(tmp_path / "a" / "scene-00" / "odd.png")
    assert any("a single example" in note and "odd" in note for note in load_own_pairs(tmp_path / "a").notes)


def test_too_few_scenes_cannot_be_split(tmp_path):
    assert "4 scenes: too few to be split" in problems(write_scenes(tmp_path / "a", scenes=4))


def test_a_folder_that_is_not_there_or_empty_says_what_is_expected(tmp_path):
    with pytest.raises(DataNotFound, match="Expected a folder with a folder of pictures"):
        load_own_pairs(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="holds no scenes"):
        load_own_pairs(tmp_path)


def packed(entries: dict[str, bytes], **options) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_zip_unpacks_to_the_same_pairs(folder, tmp_path):
    entries = {f"wrapped/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*.png")}
    place = unpack(packed({**entries, "wrapped/notes.txt": b"left out", "__MACOSX/x.png": b""}), tmp_path / "out")
    assert torch.equal(load_own_pairs(place).fixed(range(18)).perturbed, load_own_pairs(folder).fixed(range(18)).perturbed)
    assert not list(tmp_path.rglob("*.txt")) and not list(tmp_path.rglob("__MACOSX"))


@pytest.mark.parametrize("name", ["../out.png", "/etc/out.png", "a/../../out.png", "C:\\out.png", "..\\out.png"])
def test_a_zip_that_climbs_out_of_its_folder_is_refused_whole(name, tmp_path):
    with pytest.raises(InvalidInput, match="climbs out"):
        unpack(packed({"a/b.png": b"1", name: b"2"}), tmp_path / "in" / "out")
    assert not list(tmp_path.rglob("*.png"))


def test_bombs_links_and_what_is_no_zip_are_refused(tmp_path, monkeypatch):
    with pytest.raises(InvalidInput, match="would unpack to"):
        unpack(packed({"a/b.png": bytes(3_000_000)}), tmp_path / "out")
    link = zipfile.ZipInfo("a/b.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(InvalidInput, match="is a link"):
        unpack(packed({link: b"/etc/passwd"}), tmp_path / "out")
    with pytest.raises(InvalidInput, match="not a zip"):
        unpack(b"PK nothing", tmp_path / "out")
    with pytest.raises(InvalidInput, match="holds no pictures"):
        unpack(packed({"a.txt": b"1"}), tmp_path / "out")
    monkeypatch.setattr(own_archive, "MAXIMUM_FILES", 1)
    with pytest.raises(InvalidInput, match="2 files"):
        unpack(packed({"a.png": b"1", "b.png": b"1"}), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_bytes_are_counted_as_they_come_whatever_the_zip_says(tmp_path, monkeypatch):
    content = packed({"a/b.png": bytes(range(256)) * 40})
    monkeypatch.setattr(own_archive, "_check", lambda *arguments: None)
    monkeypatch.setattr(own_archive, "MAXIMUM_BYTES", 5000)
    with pytest.raises(InvalidInput, match="whatever it says"):
        unpack(content, tmp_path / "out")
    assert not list(tmp_path.iterdir())
