"""Every page opened alone, as Streamlit's own test runner does."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer.ui import cache, library
from explorer.ui.learned_sets_link import encode_point

PAGES = Path(__file__).parents[2] / "pages"
MAIN = Path(__file__).parents[2] / "explorer" / "ui" / "main.py"


@pytest.fixture(autouse=True)
def uploads(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "UPLOADS", tmp_path / "uploads")
    monkeypatch.delenv(library.VARIABLE, raising=False)


def page(stem: str, **query: str) -> AppTest:
    test = AppTest.from_file(str(PAGES / f"{stem}.py"), default_timeout=120)
    for name, value in query.items():
        test.query_params[name] = value
    return test.run()


@pytest.mark.parametrize("stem", sorted(path.stem for path in PAGES.glob("*.py")))
def test_a_page_opens_alone(stem):
    test = page(stem)
    assert not test.exception and not test.error and len(test.title) == 1


def test_the_app_opens_on_the_gallery():
    test = AppTest.from_file(str(MAIN), default_timeout=120).run()
    assert not test.exception and test.title[0].value == "Perturbation sets"


def test_the_gallery_has_a_card_for_every_shipped_checkpoint():
    shipped = {path.stem for path in library.SHIPPED.rglob("*.safetensors")}
    assert shipped <= {subheader.value for subheader in page("gallery").subheader}


def test_a_broken_upload_is_one_message_and_the_gallery_stays():
    test = page("gallery")
    test.file_uploader[0].upload("broken.safetensors", b"this is no checkpoint", "application/octet-stream").run()
    assert not test.exception
    assert any("broken.safetensors is not a safetensors file" in warning.value for warning in test.warning)
    assert test.subheader


def test_a_good_upload_gets_a_card():
    content = (library.SHIPPED / "learned_sets" / "digits-rts.safetensors").read_bytes()
    test = page("gallery")
    test.file_uploader[0].upload("mine.safetensors", content, "application/octet-stream").run()
    assert not test.exception and any(subheader.value.startswith("upload/mine-") for subheader in test.subheader)


def test_an_uploaded_checkpoint_can_be_removed():
    content = (library.SHIPPED / "learned_sets" / "digits-rts.safetensors").read_bytes()
    test = page("gallery")
    test.file_uploader[0].upload("mine.safetensors", content, "application/octet-stream").run()
    (remove,) = (button for button in test.button if button.label == "Remove")
    remove.click().run()
    assert not test.exception and not any("upload/" in subheader.value for subheader in test.subheader)


def test_a_broken_card_leaves_the_others(tmp_path, monkeypatch):
    drawn = cache.sample_strip

    def broken_for_one(path, *rest):
        if "mine" in path:
            raise RuntimeError("no such kernel")
        return drawn(path, *rest)

    monkeypatch.setattr(cache, "sample_strip", broken_for_one)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "set.safetensors").write_bytes((library.SHIPPED / "learned_sets" / "digits-rts.safetensors").read_bytes())
    monkeypatch.setenv(library.VARIABLE, str(tmp_path / "mine"))
    test = page("gallery")
    assert not test.exception and len(test.error) == 1 and "no such kernel" in test.error[0].value
    assert {"digits-rts", "mine/set"} <= {subheader.value for subheader in test.subheader}


def test_changing_the_checkpoint_starts_at_its_own_centre():
    test = page("learned_sets", model="mnist-rts-compact", radius="2.25", image="7")
    test.selectbox[0].select("digits-rts").run()
    assert not test.exception and not any("link" in warning.value for warning in test.warning)
    assert "u" not in test.query_params and "radius" not in test.query_params


def test_markdown_in_a_link_is_shown_as_text():
    test = page("learned_sets", **{"![x](http://example.org/a.png)": "1"})
    assert any(r"!\[x\]" in warning.value for warning in test.warning) and not test.exception


def test_a_folder_that_is_none_is_one_message():
    test = page("gallery")
    test.text_input[0].input("/nowhere").run()
    assert any("'/nowhere' is not a folder" in warning.value for warning in test.warning)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"model": "no-such-set"}, "'no-such-set' is not here"),
        ({"model": "digits-rts", "image": "100000"}, "image = 100000 cannot be shown"),
        ({"model": "digits-rts", "image": "three"}, "image = 'three' cannot be used"),
        ({"model": "digits-rts", "radius": "-1"}, "radius = -1.0 cannot be shown"),
        ({"model": "digits-rts", "radius": "9999"}, "radius = 9999.0 cannot be shown"),
        ({"model": "digits-rts", "u": encode_point((500.0,) + (0.0,) * 31)}, "norm 500, outside the radius"),
        ({"model": "digits-rts", "u": encode_point((1e7,) + (0.0,) * 31)}, "not a point of 32"),
        ({"model": "digits-rts", "amplify": "5"}, "amplify = 5 cannot be shown"),
        ({"model": "digits-rts", "frame": "500"}, "frame = 500 cannot be shown"),
        ({"model": "digits-rts", "axes": "1,1"}, "axes = "),
        ({"model": "digits-rts", "stops": "1,1"}, "stops = "),
        ({"model": "digits-rts", "u": "AAAA"}, "not a point of this set|not a point of 32"),
        ({"model": "digits-rts", "stops": "1,99"}, "stops = "),
        ({"model": "digits-rts", "label": "cat"}, "no class"),
        ({"model": "digits-rts", "flavour": "mint"}, "not known here"),
    ],
    ids=str,
)
def test_a_bad_link_says_so_and_the_page_stays_usable(query, message):
    test = page("learned_sets", **query)
    assert not test.exception
    assert any(re.search(message, warning.value) for warning in test.warning)
    assert test.selectbox


def test_a_link_opens_its_panel():
    test = page("learned_sets", model="digits-rts", panel="Random members", seed="5")
    assert not test.exception and test.number_input[0].value == 5


@pytest.mark.parametrize("choice", ["Random", "By class", "Upload"])
def test_every_way_to_choose_an_image_opens(choice):
    test = page("learned_sets", model="digits-rts", choice=choice)
    assert not test.exception and not test.error


def test_a_picture_that_is_none_is_one_message():
    test = page("learned_sets", model="digits-rts", choice="Upload")
    test.file_uploader[0].upload("note.png", b"hello", "image/png").run()
    assert not test.exception
    assert any("note.png: this is not a picture" in warning.value for warning in test.warning)


@pytest.mark.parametrize("panel", ["Difference", "Interpolation", "Random members"])
def test_every_panel_shows_pictures_and_downloads(panel):
    test = page("learned_sets", model="digits-rts", panel=panel)
    assert not test.exception and not test.error
    assert any("‖u‖" in caption.value for caption in test.caption)
