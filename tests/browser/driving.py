"""What a visitor does with the pages, and what they see."""

import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

TIMEOUT = 120_000  # milliseconds; a machine that tests on is slow and noisy
DIGITS = "digits-rts"
DRAWN = "canvas => canvas.toDataURL()"
STREAMLITS_PROBES = ("/learned_sets/_stcore/", "/bounds/_stcore/", "/manifold_directions/_stcore/", "/adversarial_augmentation/_stcore/", "/attack/_stcore/", "/certify/_stcore/", "/corruptions/_stcore/", "/contextual_budgets/_stcore/", "/certified_vae/_stcore/", "/papers/_stcore/", "/runs/_stcore/", "/train/_stcore/")  # on a deep link Streamlit asks below the page's path first, and gets 404


class Visitor:
    """One browser page of the app. `problems` are uncaught exceptions, console errors and requests to other hosts."""

    def __init__(self, page):
        self.page, self.problems = page, []
        page.set_default_timeout(TIMEOUT)
        page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        page.on("console", self._check_message)
        page.on("request", lambda request: self._check_host(request.url))

    def _check_message(self, message) -> None:
        where = message.location["url"]
        if message.type == "error" and not any(probe in where for probe in STREAMLITS_PROBES):
            self.problems.append(f"{message.text} {where}")

    def _check_host(self, url: str) -> None:
        if urlsplit(url).scheme in ("http", "https", "ws", "wss") and urlsplit(url).hostname != "127.0.0.1":
            self.problems.append(f"asked another host: {url}")

    def block_live_connection(self) -> None:
        """From the next page on, the live connection goes to an address where nobody answers."""
        self.page.add_init_script("""{
          const Real = WebSocket;
          window.WebSocket = class extends Real {
            constructor(url, ...rest) { super(new URL(url).pathname === "/live" ? `${url}-blocked` : url, ...rest); }
          };
        }""")

    def open_gallery(self) -> None:
        self.page.goto("/")
        self.card().locator("img").wait_for()
        self.settle()

    def open_learned_set(self, **query) -> None:
        """With digits-rts, until the picture is there and the page below it is complete."""
        self.page.goto("/learned_sets?" + urlencode({"model": DIGITS, **query}))
        self.wait_for_picture()

    def open_bounds(self, **query) -> None:
        """Until the margins are there, live ones and those of all methods."""
        self._open("bounds", {"model": "uniform-digits", **query})
        self.page.locator("[data-testid=intervals-root][data-connected=true]:not([data-frames='0'])").wait_for()

    def open_certified_vae(self, **query) -> None:
        """Until the bounds are there and the attack has been."""
        self._open("certified_vae", query)
        self.page.locator("[data-testid=intervals-root][data-connected=true]:not([data-frames='0'])").wait_for()
        self.page.get_by_test_id("elbo-attack-0").wait_for()

    def open_contextual_budgets(self, **query) -> None:
        """Until the maps are there, and the verdicts of the attack."""
        self._open("contextual_budgets", {"model": "budgets-digits", **query})
        self.page.locator("[data-testid=budgets-root][data-connected=true]:not([data-frames='0'])[data-of=page]").wait_for()
        self.until(lambda: "under way" not in self.page.get_by_test_id("budgets-stale").inner_text(), "the attack")
        self.settle()

    def open_attack(self, **query) -> None:
        """Until picture and logits are there, and the attack has been."""
        self._open("attack", {"model": "uniform-digits", **query})
        self.page.locator("[data-testid=intervals-root][data-connected=true]:not([data-frames='0'])").wait_for()
        self.page.get_by_test_id("film-root").wait_for()
        self.settle()

    def open_certify(self, **query) -> None:
        self._open("certify", {"model": "uniform-digits", **query})

    def open_corruptions(self, **query) -> None:
        """Until every tile is there."""
        self._open("corruptions", {"model": "uniform-digits", **query})
        self.page.locator(".corrupted .tile").nth(15).wait_for()
        self.settle()

    def open_manifold_directions(self, **query) -> None:
        """Until the Gaussian is drawn over the live connection."""
        self._open("manifold_directions", query)
        self.page.locator("[data-testid=gaussian-root][data-connected=true]:not([data-frames='0'])").wait_for()

    def open_adversarial_augmentation(self, **query) -> None:
        """Until picture and logits are there, and the search has been."""
        self._open("adversarial_augmentation", query)
        self.page.locator("[data-testid=intervals-root][data-connected=true]:not([data-frames='0'])").wait_for()
        self.page.get_by_test_id("film-root").wait_for()
        self.settle()

    def open_papers(self, **query) -> None:
        self._open("papers", query)

    def open_train(self, **query) -> None:
        self._open("train", query)

    def open_runs(self, **query) -> None:
        self._open("runs", query)

    def _open(self, page: str, query: dict[str, str]) -> None:
        self.page.goto(f"/{page}?" + urlencode(query))
        self.page.get_by_test_id("copy-link").wait_for()
        self.settle()

    def wait_for_picture(self) -> None:
        self.page.locator("[data-testid=live-root][data-connected=true]:not([data-frames='0'])").wait_for()
        self.page.get_by_test_id("copy-link").wait_for()
        self.settle()

    def settle(self) -> None:
        """Until Python has answered all that was asked."""
        self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()

    def part(self, name: str):
        """A part of the live control."""
        return self.page.get_by_test_id(f"live-{name}")

    def card(self, key: str = DIGITS):
        return self.page.locator(f".st-key-card-{key}")

    def seen(self) -> str:
        """The pixels of the live picture."""
        return self.part("canvas").evaluate(DRAWN)

    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.page.url).query).items()}

    def until(self, true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + TIMEOUT / 1000
        while not true():
            assert time.monotonic() < deadline, f"waited in vain: {what}"
            self.page.wait_for_timeout(20)

    def until_seen_other_than(self, *pictures: str) -> str:
        self.until(lambda: self.seen() not in pictures, "another picture")
        return self.seen()

    def grab(self, name: str) -> tuple[float, float]:
        """Press the mouse in the middle of a slider or pad; at the handle, where it is a slider."""
        part = self.part(name)
        part.scroll_into_view_if_needed()
        box = part.bounding_box()
        share = part.evaluate("part => part.max ? (part.value - part.min) / (part.max - part.min) : 0.5")
        x, y = box["x"] + 8 + share * (box["width"] - 16), box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        return x, y

    def drag(self, name: str, pixels: int = 60) -> None:
        """In small moves, to the left for a negative number; the button stays pressed."""
        x, y = self.grab(name)
        for step in range(1, 21):
            self.page.mouse.move(x + pixels * step / 20, y)

    def release(self) -> None:
        self.page.mouse.up()
