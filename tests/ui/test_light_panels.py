import pytest

from tests.apps import opened_page, texts
from tests.tiny_light import save_lighting_set, small_scenes


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
