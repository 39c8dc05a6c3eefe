"""The gallery, and files that visitors bring."""

import io
import re

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from tests.browser.driving import DIGITS

pytestmark = pytest.mark.browser


def test_a_card_leads_to_the_page_of_its_checkpoint(visitor):
    visitor.open_gallery()
    visitor.card().get_by_role("link", name="Explore").click()
    visitor.wait_for_picture()
    assert visitor.query()["model"] == DIGITS


@pytest.mark.slow
def test_other_samples_are_other_pictures(visitor):
    visitor.open_gallery()
    picture = visitor.card().locator("img")
    before = picture.get_attribute("src")
    visitor.card().get_by_role("button", name="Other samples").click()
    expect(picture).not_to_have_attribute("src", before)


@pytest.fixture
def broken_upload(visitor):
    visitor.open_gallery()
    visitor.page.get_by_text("Add checkpoints").click()
    broken = {"name": "broken.safetensors", "mimeType": "application/octet-stream", "buffer": b"this is no checkpoint"}
    visitor.page.get_by_role("region", name="A .safetensors file").locator("input[type=file]").set_input_files(broken)
    return visitor


@pytest.mark.slow
def test_a_broken_checkpoint_is_refused_by_name(broken_upload):
    expect(broken_upload.page.get_by_test_id("stAlert")).to_contain_text("broken.safetensors is not a safetensors file")


@pytest.mark.slow
def test_after_a_broken_checkpoint_the_gallery_still_leads_on(broken_upload):
    broken_upload.page.get_by_test_id("stAlert").wait_for()
    broken_upload.card().get_by_role("link", name="Explore").click()
    broken_upload.wait_for_picture()


def ring() -> bytes:
    picture, buffer = Image.new("L", (64, 64)), io.BytesIO()
    ImageDraw.Draw(picture).ellipse((14, 8, 50, 56), outline=255, width=8)
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.slow
def test_an_uploaded_picture_is_perturbed_live(visitor):
    visitor.page.goto(f"/learned_sets?model={DIGITS}&choice=Upload")
    visitor.page.locator("input[type=file]").set_input_files({"name": "ring.png", "mimeType": "image/png", "buffer": ring()})
    visitor.wait_for_picture()
    expect(visitor.page.locator("[data-part=caption]")).to_have_text(re.compile("your picture ring.png"))
    before = visitor.seen()
    visitor.drag("direction-1")
    visitor.until_seen_other_than(before)
