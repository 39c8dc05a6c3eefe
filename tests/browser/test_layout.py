"""A narrow screen."""

import pytest

from tests.browser.driving import Visitor

pytestmark = pytest.mark.browser

WIDTH = 390
PAGES = {
    "gallery": Visitor.open_gallery, "learned_sets": Visitor.open_learned_set, "papers": Visitor.open_papers, "train": Visitor.open_train,
    "runs": Visitor.open_runs, "bounds": Visitor.open_bounds, "certified_vae": Visitor.open_certified_vae, "contextual_budgets": Visitor.open_contextual_budgets, "adversarial_augmentation": Visitor.open_adversarial_augmentation,
}  # fmt: skip
TOO_WIDE = """() => [document.documentElement, document.querySelector("[data-testid=stMain]")]
  .some(each => each.scrollWidth > each.clientWidth)"""


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
@pytest.mark.parametrize("open_page", PAGES.values(), ids=PAGES)
def test_a_page_fits_a_narrow_screen(new_visitor, open_page, scheme):
    visitor = new_visitor(viewport={"width": WIDTH, "height": 844}, color_scheme=scheme)
    open_page(visitor)
    assert not visitor.page.evaluate(TOO_WIDE)
