import pytest

from explorer.ui.background import JOBS
from tests.apps import opened_page, settled, texts
from tests.tiny_light import save_lighting_set, save_segmenter, small_scenes


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A learned set of lights in a folder of one's own."""
    small_scenes(monkeypatch, tmp_path / "cache")
    folder = tmp_path / "own"
    folder.mkdir()
    save_lighting_set(folder / "lights.safetensors")
    monkeypatch.setenv("EXPLORER_CHECKPOINTS", str(folder))
    return "own/lights"


def test_a_scene_is_seen_under_the_light_of_the_link_beside_the_closest_member(model):
    page = opened_page("learned_sets", {"model": model, "panel": "Relighting", "light": "7"})
    assert not page.exception and "closest member" in texts(page)
    (light,) = [each for each in page.selectbox if each.label == "Light"]
    assert light.value == 7
    light.set_value(3).run()
    assert not page.exception and page.query_params["light"] in ("3", ["3"])


def test_a_light_that_there_is_not_is_said(model):
    page = opened_page("learned_sets", {"model": model, "panel": "Relighting", "light": "31"})
    assert not page.exception and "light" in texts(page)


def test_a_set_of_digits_has_no_lights():
    page = opened_page("learned_sets", {"model": "digits-rts", "panel": "Relighting"})
    assert not page.exception and "not one of lights" in texts(page)


def files(page) -> list[str]:
    """What there is to download."""
    return [each.label for each in page.get("download_button")]


def test_materials_are_named_under_a_scenes_own_light_and_under_the_worst_one_found(model, tmp_path):
    save_segmenter(tmp_path / "own" / "names.safetensors", tmp_path / "own" / "lights.safetensors")
    page = opened_page("learned_sets", {"model": model, "panel": "Materials"})
    assert not page.exception and not page.error and files(page).count("Maps (PNG)") == 1 and page.query_params["segmenter"] in ("own/names", ["own/names"])
    (measure,) = [each for each in page.button if each.label == "Measure"]
    settled(measure.click().run(), JOBS)
    assert not page.exception and not page.error and files(page).count("Maps (PNG)") == 2, [each.value for each in page.error]


def test_without_a_segmenter_the_command_that_trains_one_is_said(model):
    page = opened_page("learned_sets", {"model": model, "panel": "Materials"})
    assert not page.exception and "segmentation-scenes-pairs" in texts(page)


def test_a_segmenter_that_is_not_here_is_said(model, tmp_path):
    save_segmenter(tmp_path / "own" / "names.safetensors", tmp_path / "own" / "lights.safetensors")
    page = opened_page("learned_sets", {"model": model, "panel": "Materials", "segmenter": "own/other"})
    assert not page.exception and "own/other" in texts(page) and "not here" in texts(page)


def test_a_set_of_digits_has_no_materials():
    page = opened_page("learned_sets", {"model": "digits-rts", "panel": "Materials"})
    assert not page.exception and "no map of materials" in texts(page)
