"""The page Manifold directions, opened alone."""

import json
from dataclasses import asdict

import pytest
from streamlit.testing.v1 import AppTest

from explorer.measuring import plain
from explorer.papers import results, save_result
from explorer.papers.manifold_directions.accuracy import DIGITS_STRENGTH
from explorer.papers.manifold_directions.measured import (
    ACCURACIES_KIND,
    SPECTRA_KIND,
    AccuracySettings,
    AccuracyTable,
    SpectraSettings,
    SpectraTable,
)
from explorer.storage import runs_folder
from explorer.ui import library, manifold_directions_results
from explorer.ui.live import read_request
from explorer.ui.live_inference import answer
from explorer.ui.live_scenes import SCENES
from explorer.ui.manifold_directions_gaussian import shown, sliders_of
from explorer.ui.manifold_directions_link import Link, checked_plane, plane_of
from tests.apps import opened_page, texts
from tests.papers.test_directions_exploration import written

ORIGIN = dict(images=300, available=300, strength=asdict(DIGITS_STRENGTH), dataset="digits", digest="d", vae="", vae_digest="")


def page(**query: str) -> AppTest:
    return opened_page("manifold_directions", query)


def kept(test: AppTest, name: str) -> str:
    """A parameter of the page's link."""
    value = test.query_params[name]
    return value if isinstance(value, str) else value[0]


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A classifier with a VAE, and one whose VAE is missing."""
    (tmp_path / "mine").mkdir()
    monkeypatch.setattr(library, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(results, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setenv(library.VARIABLE, str(tmp_path / "mine"))
    vae = written(tmp_path / "mine", "tiny-vae", "class_cvae", "class_mlp_cvae", {"latent_dim": 3, "hidden_units": 4}, {})
    for name, place in (("tiny", str(vae)), ("alone", "nowhere.safetensors")):
        written(tmp_path / "mine", name, "classifier", "lenet5", {"widths": [2, 2], "hidden_units": [4]}, {"vae": place, "sources": ["linf"]})


@pytest.fixture
def measured(models):
    """Results of the classifier under both attacks."""
    manifold_directions_results._results.clear()
    falling, grown = tuple(2.0**-k for k in range(12)), tuple(2.0**-k + 0.01 for k in range(12))
    share = tuple(1 / 12 for _ in range(12))
    spectra = dict(classes=("0", "1"), clean=(falling, falling), attacked=(grown, grown), decoded=(), share=share, lower=share, upper=share, confidence=0.95, mean_norm=1.0)
    for attack in ("pgd", "vae"):
        table = SpectraTable(checkpoint="tiny", training={"sources": ["linf"]}, settings=plain(SpectraSettings()), attack=attack, **spectra, **ORIGIN)
        save_result(SPECTRA_KIND, table, runs_folder() / "results" / f"{attack}.json")
    table = AccuracyTable(checkpoint="tiny", training={}, settings=plain(AccuracySettings()), accuracies=(0.9, 0.5, 0.4, None, 0.3, None), standard_errors=(0.01, 0.01, 0.01, None, 0.01, None), **ORIGIN)
    save_result(ACCURACIES_KIND, table, runs_folder() / "results" / "accuracies.json")
    yield
    manifold_directions_results._results.clear()


def test_the_gaussian_needs_no_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "SHIPPED", tmp_path)
    test = page()
    assert not test.exception and not test.error and "Theorems 2 and 4 to 6" in texts(test)


def test_the_link_keeps_the_gaussian():
    test = page(first="2", angle="10", latents="1")
    assert [kept(test, name) for name in ("first", "angle", "latents")] == ["2", "10", "1"]


@pytest.mark.parametrize(
    ("query", "words"),
    [({"first": "-1"}, "first = -1.0: expected 0.01 to 10"), ({"latents": "3"}, "latents = 3: expected 1 or 2"), ({"given": "L"}, "given = 'L' cannot be used"), ({"volume": "3"}, "'volume' is not known here")],
)
def test_a_bad_link_is_one_message_and_the_page_goes_on(query, words):
    test = page(**query)
    assert not test.exception and len(test.warning) == 1 and words in texts(test)


def test_a_gaussian_that_cannot_be_attacked_is_one_message():
    assert not page(first="1", second="1", latents="1").exception


def test_multipliers_tell_the_same_attack_as_radii():
    test = page()
    (control,) = (each for each in test.button_group if each.label == "Drag")
    test = control.set_value("multiplier").run()
    found = plane_of(Link(given="multiplier", off=float(kept(test, "off")), on=float(kept(test, "on"))))
    numbers = shown(found)["rows"]
    assert not test.exception and numbers[1][1:] == ["0.15", "0.3"]


def test_the_live_scene_answers_with_what_the_page_shows():
    page()
    token = SCENES.register(("gaussian", "radius", 2), lambda: None)
    request = read_request(json.dumps({"id": 1, "scene": token, "view": "numbers", "delta": [1.0, 0.1, 30.0, 0.15, 0.3], "radius": 0}))
    assert answer(request)["values"] == json.loads(json.dumps(shown(plane_of(Link()))))


def test_the_live_scene_refuses_what_the_sliders_cannot_say():
    page()
    token = SCENES.register(("gaussian", "radius", 2), lambda: None)
    request = read_request(json.dumps({"id": 1, "scene": token, "view": "numbers", "delta": [-1.0, 0.1, 30.0, 0.15, 0.3], "radius": 0}))
    assert "expected 0.01 to 10" in answer(request)["error"]


def test_every_slider_can_be_drawn_at_its_ends():
    for given in ("radius", "multiplier"):
        for each in sliders_of(given):
            for value in (each.low, each.high):
                link = Link(given=given, **({"off": 50.0, "on": 5.0} if given == "multiplier" else {}))
                assert shown(plane_of(checked_plane(type(link)(**{**asdict(link), each.key: value}))[0]))["panels"]


def test_one_image_is_attacked_in_pixels_and_in_latents(models):
    test = page(panel="One image", model="mine/tiny", steps="5")
    assert not test.exception and not test.error
    assert "In pixels: off the manifold" in texts(test) and texts(test).count("of the energy off the first 30 directions") == 2


def test_without_a_vae_the_page_says_which_command_is_missing(models):
    test = page(panel="One image", model="mine/alone", steps="5")
    assert not test.exception and "nowhere.safetensors" in texts(test) and texts(test).count("of the energy off the first") == 1


def test_values_of_the_link_that_an_image_cannot_have_are_told(models):
    test = page(panel="One image", model="mine/tiny", steps="7", radius="3")
    assert not test.exception and len(test.warning) == 2


def test_spectra_are_drawn_from_results_files(measured):
    test = page(panel="Spectra")
    assert not test.exception and "300 test images of digits" in texts(test)
    assert "tiny · PGD: 66.7 % of its energy lies off the first 4 directions" in texts(test)


def test_the_split_moves_what_is_large_and_small(measured):
    test = page(panel="Spectra", split="5")
    assert "tiny · PGD: 58.3 % of its energy lies off the first 5 directions" in texts(test)


def test_the_matrix_is_drawn_from_results_files(measured):
    test = page(panel="Attack × defence")
    assert not test.exception and "Measured on all 300 test images of digits, ± 0.08 in pixels" in texts(test)


@pytest.mark.parametrize("panel", ["Spectra", "Attack × defence"])
def test_without_results_the_page_offers_to_measure(models, panel):
    manifold_directions_results._results.clear()
    test = page(panel=panel, model="mine/tiny")
    assert not test.exception and "have been measured yet" in texts(test) and any("Measure" in button.label for button in test.button)
