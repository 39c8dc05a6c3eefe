"""The search that follows a release, as a page sees it."""

import threading

import pytest
import streamlit as st

from explorer.ui import following
from explorer.ui.following import await_end, follow


@pytest.fixture(autouse=True)
def session(monkeypatch):
    """A session's state, and a mark where the page was drawn anew."""
    monkeypatch.setattr(following, "PATIENCE", 0.05)
    monkeypatch.setattr(st, "session_state", {})
    redrawn = []
    monkeypatch.setattr(st, "rerun", lambda: redrawn.append(True))
    return redrawn


def done(progress):
    yield 7


def test_a_quick_search_is_there_at_once(session):
    search = follow("page", ("quick", id(session)), done)
    assert search.result == 7 and not search.under_way
    await_end("page", search, st.empty(), [])
    assert not session


def test_a_page_drawn_without_its_search_is_drawn_anew_even_where_that_ended_meanwhile(session):
    go_on = threading.Event()

    def slow(progress):
        go_on.wait(10)
        yield 7

    search = follow("page", ("slow", id(session)), slow)
    assert search.under_way and search.result is None
    go_on.set()
    while search.job.active:
        pass
    await_end("page", search, st.empty(), ["a problem of the link"])
    assert session and following.kept_problems("page") == ["a problem of the link"]
    assert follow("page", ("slow", id(session)), slow).result == 7


def test_an_earlier_search_of_the_page_is_cancelled(session):
    go_on = threading.Event()

    def endless(progress):
        while not progress.cancelled:
            go_on.wait(0.01)
        yield 0

    first = follow("page", ("first", id(session)), endless)
    second = follow("page", ("second", id(session)), done)
    assert first.job.cancelled and (second.result == 7 or second.under_way)
