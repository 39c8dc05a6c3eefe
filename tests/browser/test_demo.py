"""The demo in the browser: keys go on, back and out."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_keys_go_through_the_story(visitor):
    page = visitor.page
    page.goto("/?demo=1")
    expect(page.get_by_text("1 of 5 · Drag.")).to_be_visible()
    page.locator("[data-testid=live-root][data-connected=true]:not([data-frames='0'])").wait_for()
    visitor.settle()
    assert page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") > 16
    expect(page.get_by_label("Checkpoint")).to_be_hidden()
    page.keyboard.press("PageDown")
    expect(page.get_by_text("2 of 5 · Interpolate.")).to_be_visible()
    visitor.until(lambda: visitor.query().get("panel") == "Interpolation", "the panel of the second step")
    visitor.settle()
    page.keyboard.press("PageUp")
    expect(page.get_by_text("1 of 5 · Drag.")).to_be_visible()
    visitor.settle()
    page.keyboard.press("Escape")
    expect(page.get_by_text("1 of 5 · Drag.")).to_have_count(0)
    visitor.until(lambda: "demo" not in visitor.query(), "a link without the demo")
