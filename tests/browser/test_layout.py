"""A narrow screen."""

import pytest

from tests.browser.driving import Visitor

pytestmark = pytest.mark.browser

WIDTH = 390
TOO_WIDE = """() => [document.documentElement, document.querySelector("[data-testid=stMain]")]
  .some(each => each.scrollWidth > each.clientWidth)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("open_page", [Visitor.open_gallery, Visitor.open_learned_set, Visitor.open_papers], ids=["gallery", "learned_sets", "papers"])
def test_a_page_fits_a_narrow_screen(new_visitor, open_page, scheme):
    visitor = new_visitor(viewport={"width": WIDTH, "height": 844}, color_scheme=scheme)
    open_page(visitor)
    assert not visitor.page.evaluate(TOO_WIDE)
