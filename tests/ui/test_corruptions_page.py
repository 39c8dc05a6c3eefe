"""The page Corruptions, opened alone."""


import pytest
from streamlit.testing.v1 import AppTest

from explorer.runs import Store
from explorer.ui.corruptions_link import Link, checked
from explorer.ui.following import SEARCHES
from tests.apps import opened_page, settled, texts
from tests.ui.test_pages import uploads


def opened(**query: str) -> AppTest:
    return opened_page("corruptions", {"model": "uniform-digits", **query})


def page(**query: str) -> AppTest:
    return settled(opened(**query), SEARCHES)


def drawn(test: AppTest) -> str:
    return "\n".join(each.proto.body for each in test.get("html"))


def test_grey_images_show_what_they_can_and_say_why_not_the_rest():
    test = page()
    tiles = drawn(test)
    assert not test.exception and tiles.count('class="tile ') == 16 * 5 and "of 80" in texts(test)
    assert tiles.count("changes colours, which images with 1 channel do not have") == 3


def test_one_severity_shows_one_tile_of_each():
    assert drawn(page(severity="2")).count('class="tile ') == 16


def test_a_tile_names_what_is_seen_and_how_surely():
    tiles = drawn(page())
    assert "gaussian noise, severity 1: seen as 0 with " in tiles and ("tile right" in tiles or "tile wrong" in tiles)


def test_another_seed_corrupts_otherwise_and_the_same_one_alike():
    first, again, other = drawn(page()), drawn(page()), drawn(page(seed="5"))
    assert first == again != other


def test_several_classifiers_are_counted_and_one_gives_the_verdicts():
    test = page(model="uniform-digits,lenet-digits-standard", verdict="1")
    assert not test.exception and texts(test).count("of 80") == 2


def test_each_classifier_s_errors_are_a_run_with_the_page_s_settings(monkeypatch):
    launched = []
    monkeypatch.setattr(Store, "submit", lambda self, specification: launched.append(specification))
    test = page(panel="Errors", names="fog,snow", count="25", seed="3")
    next(each for each in test.button if each.label == "Measure").click().run()
    (made,) = launched
    assert made.kind == "corruption_errors" and made.seed == 3
    assert {"names": ["fog", "snow"], "limit": 25, "source": "made"}.items() <= made.parameters.items()
    assert "change colours" in texts(test)


def test_curves_are_measured_on_demand():
    test = page(panel="Severity curves", statistic="variation")
    assert not test.exception and "Measure" in [each.label for each in test.button]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"severity": "6"}, "severity = 6 cannot be shown"),
        ({"names": "rain"}, "names = ('rain',) cannot be shown"),
        ({"verdict": "1"}, "verdict = 1 cannot be shown"),
        ({"image": "-1"}, "image = -1 cannot be shown"),
        ({"source": "web"}, "source = 'web' cannot be used"),
        ({"model": "nothing"}, "'nothing' is not a classifier that is here"),
    ],
)
def test_a_bad_link_is_one_message_and_the_page_goes_on(query, words):
    test = opened(**query)
    assert not test.exception and len(test.warning) == 1 and words in texts(test)
    assert 'class="tile ' in drawn(settled(test, SEARCHES))


def test_the_usual_link_has_nothing_to_mend():
    from explorer.studies.classifiers import open_classifier
    from explorer.ui.library import SHIPPED

    assert checked(Link(), [open_classifier(SHIPPED / "contextual_budgets" / "uniform-digits.safetensors")]) == (Link(), [])


assert uploads  # the fixture of the other pages: no test sees the uploads of whoever works here
