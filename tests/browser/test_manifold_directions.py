"""The Manifold directions page: the Gaussian follows its sliders, and the link what was chosen."""

import pytest

pytestmark = pytest.mark.browser
DRAWN = "figure => figure.querySelector('polygon.arrow, polygon.head').getAttribute('points')"


def test_the_drawing_follows_a_slider_before_the_release_and_the_link_after_it(visitor):
    visitor.open_manifold_directions()
    page = visitor.page
    drawn = lambda: page.get_by_test_id("gaussian-picture").locator("figure").first.evaluate(DRAWN)  # noqa: E731
    before, slider = drawn(), page.get_by_test_id("gaussian-off")
    box = slider.bounding_box()
    share = slider.evaluate("slider => slider.value / slider.max")
    x, y = box["x"] + 7 + share * (box["width"] - 14), box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(x + 8 * step, y)
    visitor.until(lambda: drawn() != before, "other arrows")
    assert "off" not in visitor.query()
    page.mouse.up()
    visitor.until(lambda: "off" in visitor.query(), "the radius in the link")
