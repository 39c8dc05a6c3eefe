"""One server for all browser tests, one Chromium for each file of them, a fresh profile for each test."""

import os

import pytest

from tests.browser.app_server import ARGUMENTS, find_chromium, running_app
from tests.browser.driving import TIMEOUT, Visitor

REQUIRED = "EXPLORER_REQUIRE_BROWSER"


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """The running app's."""
    with running_app(tmp_path_factory.mktemp("app")) as address:
        yield address


BLOCKED = "/live-blocked"  # where a test sends the live connection on purpose


@pytest.fixture(scope="module")  # while Playwright runs, no other test of the session could run an event loop of its own
def chromium():
    executable = find_chromium()
    if executable is None:
        missing = pytest.fail if os.environ.get(REQUIRED) else pytest.skip
        missing("no Chromium on this machine: apt install chromium")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=TIMEOUT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def new_visitor(chromium, address):
    """Makes a visitor with an empty profile. Whatever went wrong in a visitor's page fails the test at its end."""
    visitors = []

    def make(**context) -> Visitor:
        made = chromium.new_context(**{"viewport": {"width": 1280, "height": 1000}, "base_url": address, **context})
        visitors.append(Visitor(made.new_page()))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.page.context.close()
    assert not [problem for visitor in visitors for problem in visitor.problems if BLOCKED not in problem]


@pytest.fixture
def visitor(new_visitor) -> Visitor:
    return new_visitor()
