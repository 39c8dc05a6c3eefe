"""The Corruptions page: tiles in one row of equal size, and a severity that is chosen."""

import pytest

pytestmark = pytest.mark.browser


def test_tiles_are_square_and_equal_and_follow_the_severity(visitor):
    visitor.open_corruptions()
    tiles = visitor.page.locator(".corrupted .tile")
    boxes = tiles.evaluate_all("tiles => tiles.map(tile => [tile.clientWidth, tile.clientHeight])")
    assert len(boxes) == 80 and max(map(max, boxes)) - min(map(min, boxes)) <= 1
    visitor.page.get_by_role("radio", name="3", exact=True).click()
    visitor.until(lambda: tiles.count() == 16, "one severity")
    visitor.until(lambda: visitor.query().get("severity") == "3", "the severity in the link")
    assert not visitor.problems
