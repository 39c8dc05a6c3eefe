"""The Bounds page: what moves while the radius is dragged, and what is computed on release."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def grab(visitor) -> tuple[float, float]:
    slider = visitor.page.get_by_test_id("intervals-radius")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    share = slider.evaluate("slider => slider.value / slider.max")
    x, y = box["x"] + 7 + share * (box["width"] - 14), box["y"] + box["height"] / 2
    visitor.page.mouse.move(x, y)
    visitor.page.mouse.down()
    return x, y


def drag(visitor, pixels: int = 120) -> None:
    """In small moves; the button stays pressed."""
    x, y = grab(visitor)
    for step in range(1, 13):
        visitor.page.mouse.move(x + pixels * step / 12, y)


def verdict(visitor, method: str) -> str:
    return visitor.page.get_by_test_id(f"intervals-{method}").inner_text()


def test_margins_follow_before_the_release(visitor):
    visitor.open_bounds()
    before = verdict(visitor, "ibp"), verdict(visitor, "crown-ibp")
    drag(visitor)
    visitor.until(lambda: verdict(visitor, "ibp") != before[0] and verdict(visitor, "crown-ibp") != before[1], "other margins")
    expect(visitor.page.get_by_test_id("intervals-stale")).to_contain_text("until release")
    assert "radius" not in visitor.query()


@pytest.mark.slow
def test_on_release_all_methods_are_computed_and_the_radius_is_in_the_link(visitor):
    visitor.open_bounds()
    before = verdict(visitor, "alpha-crown")
    drag(visitor)
    visitor.release()
    visitor.until(lambda: "radius" in visitor.query(), "the radius in the link")
    visitor.until(lambda: verdict(visitor, "alpha-crown") != before, "α-CROWN's margins")
    expect(visitor.page.get_by_test_id("intervals-stale")).to_have_text("")


@pytest.mark.slow
def test_a_link_opens_at_its_radius(visitor):
    visitor.open_bounds(radius="0.2", image="3")
    expect(visitor.page.get_by_test_id("intervals-value")).to_have_text("0.200 = 51.0/255")
    expect(visitor.page.get_by_test_id("intervals-attack")).to_contain_text(re.compile("margin"))


@pytest.mark.slow
def test_the_arrow_keys_move_the_radius(visitor):
    visitor.open_bounds()
    visitor.page.get_by_test_id("intervals-radius").focus()
    visitor.page.keyboard.press("ArrowRight")
    visitor.until(lambda: visitor.query().get("radius") == "0.101", "the next radius in the link")


@pytest.mark.slow
def test_without_the_live_connection_the_release_is_answered(new_visitor):
    visitor = new_visitor()
    visitor.block_live_connection()
    visitor.page.goto("/bounds")
    expect(visitor.page.get_by_text("The live connection could not be opened")).to_be_visible()
    visitor.settle()
    before = verdict(visitor, "ibp")
    drag(visitor)
    visitor.release()
    visitor.until(lambda: "radius" in visitor.query() and verdict(visitor, "ibp") != before, "the margins of the released radius")
