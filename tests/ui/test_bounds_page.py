"""The page Bounds, opened alone."""

import json

import pytest
import torch
from streamlit.testing.v1 import AppTest

from explorer.checkpoints import Header, save
from explorer.data import load_dataset
from explorer.models import build_model
from explorer.studies.classifiers import open_classifier
from explorer.ui import library, live_intervals
from explorer.ui.bounds_link import Link, checked, reach
from explorer.ui.live import read_request
from explorer.ui.live_inference import Request, answer
from explorer.ui.live_scenes import SCENES, NumberScene
from tests.apps import opened_page, texts
from tests.ui.test_pages import uploads
from tests.few import few

SHIPPED = library.SHIPPED / "contextual_budgets" / "uniform-digits.safetensors"
FAST = {"model": "uniform-digits", "methods": "ibp,crown-ibp", "steps": "10"}


def page(**query: str) -> AppTest:
    return opened_page("bounds", FAST | query)


def table(test: AppTest):
    return test.dataframe[0].value


def classifier_file(folder, **changes):
    config = {"widths": [2, 3], "hidden_units": [4], **({"classes": 3} if changes.pop("three", False) else {})}
    values = dict(kind="classifier", name="mine", model="dm_small", model_config=config, dataset={"name": "digits"}, training={}, metrics={}, seed=0, radius=0.05, percentile_radii={})
    torch.manual_seed(0)
    save(folder / "mine.safetensors", build_model("dm_small", config), Header(**{**values, **changes}))


def test_the_table_has_a_row_for_each_other_class_and_says_what_is_certified():
    test = page()
    assert not test.exception and len(table(test)) == 9 and list(table(test)["other class"]) == [str(digit) for digit in range(1, 10)]
    assert "Certified" in texts(test) and "Attack found" in texts(test)


def test_nothing_found_lies_below_what_is_certified():
    rows = table(page(radius="0.15", image="4"))
    assert (rows["CROWN-IBP ≥"] <= rows["attack found (PGD)"] + 1e-4).all() and (rows["IBP ≥"] <= rows["CROWN-IBP ≥"] + 1e-4).all()
    assert (rows["attack found (PGD)"] <= rows["the image itself"] + 1e-4).all()


def test_the_link_keeps_what_was_chosen():
    test = page(image="5", radius="0.02")
    for name, value in {"image": "5", "radius": "0.02", "methods": "ibp,crown-ibp"}.items():
        assert test.query_params[name] in (value, [value])


@pytest.mark.parametrize(
    ("query", "words"),
    few(3, [
        ({"radius": "7"}, "radius = 7.0 cannot be shown (expected 0 to 0.3)"),
        ({"radius": "nan"}, "radius = 'nan' cannot be used"),
        ({"methods": "crowm"}, "methods = ('crowm',) cannot be shown"),
        ({"image": "999"}, "image = 999 cannot be shown (expected 0 to 299)"),
        ({"steps": "7"}, "steps = 7 cannot be shown"),
        ({"model": "digits-rts"}, "'digits-rts' is not a classifier that is here"),
        ({"volume": "3"}, "'volume' is not known here"),
    ]),
)
def test_a_bad_link_is_one_message_and_the_page_goes_on(query, words):
    test = page(**query)
    assert not test.exception and len(test.warning) == 1 and words in texts(test) and len(table(test)) == 9


def test_layers_show_both_ends_of_the_network():
    test = page(panel="Layers")
    operations = list(table(test)["operation"])
    assert operations[0] == "input" and operations[-1].endswith("linear") and "CROWN is left out" in texts(test)


def test_the_largest_radius_is_measured_on_demand():
    test = page(panel="Largest radius", methods="ibp")
    assert not test.dataframe
    next(button for button in test.button if button.label == "Measure").click().run()
    assert not test.exception


def test_without_a_method_the_page_asks_for_one():
    test = page()
    test.button_group(key=next(each.key for each in test.button_group if each.key and each.key.startswith("methods"))).set_value([]).run()
    assert "Choose at least one method" in texts(test) and not test.exception


def test_an_uploaded_picture_is_bounded_for_the_class_that_is_seen(tmp_path):
    from explorer.figures import pixels, to_png

    test = page(choice="Upload")
    test.file_uploader[0].upload("mine.png", to_png(pixels(load_dataset("digits").images[:1])[0]), "image/png").run()
    assert not test.exception and len(table(test)) == 9


def test_an_upload_that_is_no_picture_is_one_message():
    test = page(choice="Upload")
    test.file_uploader[0].upload("mine.png", b"nothing", "image/png").run()
    assert not test.exception and "this is not a picture that can be read" in texts(test)


def test_a_checkpoint_of_other_images_is_one_message(tmp_path, monkeypatch):
    classifier_file(tmp_path, three=True)
    monkeypatch.setenv(library.VARIABLE, str(tmp_path))
    test = page(model=f"{tmp_path.name}/mine")
    assert not test.exception and len(test.error) == 1 and "in 3 classes" in texts(test)


def test_a_misclassified_image_is_explained(tmp_path, monkeypatch):
    classifier_file(tmp_path)
    monkeypatch.setenv(library.VARIABLE, str(tmp_path))
    opened = open_classifier(tmp_path / "mine.safetensors")
    wrong = next(index for index in range(50) if int(opened.logits(opened.images.images[index : index + 1]).argmax()) != int(opened.images.labels[index]))
    assert "no box around it can be certified" in texts(page(model=f"{tmp_path.name}/mine", image=str(wrong)))


def test_the_gallery_has_a_card_of_the_classifier_with_its_accuracies():
    test = opened_page("gallery")
    assert {"97.7 %", "84.3 %"} <= {metric.value for metric in test.metric}


def test_learned_sets_do_not_list_classifiers():
    test = opened_page("learned_sets")
    assert "uniform-digits" not in test.selectbox[0].options


def test_the_slider_reaches_beyond_the_radius_of_the_training():
    assert [reach(trained) for trained in (0.0, 0.1, 0.4)] == [0.1, 0.3, 1.0]


def test_the_shipped_classifier_takes_the_default_link():
    assert checked(Link(), open_classifier(SHIPPED)) == (Link(), [])


def test_a_scene_in_numbers_is_answered_with_json():
    token = SCENES.register(("test", "double"), lambda: NumberScene(lambda radius: {"radius": radius, "double": 2 * radius}))
    reply = answer(Request(7, token, "numbers", (), 0.25))
    assert reply["id"] == 7 and reply["values"] == {"radius": 0.25, "double": 0.5} and json.dumps(reply)


def test_a_scene_in_numbers_shows_no_pictures():
    token = SCENES.register(("test", "nothing"), lambda: NumberScene(lambda radius: {}))
    assert "no view 'one'" in answer(Request(7, token, "one", (), 0.25))["error"]


def test_a_request_for_numbers_is_read():
    assert read_request('{"id": 1, "scene": "s", "view": "numbers", "delta": [], "radius": 0.1}').view == "numbers"


@pytest.mark.parametrize("state", [{"radius": 9.0}, {"radius": float("nan")}, {"radius": "0.2"}, {}, {"radius": 0.2, "revision": "other"}])
def test_a_radius_that_cannot_be_is_not_taken_from_the_browser(state, monkeypatch):
    monkeypatch.setattr(live_intervals.st, "session_state", {"key": {"state": {"revision": "now", "socket": "open", **state}}})
    assert live_intervals.committed_radius("key", "now", 0.1, 0.3).radius == 0.1


assert uploads  # the fixture of the other pages: no test sees the uploads of whoever works here
