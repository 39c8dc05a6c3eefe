import re

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from explorer.errors import CheckpointError, InvalidInput, OutputError, UnknownName
from explorer.papers.learned_sets import open_learned_set
from explorer.storage import RUNS_VARIABLE
from explorer.ui import library
from explorer.ui.components import plain
from explorer.ui.library import check_folder, checkpoint_path, find_checkpoints, forget_upload, keep_upload


@pytest.fixture(autouse=True)
def uploads(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "UPLOADS", tmp_path / "uploads")
    monkeypatch.delenv(library.VARIABLE, raising=False)
    return tmp_path / "uploads"


def usable(path):
    return open_learned_set(path).directions


@pytest.fixture
def shipped():
    return library.SHIPPED / "learned_sets" / "digits-rts.safetensors"


def test_shipped_checkpoints_are_found_and_open():
    found = {each.key: each for each in find_checkpoints()}
    assert found["digits-rts"].header.kind == "learned_set" and found["digits-rts"].origin == "shipped"


def test_a_users_folder_is_searched(tmp_path, shipped):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "copy.safetensors").write_bytes(shipped.read_bytes())
    assert checkpoint_path("mine/copy", (str(tmp_path / "mine"),)) == tmp_path / "mine" / "copy.safetensors"


def test_what_the_training_command_has_finished_is_there_once_also_where_its_folder_is_given(tmp_path, shipped, monkeypatch):
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    place = tmp_path / "digits-rts"
    place.mkdir()
    for name in ("best", "last", "digits-rts"):
        (place / f"{name}.safetensors").write_bytes(shipped.read_bytes())
    assert [each.origin for each in find_checkpoints() if each.path.parent == place] == ["trained here"]
    found = [each.key for each in find_checkpoints((str(tmp_path),)) if each.path.stem == "digits-rts" and each.path.parent == place]
    assert found == ["trained/digits-rts"] and checkpoint_path("trained/digits-rts") == place / "digits-rts.safetensors"


def test_a_broken_file_is_listed_with_its_problem(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "bad.safetensors").write_text("no")
    (bad,) = (each for each in find_checkpoints((str(tmp_path / "mine"),)) if each.key == "mine/bad")
    assert bad.header is None and "not a safetensors file" in bad.problem


def test_an_upload_is_checked_and_kept(shipped):
    key = keep_upload("my set.safetensors", shipped.read_bytes(), usable)
    assert checkpoint_path(key).read_bytes() == shipped.read_bytes()


def test_a_broken_upload_is_refused_by_its_own_name_and_leaves_nothing(uploads, shipped):
    with pytest.raises(CheckpointError, match="cut.safetensors is truncated"):
        keep_upload("cut.safetensors", shipped.read_bytes()[:-100], usable)
    assert not list(uploads.iterdir())


def test_an_upload_of_another_shape_is_refused(tmp_path, shipped):
    with safe_open(shipped, "pt") as file:
        metadata = file.metadata()
    tensors = load_file(shipped)
    tensors["generator.merge.bias"] = tensors["generator.merge.bias"].repeat(2)
    save_file(tensors, tmp_path / "odd.safetensors", metadata)
    with pytest.raises(CheckpointError, match=r"generator.merge.bias has shape \(2,\), expected \(1,\)"):
        keep_upload("odd.safetensors", (tmp_path / "odd.safetensors").read_bytes(), usable)


def test_a_large_upload_is_refused(monkeypatch):
    monkeypatch.setattr(library, "MAXIMUM_UPLOAD_MB", 0)
    with pytest.raises(InvalidInput, match="At most 0 MB"):
        keep_upload("big.safetensors", b"12345678", usable)


def test_an_upload_cannot_choose_its_folder(uploads, shipped):
    keep_upload("../../outside.safetensors", shipped.read_bytes(), usable)
    assert all(path.parent == uploads for path in uploads.rglob("*"))


def test_an_upload_whose_weights_are_unusable_is_refused(tmp_path, shipped, uploads):
    with safe_open(shipped, "pt") as file:
        metadata = file.metadata()
    tensors = {name: value.float() if value.is_floating_point() else value for name, value in load_file(shipped).items()}
    tensors["prior.mean.weight"] = torch.full_like(tensors["prior.mean.weight"], 3e38)
    save_file(tensors, tmp_path / "wild.safetensors", metadata)
    with pytest.raises(CheckpointError, match="wild.safetensors encodes real pairs as values that are not finite"):
        keep_upload("wild.safetensors", (tmp_path / "wild.safetensors").read_bytes(), usable)
    assert not list(uploads.iterdir())


def test_an_unwritable_upload_folder_is_one_message(monkeypatch, tmp_path, shipped):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(library, "UPLOADS", tmp_path / "file" / "uploads")
    with pytest.raises(OutputError, match="could not be written"):
        keep_upload("set.safetensors", shipped.read_bytes(), usable)


def test_an_upload_can_be_forgotten(shipped):
    key = keep_upload("my set.safetensors", shipped.read_bytes(), usable)
    forget_upload(key)
    assert key not in {each.key for each in find_checkpoints()}


def test_forgetting_deletes_nothing_outside_the_uploads(tmp_path, shipped):
    (tmp_path / "precious.safetensors").write_bytes(shipped.read_bytes())
    forget_upload("upload/../precious")
    assert (tmp_path / "precious.safetensors").exists()


def test_equal_names_in_different_folders_are_all_found(tmp_path, shipped):
    for training in ("a", "b"):
        (tmp_path / "runs" / training).mkdir(parents=True)
        (tmp_path / "runs" / training / "best.safetensors").write_bytes(shipped.read_bytes())
    (tmp_path / "other" / "runs").mkdir(parents=True)
    (tmp_path / "other" / "runs" / "best.safetensors").write_bytes(shipped.read_bytes())
    keys = {each.key for each in find_checkpoints((str(tmp_path / "runs"), str(tmp_path / "other" / "runs")))}
    assert {"runs/a/best", "runs/b/best", "runs-2/best"} <= keys


def test_an_unknown_checkpoint_is_answered_with_the_nearest_one():
    with pytest.raises(UnknownName, match="Did you mean 'digits-rts'"):
        checkpoint_path("digit-rts")


def test_a_folder_that_does_not_exist_is_refused():
    with pytest.raises(InvalidInput, match="not a folder"):
        check_folder("/nowhere/at/all")


@pytest.mark.parametrize("text", ["![x](http://example.org/a.png)", "[link](http://example.org)", "**bold** <b>", ":red[a] $x$", "# title"])
def test_text_from_outside_has_no_effect_as_markdown(text):


    assert not re.search(r"(?<!\\)([*\[\]()<>#$]|:(?=\w))", plain(text))
