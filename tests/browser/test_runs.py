"""Long work: launched, followed, found again, stopped, gone on with, and its result opened."""

import re

import pytest

from tests.browser.driving import Visitor

pytestmark = pytest.mark.browser
TRAINING = {"experiment": "digits-rts", "changes": "epochs=3;limit=256;passes=1"}  # 6 batches


def done(visitor: Visitor) -> int:
    """How much of the run is shown as done."""
    text = visitor.page.get_by_test_id("stProgress").inner_text()
    found = re.search(r"([\d,]+) of [\d,]+", text)
    return int(found[1].replace(",", "")) if found else 0


@pytest.fixture
def searching(visitor):
    """A visitor who has launched a search over all test pairs; it is cancelled at the end."""
    visitor.open_learned_set(panel="Quality", count="0")
    visitor.page.get_by_role("button", name=re.compile("^Measure$|^Go on$")).click()
    visitor.page.get_by_test_id("stProgress").wait_for()
    yield visitor
    cancel = visitor.page.get_by_role("button", name="Cancel")
    if cancel.count():
        cancel.click()
        visitor.page.get_by_text("cancelled").first.wait_for()


def test_a_run_is_launched_followed_reloaded_cancelled_and_gone_on_with(searching):
    page = searching.page
    searching.until(lambda: done(searching) > 0, "the first pairs")
    first = done(searching)
    searching.until(lambda: done(searching) > first, "progress")
    page.reload()
    searching.wait_for_picture()
    searching.until(lambda: done(searching) >= first, "the same run after the reload")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("cancelled").first.wait_for()
    page.get_by_role("button", name="Go on").click()
    searching.until(lambda: done(searching) >= first, "to go on from there")


@pytest.mark.slow
def test_the_picture_answers_while_a_run_computes(searching):
    searching.until(lambda: done(searching) > 0, "the first pairs")
    before = searching.seen()
    searching.drag("direction-1")
    searching.until_seen_other_than(before)
    searching.release()


@pytest.mark.slow
def test_a_training_is_watched_and_its_set_opened(visitor):
    visitor.open_train(**TRAINING)
    visitor.page.get_by_role("button", name="Train", exact=True).click()
    visitor.page.get_by_text("After epoch").wait_for()
    assert visitor.page.locator("img[alt*='members after epoch']").count()
    visitor.page.get_by_text("✓ finished").wait_for()
    visitor.page.get_by_role("link", name="Open the set").click()
    visitor.wait_for_picture()
    assert re.fullmatch(r"run/\d+/digits-rts", visitor.query()["model"])


@pytest.mark.slow
def test_a_run_stands_in_the_table_and_is_opened_from_its_link(visitor):
    visitor.open_train(**TRAINING)
    if visitor.page.get_by_role("button", name="Train", exact=True).count():
        visitor.page.get_by_role("button", name="Train", exact=True).click()
    visitor.page.get_by_text("✓ finished").wait_for()
    visitor.page.get_by_role("link", name="among all runs").click()
    visitor.page.get_by_role("heading", name="Training of digits-rts").wait_for()
    visitor.page.get_by_test_id("stDataFrame").first.wait_for()
    assert "training" in visitor.query()["run"]
