"""Addresses: a view is opened again from its link, and settings outlive a change of page."""

import base64

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.checkpoints import describe
from explorer.ui.library import SHIPPED
from tests.browser.driving import DIGITS

pytestmark = pytest.mark.browser

POINT = np.zeros(describe(SHIPPED / "learned_sets" / f"{DIGITS}.safetensors").model_config["latent_dim"], "<f4")
POINT[:2] = 0.9, 1.2
VIEW = {"image": "5", "radius": "2", "u": base64.urlsafe_b64encode(POINT.tobytes()).decode().rstrip("="), "panel": "Interpolation"}


@pytest.fixture
def linked(visitor):
    visitor.open_learned_set(**VIEW)
    return visitor


@pytest.mark.slow
def test_a_cold_link_shows_its_image(linked):
    expect(linked.page.locator("[data-part=caption]")).to_contain_text("test image 5 ")
    expect(linked.page.get_by_test_id("strip-5")).to_have_attribute("aria-selected", "true")


def test_a_cold_link_shows_its_point_and_radius(linked):
    expect(linked.part("norm")).to_contain_text("‖u‖ 1.50 of radius 2.00")


@pytest.mark.slow
def test_a_cold_link_shows_its_panel(linked):
    expect(linked.page.get_by_text("From, over, to")).to_be_visible()


def test_the_same_link_shows_the_same_pixels(linked, new_visitor):
    another = new_visitor()
    another.open_learned_set(**VIEW)
    another.until(lambda: another.seen() == linked.seen(), "the pixels of the first visitor")


@pytest.mark.slow
def test_the_copied_link_is_the_address_of_the_view(new_visitor):
    visitor = new_visitor(permissions=["clipboard-read", "clipboard-write"])
    visitor.open_learned_set(**VIEW)
    visitor.page.get_by_test_id("copy-link").click()
    expect(visitor.page.get_by_text("Copied")).to_be_visible()
    assert visitor.page.evaluate("navigator.clipboard.readText()") == visitor.page.url
    assert visitor.query() == {"model": DIGITS, **VIEW}


@pytest.mark.slow
def test_settings_are_still_there_after_a_visit_to_the_gallery(linked):
    pages = linked.page.get_by_test_id("stSidebarNav")
    pages.get_by_role("link", name="Gallery").click()
    linked.card().wait_for()
    pages.get_by_role("link", name="Learned sets").click()
    linked.wait_for_picture()
    linked.until(lambda: linked.query() == {"model": DIGITS, **VIEW}, "the settings in the address")
    expect(linked.part("norm")).to_contain_text("‖u‖ 1.50 of radius 2.00")


@pytest.mark.parametrize(
    ("query", "message"),
    [({"image": "100000"}, "image = 100000 cannot be shown"), pytest.param({"radius": "banana"}, "radius = 'banana' cannot be used", marks=pytest.mark.slow)],
    ids=["image", "radius"],
)
def test_a_bad_link_says_so_and_the_picture_can_be_dragged(visitor, query, message):
    visitor.open_learned_set(**query)
    expect(visitor.page.get_by_test_id("stAlert")).to_contain_text(message)
    before = visitor.seen()
    visitor.drag("direction-1")
    visitor.until_seen_other_than(before)
