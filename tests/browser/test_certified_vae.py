"""The Certified VAE page: what moves while the radius is dragged, and what is computed on release."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_bounds import drag

pytestmark = pytest.mark.browser


def number(visitor, column: str) -> str:
    return visitor.page.get_by_test_id(f"elbo-{column}-0").inner_text()


def test_bound_and_latents_follow_before_the_release_and_the_attack_after_it(visitor):
    visitor.open_certified_vae()
    before = {column: number(visitor, column) for column in ("certified-≥", "width", "clean", "attack")}
    drag(visitor, -60)
    visitor.until(lambda: number(visitor, "certified-≥") != before["certified-≥"] and number(visitor, "width") != before["width"], "another bound")
    assert (number(visitor, "clean"), number(visitor, "attack")) == (before["clean"], before["attack"])
    expect(visitor.page.get_by_test_id("intervals-stale")).to_contain_text("until release")
    visitor.release()
    visitor.until(lambda: "radius" in visitor.query(), "the radius in the link")
    visitor.settle()
    visitor.until(lambda: number(visitor, "attack") != before["attack"], "the attack at this radius")
