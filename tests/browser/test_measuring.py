"""Work that takes a while: seen as it goes, found again, stopped."""

import re

import pytest

pytestmark = pytest.mark.browser
MANY = {"panel": "Quality", "count": "100"}


def start(visitor, **query) -> None:
    visitor.open_learned_set(**MANY, **query)
    visitor.page.get_by_role("button", name=re.compile("Measure|Go on")).click()


@pytest.fixture
def measuring(visitor):
    """A visitor who has pressed Measure for many pairs; at the end the work is cancelled, so that no other test waits for it."""
    start(visitor)
    yield visitor
    cancel_if_active(visitor)


def cancel_if_active(visitor) -> None:
    cancel = visitor.page.get_by_role("button", name="Cancel")
    if cancel.count():
        cancel.click()
        cancel.wait_for(state="detached")


def so_far(visitor) -> int:
    """How many pairs the shown estimate is over."""
    caption = visitor.page.get_by_text(re.compile(r"Estimates over \d+ pairs")).first  # while it is drawn anew there are two
    caption.wait_for()
    return int(re.search(r"over (\d+) pairs", caption.inner_text())[1])


@pytest.fixture
def measuring_slowly(visitor):
    """The same on a set whose pairs take longer, so that not all are measured before the page shows the first ones."""
    start(visitor, model="scenes-lighting")
    yield visitor
    cancel_if_active(visitor)


@pytest.mark.slow
def test_numbers_grow_while_it_measures_and_stay_when_it_is_cancelled(measuring_slowly):
    first = so_far(measuring_slowly)
    measuring_slowly.until(lambda: so_far(measuring_slowly) > first, "more pairs")
    measuring_slowly.page.get_by_role("button", name="Cancel").click()
    measuring_slowly.page.get_by_text("Cancelled. What was measured until then is shown.").wait_for()
    measuring_slowly.page.get_by_role("button", name="Go on").wait_for()
    assert 0 < so_far(measuring_slowly) < 100


@pytest.mark.slow
def test_a_reload_finds_the_measurement_again(measuring):
    so_far(measuring)
    measuring.page.reload()
    measuring.wait_for_picture()
    measuring.page.get_by_role("button", name="Cancel").wait_for()
    assert so_far(measuring) > 0


def test_the_picture_answers_while_it_measures(measuring):
    so_far(measuring)
    before = measuring.seen()
    measuring.drag("direction-1")
    measuring.until_seen_other_than(before)
    measuring.release()
