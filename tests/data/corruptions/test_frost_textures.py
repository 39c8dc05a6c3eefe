"""Textures of frost: made by the code, or the user's photographs."""

import pytest
import torch
from PIL import Image

from explorer.data.corruptions import corrupt
from explorer.data.corruptions.frost_textures import FROST_VARIABLE, frost_textures, is_made
from explorer.errors import InvalidInput
from explorer.randomness import Streams


def test_made_textures_are_bright_bluish_and_varied():
    textures = frost_textures((32, 32))
    assert textures.shape[:2] == (5, 3) and min(textures.shape[2:]) >= 32 and is_made()
    assert 0.3 < textures.mean() < 0.8 and (textures[:, 2] >= textures[:, 0]).all() and textures.std() > 0.1
    assert not textures[0].equal(textures[1]) and textures.equal(frost_textures((32, 32)))


def test_photographs_are_taken_where_they_are_named(monkeypatch, tmp_path):
    for index in range(2):
        Image.new("RGB", (300, 200), (200, 10 * index, 0)).save(tmp_path / f"{index}.png")
    monkeypatch.setenv(FROST_VARIABLE, str(tmp_path))
    corrupted = corrupt(torch.zeros(1, 3, 32, 32), "frost", 5, Streams(0, [0]))
    assert not is_made() and corrupted[0, 0].unique().tolist() == pytest.approx([int(0.45 * 200) / 255])


def test_a_folder_without_photographs_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv(FROST_VARIABLE, str(tmp_path))
    with pytest.raises(InvalidInput, match="photographs of frost"):
        frost_textures((32, 32))


def test_a_broken_photograph_is_named(monkeypatch, tmp_path):
    (tmp_path / "ice.png").write_bytes(b"\x89PNG nothing more")
    monkeypatch.setenv(FROST_VARIABLE, str(tmp_path))
    with pytest.raises(InvalidInput, match=r"ice\.png cannot be read"):
        frost_textures((16, 16))
