"""The Contextual budgets page: what follows while a slider is dragged or a budget drawn, and what is computed on release."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
DRAWN = {"sources": "uniform,drawn", "base": "uniform", "steps": "0"}
PIXELS = "canvas => canvas.toDataURL()"


def part(visitor, name: str):
    return visitor.page.get_by_test_id(f"budgets-{name}")


def drag(visitor, slider: str, pixels: int) -> None:
    """In small moves; the button stays pressed."""
    handle = part(visitor, slider)
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    share = handle.evaluate("slider => (slider.value - slider.min) / (slider.max - slider.min)")
    x, y = box["x"] + 7 + share * (box["width"] - 14), box["y"] + box["height"] / 2
    visitor.page.mouse.move(x, y)
    visitor.page.mouse.down()
    for step in range(1, 13):
        visitor.page.mouse.move(x + pixels * step / 12, y)


def across(visitor, map_: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    """The mouse pressed and moved over a map, in shares of its size; the button stays pressed."""
    canvas = part(visitor, map_)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    for index in range(9):
        share = [a + (b - a) * index / 8 for a, b in zip(start, end)]
        visitor.page.mouse.move(box["x"] + share[0] * box["width"], box["y"] + share[1] * box["height"])
        if index == 0:
            visitor.page.mouse.down()


def seen(visitor, name: str) -> str:
    return part(visitor, name).evaluate(PIXELS)


def test_budgets_and_verdict_follow_before_the_release_and_the_attack_after_it(visitor):
    visitor.open_contextual_budgets(image="5")
    before = [part(visitor, f"verdict-0-{source}").inner_text() for source in ("learned", "uniform")]
    ends = seen(visitor, "upper-0-learned")
    expect(part(visitor, "verdict-0-uniform")).to_contain_text("PGD")
    drag(visitor, "volume", 60)
    visitor.until(lambda: all(part(visitor, f"verdict-0-{source}").inner_text() != old for source, old in zip(("learned", "uniform"), before)), "other verdicts")
    visitor.until(lambda: seen(visitor, "upper-0-learned") != ends, "another end of the box")
    expect(part(visitor, "stale")).to_contain_text("PGD on release")
    assert "volume" not in visitor.query()
    visitor.page.mouse.up()
    visitor.until(lambda: "volume" in visitor.query(), "the volume in the link")
    expect(part(visitor, "verdict-0-uniform")).to_contain_text("PGD")
    expect(part(visitor, "stale")).to_have_text("")


@pytest.mark.slow
def test_what_is_drawn_on_the_map_changes_it_before_the_release_and_is_in_the_link(visitor):
    visitor.open_contextual_budgets(**DRAWN)
    before = seen(visitor, "map-0-drawn"), seen(visitor, "map-0-uniform")
    across(visitor, "map-0-drawn", (0.2, 0.2), (0.8, 0.3))
    visitor.until(lambda: seen(visitor, "map-0-drawn") != before[0], "another map")
    assert seen(visitor, "map-0-uniform") == before[1] and "drawing" not in visitor.query()
    visitor.page.mouse.up()
    visitor.until(lambda: "drawing" in visitor.query(), "the drawing in the link")


@pytest.mark.slow
@pytest.mark.parametrize(("slider", "pixels"), [("alpha", 50), ("alpha_bar", -60)])
def test_the_range_moves_the_map(visitor, slider, pixels):
    visitor.open_contextual_budgets(steps="0")
    before = part(visitor, "readout-0-learned").inner_text()
    drag(visitor, slider, pixels)
    visitor.until(lambda: part(visitor, "readout-0-learned").inner_text() != before, "another range")
    visitor.page.mouse.up()
    visitor.until(lambda: slider in visitor.query(), "it in the link")


@pytest.mark.slow
def test_an_undone_stroke_leaves_no_trace(visitor):
    visitor.open_contextual_budgets(**DRAWN)
    before = seen(visitor, "map-0-drawn")
    across(visitor, "map-0-drawn", (0.2, 0.2), (0.8, 0.3))
    visitor.page.mouse.up()
    visitor.until(lambda: "drawing" in visitor.query(), "the drawing in the link")
    part(visitor, "undo").click()
    visitor.until(lambda: "drawing" not in visitor.query(), "the link without it")
    visitor.until(lambda: seen(visitor, "map-0-drawn") == before, "the map as it was")


@pytest.mark.slow
def test_a_link_with_a_drawing_shows_the_same_map(visitor, new_visitor):
    visitor.open_contextual_budgets(**DRAWN)
    before = seen(visitor, "map-0-drawn")
    part(visitor, "tool").select_option("0")
    across(visitor, "map-0-drawn", (0.2, 0.2), (0.8, 0.6))
    visitor.page.mouse.up()
    visitor.until(lambda: "drawing" in visitor.query() and seen(visitor, "map-0-drawn") != before, "the drawing")
    visitor.settle()
    another = new_visitor()
    another.open_contextual_budgets(**visitor.query())
    another.until(lambda: seen(another, "map-0-drawn") == seen(visitor, "map-0-drawn"), "the same map")


@pytest.mark.slow
def test_a_pixels_budget_is_read_off_the_map(visitor):
    visitor.open_contextual_budgets(steps="0")
    part(visitor, "map-0-learned").hover(position={"x": 20, "y": 20})
    expect(part(visitor, "readout-0-learned")).to_have_text(re.compile(r"row \d+, column \d+: x = [\d.]+, ε = [\d.]+ = [\d.]+ ε0"))
    visitor.page.mouse.move(0, 0)
    expect(part(visitor, "readout-0-learned")).to_contain_text("volume ε0")


@pytest.mark.slow
def test_the_keyboard_reads_and_draws(visitor):
    visitor.open_contextual_budgets(**DRAWN)
    part(visitor, "map-0-drawn").focus()
    visitor.page.keyboard.press("ArrowLeft")
    expect(part(visitor, "readout-0-drawn")).to_contain_text("row 14, column 13")
    visitor.page.keyboard.press("Space")
    visitor.until(lambda: "drawing" in visitor.query(), "the drawing in the link")


@pytest.mark.slow
def test_the_papers_colours_are_kept_in_the_link(visitor):
    visitor.open_contextual_budgets(steps="0")
    before = seen(visitor, "map-0-learned")
    part(visitor, "scale-paper").click()
    visitor.until(lambda: seen(visitor, "map-0-learned") != before and visitor.query().get("scale") == "paper", "grey maps")


@pytest.mark.slow
def test_without_the_live_connection_the_release_is_answered(new_visitor):
    visitor = new_visitor()
    visitor.block_live_connection()
    visitor.page.goto("/contextual_budgets?model=budgets-digits&steps=0")
    expect(visitor.page.get_by_text("The live connection could not be opened")).to_be_visible()
    visitor.settle()
    before = part(visitor, "verdict-0-uniform").inner_text()
    drag(visitor, "volume", 60)
    visitor.page.mouse.up()
    visitor.until(lambda: "volume" in visitor.query() and part(visitor, "verdict-0-uniform").inner_text() != before, "the verdict at the released volume")
