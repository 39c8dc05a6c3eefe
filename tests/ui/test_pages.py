"""Every page opened alone, as Streamlit's own test runner does."""

import math
import re
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer.errors import ExplorerError
from explorer.papers import PAPERS
from explorer.ui import cache, library
from explorer.ui.learned_panels import quality as quality_panel
from explorer.ui.learned_sets_link import decode_point, encode_point
from tests.apps import opened_page
from tests.few import few

PAGES = Path(__file__).parents[2] / "pages"
MAIN = Path(__file__).parents[2] / "explorer" / "ui" / "main.py"


@pytest.fixture(autouse=True)
def uploads(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "UPLOADS", tmp_path / "uploads")
    monkeypatch.delenv(library.VARIABLE, raising=False)


def page(stem: str, **query: str) -> AppTest:
    return opened_page(stem, query)


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
    few(8, [
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
        ({"model": "digits-rts", "iterate": "51"}, "iterate = 51 cannot be shown"),
        ({"model": "digits-rts", "alpha": "1"}, "alpha = 1.0 cannot be shown"),
        ({"model": "digits-rts", "alpha": "-0.1"}, "alpha = -0.1 cannot be shown"),
        ({"model": "digits-rts", "count": "7"}, "count = 7 cannot be shown"),
        ({"model": "digits-rts", "parameter": "4"}, "no parameter of these pairs"),
        ({"model": "digits-rts", "position": "25"}, "position = 25 cannot be shown"),
        ({"model": "digits-rts", "height": "100"}, "height = 100.0 cannot be shown"),
        ({"model": "digits-rts", "sense": "best"}, "sense = 'best' cannot be used"),
        ({"model": "digits-rts", "panel": "Compare", "other": "no-such-set"}, "other checkpoint no-such-set is not here"),
    ]),
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


@pytest.mark.parametrize("panel", ["Difference", "Interpolation", "Random members", "Search", "Transformations", "Compare"])
def test_every_panel_shows_pictures_and_downloads(panel):
    test = page("learned_sets", model="digits-rts", panel=panel)
    assert not test.exception and not test.error
    assert any("‖u‖" in caption.value for caption in test.caption)


MEASURED = {"Quality": "Estimates over 25 pairs", "Latent norms": "of 300 test pairs", "Theory": "Medians over 25 test pairs"}


@pytest.mark.parametrize("panel", few(2, MEASURED))
def test_a_panel_measures_on_demand(panel):
    test = page("learned_sets", model="digits-rts", panel=panel, count="25")
    assert not any(MEASURED[panel] in caption.value for caption in test.caption)
    (measure,) = (button for button in test.button if button.label == "Measure")
    measure.click().run()
    until = time.monotonic() + 100
    while not any(MEASURED[panel] in caption.value for caption in test.caption):
        assert time.monotonic() < until and not test.exception and not test.error
        time.sleep(0.2)
        test.run()
    assert not test.exception and not any(button.label == "Measure" for button in test.button)


def test_a_diverged_metric_is_named_in_its_panel(monkeypatch):
    def broken(*rest):
        raise ExplorerError("not finite: kl_nats on 3 pairs")
        yield

    monkeypatch.setattr(quality_panel, "quality", broken)
    test = page("learned_sets", model="digits-rts", panel="Quality", count="100")
    next(button for button in test.button if button.label == "Measure").click().run()
    until = time.monotonic() + 30
    while not test.error:
        assert time.monotonic() < until
        test.run()
    assert "kl" in test.error[0].value and "3 pairs" in test.error[0].value
    assert any(button.label == "Try again" for button in test.button) and not test.exception


def test_the_u_of_a_search_goes_into_the_control():
    test = page("learned_sets", model="digits-rts", panel="Search", sense="farthest", start="random", iterate="10")
    assert "u" not in test.query_params
    next(button for button in test.button if button.label == "Put this u into the control").click().run()
    norm = math.hypot(*decode_point(test.query_params["u"], 32))
    assert not test.exception and not test.warning
    assert any(caption.value.startswith(f"Iterate 10: ‖u‖ = {norm:.3f}") for caption in test.caption)


def test_without_a_link_a_set_of_transformations_is_shown():
    assert page("learned_sets").selectbox[0].value == "digits-rts"


@pytest.mark.slow
def test_pixel_noise_has_no_transformation_to_follow():
    test = page("learned_sets", model="mnist-linf-conv", panel="Transformations")
    assert not test.exception and any("noise on each pixel" in info.value for info in test.info)


def test_sets_with_other_latents_are_compared_without_sharing_u():
    test = page("learned_sets", model="digits-rts", panel="Compare", other="mnist-linf-conv")
    assert not test.exception and not test.error
    assert any("32 and 6272 latents" in caption.value for caption in test.caption)


@pytest.mark.parametrize("item", ["learned_sets.table-4", "learned_sets.figure-4", "certified_vae.table-1"])
def test_a_link_opens_a_table_or_figure(item):
    test = page("papers", item=item)
    assert not test.exception and not test.error
    stem, key = item.split(".")
    assert test.subheader[0].value == f"{PAPERS[stem].short_name}, {key.replace('-', ' ')}"


@pytest.mark.parametrize(
    ("query", "message"),
    few(2, [({"paper": "nothing"}, "paper 'nothing' is not known"), ({"item": "learned_sets.table-99"}, "is not known"), ({"state": "perhaps"}, "cannot be used"), ({"height": "99"}, "height = 99")]),
    ids=str,
)
def test_a_bad_link_to_the_papers_says_so(query, message):
    test = page("papers", **query)
    assert not test.exception and any(message in warning.value for warning in test.warning) and test.selectbox


def test_a_status_filters_the_overview():
    test = page("papers", state="done")
    assert not test.exception and len(test.dataframe[0].value) == 4
