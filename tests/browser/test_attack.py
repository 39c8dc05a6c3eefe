"""The Attack page: what moves while the radius is dragged, the film of the search; and the Certify page's votes."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def drag(visitor, pixels: int) -> None:
    """In small moves; the button stays pressed."""
    slider = visitor.page.get_by_test_id("intervals-radius")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    share = slider.evaluate("slider => slider.value / slider.max")
    x, y = box["x"] + 7 + share * (box["width"] - 14), box["y"] + box["height"] / 2
    visitor.page.mouse.move(x, y)
    visitor.page.mouse.down()
    for step in range(1, 11):
        visitor.page.mouse.move(x + pixels * step / 10, y)


def test_picture_and_logits_follow_before_the_release_and_the_attack_after_it(visitor):
    visitor.open_attack(steps="10")
    picture = visitor.page.get_by_test_id("attack-attacked")
    before, found = picture.locator("canvas").evaluate("canvas => canvas.toDataURL()"), visitor.page.get_by_test_id("intervals-attack").inner_text()
    drag(visitor, 150)
    visitor.until(lambda: "live" in picture.locator("figcaption").inner_text() and picture.locator("canvas").evaluate("canvas => canvas.toDataURL()") != before, "another picture")
    assert "radius" not in visitor.query()
    visitor.release()
    visitor.until(lambda: "radius" in visitor.query(), "the radius in the link")
    visitor.until(lambda: visitor.page.get_by_test_id("intervals-attack").inner_text() not in (found, "the attack"), "the attack at the new radius")
    expect(picture.locator("figcaption")).to_have_text("the strongest found")


@pytest.mark.slow
def test_the_film_plays_pauses_and_goes_step_by_step(visitor):
    visitor.open_attack(steps="20")
    film, part = visitor.page.get_by_test_id("film-root"), visitor.page.get_by_test_id
    frame = lambda: int(film.get_attribute("data-frame"))  # noqa: E731
    part("film-slider").evaluate("slider => { slider.value = 3; slider.dispatchEvent(new Event('input')) }")
    part("film-forth").click()
    assert frame() == 4
    part("film-back").click()
    assert frame() == 3 and "frame 3 of" in part("film-text").inner_text()
    part("film-play").click()
    visitor.until(lambda: frame() > 5, "later frames")
    part("film-play").click()
    stood = frame()
    visitor.page.wait_for_timeout(400)
    assert frame() == stood and part("film-play").inner_text() == "Play"


def test_votes_come_in_and_certify(visitor):
    visitor.open_certify(sigma="0.1")
    expect(visitor.page.get_by_text("Certified with confidence 99.9 %")).to_be_visible()
