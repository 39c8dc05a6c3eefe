"""What a visitor waits for: the next exact frame while dragging, and the page after the release. Measured in Chromium."""

import itertools
import math
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from playwright.sync_api import sync_playwright

from explorer.checkpoints import Header, load, save
from explorer.models import build_model
from explorer.sets import LatentBall
from explorer.ui.library import SHIPPED
from tests.browser.app_server import ARGUMENTS, find_chromium, running_app
from tests.browser.driving import Visitor

SECONDS, RELEASES, DECODES = 3, 30, 30
VIEWS = {"one": ("one image", 1, 33), "images": ("64 images", 64, 100)}
RELEASE_LIMIT, NUMBERS_LIMIT = 250, 100

RECORD_FRAMES = """() => {
  window.frameTimes = null;
  document.addEventListener("input", () => { window.frameTimes ??= [] }, true);
  document.addEventListener("live-frame", event => window.frameTimes?.push(event.detail.at));
}"""
DRAG_EVERY_8_MS = """(slider, seconds) => new Promise(done => {
  const start = performance.now();
  const timer = setInterval(() => {
    const elapsed = performance.now() - start;
    slider.value = slider.max * Math.sin(elapsed / 400);
    slider.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    if (elapsed > 1000 * seconds) { clearInterval(timer); slider.dispatchEvent(new Event("change", { bubbles: true })); done() }
  }, 8);
})"""
RECORD_RELEASE = """() => {
  const caption = () => [...document.querySelectorAll("[data-testid=stCaptionContainer]")].map(each => each.textContent).find(text => text.startsWith("‖u‖ = "));
  window.addEventListener("pointerup", () => { window.released = performance.now(); window.before = caption(); window.committed = null }, true);
  new MutationObserver(() => {
    if (window.released && window.committed === null && caption() && caption() !== window.before) window.committed = performance.now() - window.released;
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
TRIVIAL = """import streamlit as st
st.caption(f"‖u‖ = {st.slider('value', 0, 1000)}")
"""


def rows() -> list[dict]:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, running_app(Path(folder), checkpoints=_dm_small(Path(folder) / "own")) as address:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        measured = [row for path in sorted(SHIPPED.rglob("learned_sets/*.safetensors")) for row in _dragged(browser, address, path)]
        measured += [*_margins(browser, address), *_certified(browser, address), *_budgets(browser, address), _released(browser, address, Path(folder))]
        browser.close()
    return measured


def _dragged(browser, address: str, checkpoint: Path) -> list[dict]:
    """For one image and for the grid, by synthetic input and by real mouse moves."""
    measured, visitor = [], _visitor(browser, address)
    visitor.open_learned_set(model=checkpoint.stem)
    visitor.page.evaluate(RECORD_FRAMES)
    for view, (shown, count, limit) in VIEWS.items():
        visitor.part(f"view-{view}").click()
        visitor.until(lambda view=view: visitor.query().get("view", "one") == view, "the view")
        visitor.settle()
        before = _decode_milliseconds(checkpoint, count)
        synthetic, mouse = _intervals(visitor, _synthetic), _intervals(visitor, _mouse)
        plain = statistics.median([*before, *_decode_milliseconds(checkpoint, count)])
        for how, times in (("input every 8 ms", synthetic), ("mouse", mouse)):
            median, p95 = _summary(times)
            measured.append(
                {
                    "benchmark": f"drag {checkpoint.stem}, {shown}, {how}: ms",
                    "value": median,
                    "limit": limit,
                    "peer": f"p95 {p95:.1f}; plain decode {plain:.2f} ms (×{median / plain:.1f})",
                    "details": {"median": median, "p95": p95, "frames": len(times), "decode": plain, "ratio": median / plain},
                }
            )
    visitor.page.context.close()
    return measured


def _margins(browser, address: str) -> list[dict]:
    """The radius of the Bounds page: certified margins by IBP and CROWN-IBP for every radius on the way."""
    visitor = _visitor(browser, address)
    visitor.open_bounds()
    return _numbers(visitor, "Bounds, uniform-digits", [("intervals-radius", *how) for how in DRAGS])


def _certified(browser, address: str) -> list[dict]:
    """The radius of Certified VAE: ELBO, its certified bound and the latents' intervals of as many VAEs as the page takes."""
    visitor = _visitor(browser, address)
    visitor.open_certified_vae(model=",".join(path.stem for path in sorted(SHIPPED.rglob("certified_vae/*mnist*.safetensors"))[:4]))
    return _numbers(visitor, "Certified VAE, 4 VAEs", [("intervals-radius", *how) for how in DRAGS])


def _dm_small(folder: Path) -> str:
    """A folder with a checkpoint of the paper's size, DM-small and a dense generator; its weights are random, which costs as much."""
    folder.mkdir()
    torch.manual_seed(0)
    header = Header("classifier", "budgets", "budgeted_classifier", {}, {"name": "digits"}, {}, {}, 0, 0.4, {})
    save(folder / "budgets.safetensors", build_model("budgeted_classifier", {}), header)
    return str(folder)


def _budgets(browser, address: str) -> list[dict]:
    """Volume and range of Contextual budgets: learned and uniform budgets, their margins by CROWN-IBP and one step of the attack."""
    visitor = _visitor(browser, address)
    visitor.open_contextual_budgets(model="own/budgets")
    return _numbers(visitor, "Contextual budgets, DM-small", [*(("budgets-volume", *how) for how in DRAGS), ("budgets-alpha", *DRAGS[1])])


def _numbers(visitor: Visitor, what: str, drags: list[tuple[str, str, Callable]]) -> list[dict]:
    """A row for every (slider, name of the way, way) to drag it; closes the visitor's browser."""
    visitor.page.evaluate(RECORD_FRAMES)
    measured = []
    for name, how, drag in drags:
        slider = visitor.page.get_by_test_id(name)
        median, p95 = _summary(_intervals(visitor, lambda visitor, drag=drag, slider=slider: drag(visitor, slider)))
        measured.append(
            {
                "benchmark": f"drag {what}, {name.split('-')[1]}, {how}: ms",
                "value": median,
                "limit": NUMBERS_LIMIT,
                "peer": f"p95 {p95:.1f}",
                "details": {"median": median, "p95": p95},
            }
        )
    visitor.page.context.close()
    return measured


def _synthetic(visitor: Visitor, slider=None) -> None:
    (slider or visitor.part("direction-1")).evaluate(DRAG_EVERY_8_MS, SECONDS)


def _mouse(visitor: Visitor, slider=None) -> None:
    """Back and forth around the middle of the slider, never against its ends, where nothing changes."""
    slider = slider or visitor.part("direction-1")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    visitor.page.mouse.move(x, y)
    visitor.page.mouse.down()
    start = time.monotonic()
    while time.monotonic() < start + SECONDS:
        visitor.page.mouse.move(x + 80 * math.sin(3 * (time.monotonic() - start)), y)
    visitor.page.mouse.up()


DRAGS = (("input every 8 ms", _synthetic), ("mouse", _mouse))


def _intervals(visitor: Visitor, drag) -> list[float]:
    """Milliseconds between frames drawn since the drag's first input."""
    visitor.page.wait_for_timeout(1000)
    visitor.page.evaluate("() => { window.frameTimes = null }")
    drag(visitor)
    times = visitor.page.evaluate("() => window.frameTimes")
    return [later - earlier for earlier, later in itertools.pairwise(times)]


def _decode_milliseconds(checkpoint: Path, count: int) -> list[float]:
    """The model's decoder alone, in this process, which has the server's number of threads."""
    model = load(checkpoint).model
    perturbations = LatentBall(model, 1.0).at(torch.rand(count, *model.image_shape))
    point, times = torch.randn(count, perturbations.region.shape[-1]) * 0.05, []
    with torch.inference_mode():
        for _ in range(DECODES):
            started = time.perf_counter()
            perturbations.perturb(point)
            times.append(1e3 * (time.perf_counter() - started))
    return times[DECODES // 3 :]


def _released(browser, address: str, folder: Path) -> dict:
    """From the release of the pointer to the committed norm in the page, beside an app of one slider and one text."""
    visitor = _visitor(browser, address)
    visitor.open_learned_set()
    ours = _release_times(visitor, visitor.part("direction-1"))
    script = folder / "trivial.py"
    script.write_text(TRIVIAL, encoding="utf-8")
    with running_app(folder, script) as trivial_address:
        trivial = _visitor(browser, trivial_address)
        trivial.page.goto("/")
        trivial.page.get_by_text("‖u‖ = ").wait_for()
        floor = _release_times(trivial, trivial.page.locator("[data-testid=stSlider] [role=group] > div").first)
    (median, p95), (floor_median, floor_p95) = _summary(ours), _summary(floor)
    return {
        "benchmark": "from release to the committed page: ms",
        "value": median,
        "limit": RELEASE_LIMIT,
        "peer": f"p95 {p95:.0f}; an app of one slider and one text {floor_median:.0f} (p95 {floor_p95:.0f})",
        "details": {"median": median, "p95": p95, "floor_median": floor_median, "floor_p95": floor_p95, "releases": len(ours)},
    }


def _release_times(visitor: Visitor, track) -> list[float]:
    """Milliseconds, after drags to two places in turn, whose norms differ."""
    visitor.page.evaluate(RECORD_RELEASE)
    times = []
    for repetition in range(RELEASES + 1):
        box = track.bounding_box()
        y = box["y"] + box["height"] / 2
        visitor.page.mouse.move(box["x"] + 0.5 * box["width"], y)
        visitor.page.mouse.down()
        for step in range(1, 11):
            visitor.page.mouse.move(box["x"] + (0.5 + 0.01 * step * (3 if repetition % 2 else 2)) * box["width"], y)
        visitor.page.mouse.up()
        visitor.until(lambda: visitor.page.evaluate("() => window.committed") is not None, "the committed page")
        visitor.settle()
        times.append(visitor.page.evaluate("() => window.committed"))
    return times[1:]


def _visitor(browser, address: str) -> Visitor:
    return Visitor(browser.new_context(base_url=address, viewport={"width": 1280, "height": 1000}).new_page())


def _summary(times: list[float]) -> tuple[float, float]:
    return statistics.median(times), sorted(times)[int(0.95 * len(times))]
