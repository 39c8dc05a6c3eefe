"""The page Attack, opened alone."""


import pytest
import torch
from streamlit.testing.v1 import AppTest

from explorer.attacks import ATTACKS
from explorer.runs import Store
from explorer.studies.classifiers import open_classifier
from explorer.ui import library
from explorer.ui.attack_link import Link, checked
from explorer.ui.attack_live import _scene
from explorer.ui.bounds import Subject
from explorer.ui.threat_choice import Chosen
from tests.apps import opened_page, texts
from tests.tiny_budgets import save_tiny
from tests.ui.test_pages import uploads

SHIPPED = library.SHIPPED / "contextual_budgets" / "uniform-digits.safetensors"
FAST = {"model": "uniform-digits", "steps": "10"}


def page(**query: str) -> AppTest:
    return opened_page("attack", FAST | query)


def test_every_classifier_has_a_line_with_logits_before_and_after():
    test = page(panel="This image", model="uniform-digits,uniform-digits-0.2", radius="0.3")
    table = test.dataframe[0].value
    assert not test.exception and list(table["classifier"]) == ["uniform-digits", "uniform-digits-0.2"]
    assert (table["after, margin"] <= table["margin"]).all() and "Attack found" in texts(test)


@pytest.mark.parametrize("query", [{"threat": "l2", "attack": "random-search"}, {"threat": "latent", "radius": "4"}, {"threat": "budgets"}], ids=str)
def test_other_sets_and_attacks_are_shown(query):
    test = page(**query)
    assert not test.exception and not test.error and not test.warning and "each point that the search evaluated" in texts(test)


def test_a_set_without_a_model_says_what_to_train(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "SHIPPED", tmp_path)
    monkeypatch.setenv(library.VARIABLE, str(save_tiny(tmp_path / "mine", learned=False).parent))
    test = page(model="mine/tiny-uniform", threat="manifold")
    assert not test.exception and "python -m explorer.train class-cvae-digits" in texts(test)


def test_at_radius_0_nothing_is_attacked():
    test = page(radius="0")
    assert not test.exception and "there is nothing to attack" in texts(test)


def test_the_worst_of_all_keeps_the_steps_of_its_parts():
    test = page()
    box = next(each for each in test.selectbox if each.label == "Steps")
    assert not box.disabled and "200" in box.options
    link, problems = checked(Link(attack="worst-of-all"), open_classifier(SHIPPED))
    assert link.attack == "worst-of-all" and not problems


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"attack": "pdg"}, "attack = pdg cannot be shown"),
        ({"threat": "l3"}, "threat = l3 cannot be shown"),
        ({"radius": "-1"}, "radius = -1.0 cannot be shown"),
        ({"steps": "7"}, "steps = 7 cannot be shown"),
        ({"image": "999"}, "image = 999 cannot be shown (expected 0 to 299)"),
        ({"model": "digits-rts"}, "'digits-rts' is not a classifier that is here"),
        ({"other": "nothing", "threat": "latent"}, "none for this set that is here"),
    ],
)
def test_a_bad_link_is_one_message_and_the_page_goes_on(query, words):
    test = page(**query)
    assert not test.exception and len(test.warning) == 1 and words in texts(test)


@pytest.mark.parametrize(("panel", "kind", "words"), [("Test set", "attack", "Images that are classified wrong"), ("Curves", "attack_curve", "searches each"), ("Sets", "cross_sets", "own data set")])
def test_a_run_that_has_ended_is_shown_in_its_panel(panel, kind, words, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    launched = []
    monkeypatch.setattr(Store, "submit", lambda self, specification: launched.append(specification))
    test = page(panel=panel, count="25")
    assert not test.exception
    next(button for button in test.button if button.label == "Measure").click().run()
    assert [each.kind for each in launched] == [kind] and not test.exception


def test_the_live_step_stays_in_the_set_and_moves_the_logits():
    opened = open_classifier(SHIPPED)
    image, label = opened.images.images[:1], int(opened.images.labels[0])
    scene = _scene(opened, Subject(image, label, "image", ()), Chosen("linf"))
    near, far = (scene.compute(radius) for radius in (0.0, 0.2))
    assert torch.allclose(torch.tensor(near["marks"]["step"]), opened.logits(image)[0], atol=1e-3) and far["marks"]["step"] != near["marks"]["step"]
    assert far["notes"]["step"]["text"].startswith("seen as") and set(far["pictures"]) == {"attacked", "difference"}


def test_every_attack_can_be_chosen():
    test = page()
    box = next(each for each in test.selectbox if each.label == "Attack")
    assert len(box.options) == len(ATTACKS)




assert uploads  # the fixture of the other pages: no test sees the uploads of whoever works here
