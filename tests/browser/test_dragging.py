"""The live control: what moves while the mouse is pressed, and what is committed on release."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("part", "pixels", "view"), [pytest.param("direction-1", 60, "one", marks=pytest.mark.slow), ("radius", -120, "members"), ("pad", 60, "one")])
def test_the_picture_follows_before_the_release(visitor, part, pixels, view):
    visitor.open_learned_set(view=view)
    before = visitor.seen()
    visitor.drag(part, pixels)
    visitor.until_seen_other_than(before)
    assert not {"u", "radius"} & set(visitor.query())


def test_the_released_point_is_in_the_link(visitor):
    visitor.open_learned_set()
    visitor.drag("direction-1")
    visitor.release()
    visitor.until(lambda: "u" in visitor.query(), "u in the link")


@pytest.mark.slow
def test_the_released_radius_is_in_the_link(visitor):
    visitor.open_learned_set()
    visitor.drag("radius", -120)
    visitor.release()
    visitor.until(lambda: "radius" in visitor.query(), "the radius in the link")


@pytest.mark.slow
def test_the_released_point_has_its_norm_in_the_panel(visitor):
    visitor.open_learned_set()
    expect(visitor.page.get_by_text("‖u‖ = 0.000")).to_be_visible()
    visitor.drag("direction-1")
    visitor.release()
    expect(visitor.page.get_by_text(re.compile(r"‖u‖ = (?!0\.000)\d"))).to_be_visible()


@pytest.mark.parametrize("part", ["direction-1", pytest.param("pad", marks=pytest.mark.slow)])
def test_an_arrow_key_moves_the_picture(visitor, part):
    visitor.open_learned_set()
    before = visitor.seen()
    visitor.part(part).focus()
    for _ in range(5):
        visitor.page.keyboard.press("ArrowRight")
    visitor.until_seen_other_than(before)


@pytest.mark.slow
def test_quick_steps_are_all_kept(visitor):
    visitor.open_learned_set()
    slider = visitor.part("direction-1")
    slider.focus()
    for _ in range(12):
        visitor.page.keyboard.press("ArrowRight")
        visitor.page.wait_for_timeout(70)  # each step is committed while Python still answers an earlier one
    steps = "slider => Math.round(slider.value / slider.step)"
    visitor.until(lambda: slider.evaluate(steps) == 12, "the twelfth step")
    visitor.page.wait_for_timeout(1500)
    assert slider.evaluate(steps) == 12


@pytest.mark.slow
def test_a_view_chosen_right_after_a_release_stays(visitor):
    visitor.open_learned_set()
    visitor.drag("pad")
    visitor.release()
    visitor.part("view-images").click()
    visitor.until(lambda: visitor.query().get("view") == "images", "the view in the link")
    expect(visitor.part("view-images")).to_have_attribute("aria-checked", "true")


@pytest.mark.slow
def test_reset_brings_back_the_centre(visitor):
    visitor.open_learned_set()
    centre = visitor.seen()
    visitor.part("snap").click()
    visitor.until_seen_other_than(centre)
    visitor.part("reset").click()
    visitor.until(lambda: visitor.seen() == centre, "the centre")


def test_snap_goes_to_a_real_perturbation(visitor):
    visitor.open_learned_set()
    before = visitor.seen()
    visitor.part("snap").click()
    visitor.until_seen_other_than(before)
    visitor.until(lambda: "u" in visitor.query(), "u in the link")


@pytest.mark.slow
def test_play_moves_the_picture(visitor):
    visitor.open_learned_set()
    first = visitor.seen()
    visitor.part("play").click()
    second = visitor.until_seen_other_than(first)
    visitor.until_seen_other_than(first, second)


@pytest.mark.slow
def test_pause_stops_the_picture(visitor):
    visitor.open_learned_set()
    first = visitor.seen()
    visitor.part("play").click()
    visitor.until_seen_other_than(first)
    visitor.part("play").click()
    visitor.until(lambda: "u" in visitor.query(), "u in the link")
    visitor.settle()
    stopped = visitor.seen()
    visitor.page.wait_for_timeout(400)
    assert visitor.seen() == stopped


@pytest.mark.slow
def test_an_image_of_the_strip_is_shown_when_clicked(visitor):
    visitor.open_learned_set()
    before = visitor.seen()
    visitor.page.get_by_test_id("strip-3").click()
    expect(visitor.page.locator("[data-part=caption]")).to_contain_text("test image 3 ")
    visitor.until_seen_other_than(before)


def test_without_the_live_connection_plain_sliders_answer(new_visitor):
    visitor = new_visitor()
    visitor.block_live_connection()
    visitor.page.goto("/learned_sets?model=digits-rts")
    expect(visitor.page.get_by_text("The live connection could not be opened")).to_be_visible()
    slider = visitor.page.get_by_role("group", name="Direction 1").get_by_role("slider")
    slider.focus()
    slider.press("ArrowRight")
    expect(visitor.page.get_by_text(re.compile(r"‖u‖ = (?!0\.000)\d"))).to_be_visible()
