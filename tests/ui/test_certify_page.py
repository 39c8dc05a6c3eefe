"""The page Certify, opened alone."""


import pytest
from streamlit.testing.v1 import AppTest

from explorer.runs import Store
from explorer.studies.classifiers import open_classifier
from explorer.ui import library
from explorer.ui.background import JOBS
from explorer.ui.certify_link import Link, checked, share_needed
from tests.apps import opened_page, settled, texts
from tests.ui.test_pages import uploads
from tests.few import few

SHIPPED = library.SHIPPED / "contextual_budgets" / "uniform-digits-0.2.safetensors"
FAST = {"model": "uniform-digits-0.2", "samples": "100", "sigma": "0.1"}


def page(**query: str) -> AppTest:
    return opened_page("certify", FAST | query)


def test_an_image_is_certified_with_a_radius_and_its_confidence():
    test = settled(page(), JOBS)
    numbers = {each.label: each.value for each in test.metric}
    assert not test.exception and float(numbers["Certified radius"]) > 0 and numbers["Class"] == "0"
    assert "Certified with confidence 99.9 %" in texts(test).replace("*", "") and "within" in texts(test)


def test_where_noise_drowns_the_image_it_abstains():
    test = settled(page(sigma="3.0"), JOBS)
    assert {each.label: each.value for each in test.metric}["Certified radius"] == "abstains" and "no radius can be" in texts(test)


def test_noise_in_the_latents_of_a_learned_set_certifies_there():
    test = settled(page(threat="latent", sigma="0.5"), JOBS)
    assert not test.exception and "standard deviations of the prior" in texts(test)


def test_both_kinds_of_runs_are_launched_from_the_panel(monkeypatch):
    launched = []
    monkeypatch.setattr(Store, "submit", lambda self, specification: launched.append(specification))
    test = page(panel="Certified accuracy", sigmas="0.1,0.2")
    for button in [each for each in test.button if each.label == "Measure"]:
        button.click().run()
    assert {each.kind for each in launched} == {"certify", "attack_curve"} and launched[0].parameters["sigmas"] == [0.1, 0.2]


@pytest.mark.parametrize(
    ("query", "words"),
    few(2, [
        ({"sigma": "0"}, "sigma = 0.0 cannot be shown"),
        ({"sigma": "nan"}, "sigma = 'nan' cannot be used"),
        ({"threat": "linf"}, "threat = linf cannot be shown"),
        ({"samples": "3"}, "samples = 3 cannot be shown"),
        ({"confidence": "0.4"}, "confidence = 0.4 cannot be shown"),
        ({"sigmas": "0.1,9"}, "sigmas = (0.1, 9.0) cannot be shown"),
    ]),
)
def test_a_bad_link_is_one_message_and_the_page_goes_on(query, words):
    test = page(**query)
    assert not test.exception and len(test.warning) == 1 and words in texts(test)


def test_so_many_votes_are_needed():
    assert share_needed(Link(samples=100, confidence=0.999)) == pytest.approx(0.66, abs=0.01)
    assert checked(Link(), open_classifier(SHIPPED)) == (Link(), [])


assert uploads  # the fixture of the other pages: no test sees the uploads of whoever works here
