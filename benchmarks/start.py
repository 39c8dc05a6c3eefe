"""From starting the app to a page one can use. Measured in Chromium, with a fresh profile."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from explorer.ui.library import SHIPPED
from tests.browser.app_server import ARGUMENTS, find_chromium, running_app

STARTS = 2
LIMIT = 5


def rows() -> list[dict]:
    """The last of some starts: by then the machine has the files in its memory."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        starts = [_start(browser) for _ in range(STARTS)]
        browser.close()
    healthy, usable = starts[-1]
    return [
        {
            "benchmark": "warm start to the gallery's sample strips: s",
            "value": usable,
            "limit": LIMIT,
            "peer": f"server answers after {healthy:.2f} s; importing torch alone {_import_torch():.2f} s; first start {starts[0][1]:.2f} s",
            "details": {"seconds": [usable for _, usable in starts], "healthy_seconds": [healthy for healthy, _ in starts]},
        }
    ]


def _import_torch() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.perf_counter() - started


def _start(browser) -> tuple[float, float]:
    """Seconds until the server is healthy, and until every card shows its samples."""
    cards = len(list(SHIPPED.rglob("*.safetensors")))
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        with running_app(Path(folder)) as address:
            healthy = time.perf_counter() - started
            page = browser.new_page()
            page.goto(address)
            page.locator("[class*=st-key-card-] img").nth(cards - 1).wait_for(timeout=60_000)
            usable = time.perf_counter() - started
            page.close()
    return healthy, usable
