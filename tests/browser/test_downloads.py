"""Files that leave the page can be read, and say how to make them again."""

import csv
import io
import json

import pytest
from PIL import Image

from tests.browser.driving import DIGITS

pytestmark = pytest.mark.browser


def png(content: bytes) -> dict:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return json.loads(picture.text["explorer"])


def gif(content: bytes) -> dict:
    film = Image.open(io.BytesIO(content))
    assert film.n_frames > 8
    return json.loads(film.info["comment"])


def table(content: bytes) -> dict:
    note, _, rows = content.decode().partition("\n")
    assert len(list(csv.DictReader(io.StringIO(rows)))) > 1
    return json.loads(note.removeprefix("# "))


@pytest.mark.parametrize(
    ("panel", "button", "read"),
    [
        pytest.param("Difference", "Member (PNG)", png, marks=pytest.mark.slow),
        ("Difference", "Point u (JSON)", json.loads),
        pytest.param("Difference", "Point u (CSV)", table, marks=pytest.mark.slow),
        pytest.param("Interpolation", "Film (GIF)", gif, marks=pytest.mark.slow),
        pytest.param("Random members", "Grid (PNG)", png, marks=pytest.mark.slow),
        pytest.param("Random members", "Members (CSV)", table, marks=pytest.mark.slow),
        ("Search", "Film (GIF)", gif),
        pytest.param("Search", "Distance by iterate (CSV)", table, marks=pytest.mark.slow),
        pytest.param("Transformations", "Paths (CSV)", table, marks=pytest.mark.slow),
        pytest.param("Compare", "Both sets (CSV)", table, marks=pytest.mark.slow),
    ],
    ids=lambda value: value if isinstance(value, str) and "(" in value else "",
)
def test_a_download_holds_its_checkpoint_seed_and_radius(visitor, tmp_path, panel, button, read):
    visitor.open_learned_set(panel=panel, radius="2", seed="3")
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name=button).click()
    download.value.save_as(tmp_path / "file")
    note = read((tmp_path / "file").read_bytes())
    assert (note["checkpoint"], note["seed"], note["radius"]) == (DIGITS, 3, 2.0)
