"""The Adversarial augmentation page: the picture follows ν while it is dragged, and the whole search after the release."""

import pytest

pytestmark = pytest.mark.browser
DRAWN = "canvas => canvas.toDataURL()"


def test_the_corrupted_image_follows_the_radius_and_the_search_its_release(visitor):
    visitor.open_adversarial_augmentation(steps="1")
    page = visitor.page
    attacked = page.get_by_test_id("attack-attacked")
    assert attacked.locator("figcaption").inner_text() == "the search, guarded"
    before, slider = attacked.locator("canvas").evaluate(DRAWN), page.get_by_test_id("intervals-radius")
    box, share = slider.bounding_box(), slider.evaluate("slider => slider.value / slider.max")
    x, y = box["x"] + 8 + share * (box["width"] - 16), box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 11):
        page.mouse.move(x + 20 * step, y)
    visitor.until(lambda: attacked.locator("canvas").evaluate(DRAWN) != before, "another picture")
    assert attacked.locator("figcaption").inner_text() == "one step, live" and "radius" not in visitor.query()
    page.mouse.up()
    visitor.until(lambda: "radius" in visitor.query() and attacked.locator("figcaption").inner_text() == "the search, guarded", "the search at the new radius")
