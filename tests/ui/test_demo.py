"""The demo's story: every step opens as it is told, and a link into it is checked."""

import pytest
import streamlit as st

from explorer.ui import attack_link, certify_link, demo, learned_sets_link, links
from explorer.ui.story import STORY
from tests.apps import PAGES, opened_page, texts

LINKS = {each.PAGE: each.Link for each in (attack_link, certify_link, learned_sets_link)}


@pytest.fixture
def address(monkeypatch):
    """What stands in the URL and in the session."""
    query, state = {}, {}
    monkeypatch.setattr(st, "query_params", query)
    monkeypatch.setattr(st, "session_state", state)
    return query, state


def test_it_drags_attacks_certifies_and_compares_on_pages_that_exist():
    assert [step.title for step in STORY] == ["Drag", "Interpolate", "Attack", "Certify", "Compare"]
    assert all((PAGES / f"{step.page}.py").is_file() for step in STORY)


@pytest.mark.parametrize("step", STORY, ids=lambda step: step.title)
def test_a_steps_settings_are_settings_of_its_page(step):
    link, problems = links.read(LINKS[step.page], dict(step.query))
    assert not problems and set(step.query) >= set(links.write(link))


@pytest.mark.parametrize("number", [1, 4])
def test_a_step_opens_without_a_warning_and_keeps_its_number_in_the_link(number):
    step = STORY[number - 1]
    test = opened_page(step.page, {**step.query, links.DEMO: str(number)})
    assert not test.exception and not test.warning and not test.error and "not known here" not in texts(test)
    assert test.query_params[links.DEMO] in (str(number), [str(number)])


@pytest.mark.parametrize("text", ["0", "6", "-1", "1.5", "²", "", "x" * 50])
def test_a_step_that_does_not_exist_is_told(text):
    number, problem = demo._number(text)
    assert number == 1 and "expected 1 to 5" in problem


class Switched(Exception):
    pass


@pytest.fixture
def switched(monkeypatch):
    def switch(page, query_params):
        raise Switched(page, query_params)

    monkeypatch.setattr(st, "switch_page", switch)


PLACES = {step.page: step.page for step in STORY}


def test_a_link_of_the_demo_alone_opens_the_step_as_it_is_told(address, switched):
    query, state = address
    query[links.DEMO] = "3"
    with pytest.raises(Switched) as asked:
        demo.direct(PLACES, "gallery")
    assert asked.value.args == ("attack", {**STORY[2].query, links.DEMO: "3"}) and state[demo.STEP] == 3


def test_a_link_with_settings_of_its_own_is_left_as_it_is(address, switched):
    query, state = address
    query.update({links.DEMO: "3", "image": "7"})
    assert demo.direct(PLACES, "attack") is None and state[demo.STEP] == 3


def test_reset_opens_a_step_anew_although_the_page_has_shown_it(address, switched):
    query, state = address
    state.update({demo.STEP: 1, "learned_sets.link": "changed", "learned_sets.shown": [], "learned_sets.revision": 4})
    demo._go(1)
    with pytest.raises(Switched):
        demo.direct(PLACES, "learned_sets")
    assert "learned_sets.link" not in state and state["learned_sets.revision"] == 4


def test_who_leaves_has_no_demo_any_more(address):
    query, state = address
    query[links.DEMO], state[demo.STEP] = "2", 2
    demo._leave()
    assert not demo.running() and not query
