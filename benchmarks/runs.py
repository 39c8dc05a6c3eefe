"""Runs: what they cost over the same work called directly, and what a visitor waits for. Measured in Chromium beside a page of text."""

import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from explorer import locks
from explorer.runs import Specification, Store, cancel, events
from explorer.runs.kinds import specify
from explorer.ui.library import SHIPPED
from tests.browser.app_server import ARGUMENTS, find_chromium, running_app
from tests.browser.driving import Visitor

REPETITIONS, LAUNCHES, VISITS, BEATS, MANY = 3, 7, 7, 12, 200
CHECKPOINT = SHIPPED / "learned_sets" / "digits-rts.safetensors"
PARAMETERS = {"limit": 60, "batch_size": 20, "steps": 50}
DIRECT = """import sys, torch
from pathlib import Path
from explorer.hardware import use_all_cores
from explorer.runs.kinds import opened
from explorer.runs.specification import read_specification
from explorer.runs.task import Task
from explorer.types import Silent
use_all_cores()
specification = read_specification(Path(sys.argv[1]))
kind, inputs, parameters = opened(specification)
kind.work(Task(Path(sys.argv[2]), inputs, parameters, torch.device("cpu"), specification.seed, Silent()))
"""
FLOOR = """import streamlit as st
if st.button("Go"):
    st.session_state["n"] = st.session_state.get("n", 0) + 1
st.caption(f"pressed {st.session_state.get('n', 0)} times")
"""


DRAWN = "() => document.querySelector('[data-testid=stDataFrame] canvas')"
SHOWN = "text => document.body.textContent.includes(text)"  # asked at every frame: Playwright's own waiting asks every 500 ms


def rows() -> list[dict]:
    return [_overhead(), *_waiting()]


def _overhead() -> dict:
    """The same work through a worker and called directly, each in an interpreter of its own, by turns."""
    times = {"run": [], "direct": []}
    for repetition in range(REPETITIONS + 1):
        with tempfile.TemporaryDirectory() as folder:
            specification = specify("extremes", {"checkpoint": str(CHECKPOINT)}, PARAMETERS, "cpu")
            text = Path(folder) / "specification.json"
            text.write_text(specification.text())
            run = Store(Path(folder) / "runs").submit(specification, lambda _: None)
            commands = {"run": [sys.executable, "-m", "explorer.runs", str(run.folder)], "direct": [sys.executable, "-c", DIRECT, str(text), f"{folder}/direct"]}
            for name, command in commands.items():
                started = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                if repetition:
                    times[name].append(time.perf_counter() - started)
    return {
        "benchmark": f"a run's time, {PARAMETERS['limit']} pairs searched",
        "ratio": statistics.median(a / b for a, b in zip(times["run"], times["direct"])),
        "limit": 1.02,
        "peer": f"the same function called directly, {statistics.median(times['direct']):.1f} s with its interpreter's start",
        "details": times,
    }


def _waiting() -> list[dict]:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        script = Path(folder) / "floor.py"
        script.write_text(FLOOR)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        with running_app(Path(folder), script) as address:
            floor = _floor(browser, address)
        with running_app(Path(folder)) as address:
            store = Store(Path(folder) / "runs")
            launch, own = _launches(browser, address, store)
            with _ended_runs(store, MANY):
                table = _visits(browser, address)
            progress = _beats(browser, address, store)
        browser.close()
    beside = f"a page of text answers a button in {1e3 * floor:.0f} ms"
    return [
        _row(
            "from the click on Train to the run's progress, over the page's own rerun: ms", 1e3 * (statistics.median(launch) - statistics.median(own)), 200,
            f"changing a field of that page: {1e3 * statistics.median(own):.0f} ms; {beside}", launch,
        ),
        _row(f"the page Runs with {MANY} runs, over the floor: ms", 1e3 * (statistics.median(table) - floor), 300, beside, table),
        _row("from a worker's heartbeat to the page, slowest: ms", 1e3 * max(progress), 1000, f"median {1e3 * statistics.median(progress):.0f} ms", progress),
    ]


def _row(name: str, value: float, limit: float, peer: str, seconds: list[float]) -> dict:
    return {"benchmark": name, "value": value, "limit": limit, "peer": peer, "details": {"seconds": seconds}}


def _floor(browser, address: str) -> float:
    page, found = browser.new_page(base_url=address), []
    page.goto("/")
    for count in range(1, 12):
        page.get_by_role("button", name="Go").wait_for()
        started = time.perf_counter()
        page.get_by_role("button", name="Go").click()
        page.wait_for_function(SHOWN, arg=f"pressed {count} times")
        found.append(time.perf_counter() - started)
    page.close()
    return statistics.median(found)


def _launches(browser, address: str, store: Store) -> tuple[list[float], list[float]]:
    """Trainings of different seeds, each cancelled before the next; and the page's own rerun, when the seed is changed."""
    visitor, found, own = Visitor(browser.new_page(base_url=address)), [], []
    visitor.open_train(experiment="digits-rts", changes="epochs=2")
    visitor.page.get_by_text("Dry run").click()
    for seed in range(1, LAUNCHES + 2):
        visitor.page.get_by_test_id("stNumberInputStepUp").wait_for()
        started = time.perf_counter()
        visitor.page.get_by_test_id("stNumberInputStepUp").click()
        visitor.page.wait_for_function(SHOWN, arg=f"--seed {seed}")
        own.append(time.perf_counter() - started)
        visitor.settle()
        started = time.perf_counter()
        visitor.page.get_by_role("button", name="Train", exact=True).click()
        visitor.page.wait_for_function("() => document.querySelector('[data-testid=stProgress]')")
        found.append(time.perf_counter() - started)
        (run,) = store.runs()
        cancel(run.folder, wait=True)
        store.delete(run)
    visitor.page.close()
    return found[1:], own[1:]


@contextmanager
def _ended_runs(store: Store, count: int):
    def start(folder: Path) -> None:
        events.append(folder, "launched", attempt=1)
        events.beat(folder, {"state": "running", "done": 300, "total": 300, "seconds": 60.0, "started": time.time(), "device": "cpu:0"})
        events.append(folder, "finished", seconds=60.0)

    made = [store.submit(Specification("quality", {"checkpoint": str(CHECKPOINT)}, {"steps": 50}, "cpu", seed), start) for seed in range(count)]
    yield
    for run in made:
        store.delete(run)


def _visits(browser, address: str) -> list[float]:
    """From the click on its name in the navigation to the table's last line of text, coming from the page Papers."""
    visitor, found = Visitor(browser.new_page(base_url=address)), []
    for visit in range(VISITS + 1):
        visitor.open_papers()
        started = time.perf_counter()
        visitor.page.get_by_role("link", name="Runs", exact=True).click()
        visitor.page.wait_for_function(SHOWN, arg=f"{MANY} finished")
        visitor.page.wait_for_function(DRAWN)
        if visit:
            found.append(time.perf_counter() - started)
    visitor.page.close()
    return found


def _beats(browser, address: str, store: Store) -> list[float]:
    """Heartbeats written here at odd moments, as a worker writes them, until the page shows them."""
    run = store.submit(specify("quality", {"checkpoint": str(CHECKPOINT)}, {}, "cpu"), lambda folder: events.append(folder, "launched", attempt=1))
    visitor, found = Visitor(browser.new_page(base_url=address)), []
    with locks.take(run.folder / events.LOCK):
        events.append(run.folder, "started")
        events.beat(run.folder, {"state": "running", "done": 1, "total": 300})
        visitor.open_runs(run=run.name)
        visitor.page.get_by_text("1 of 300").wait_for()
        for done in range(2, BEATS + 2):
            time.sleep(0.137 * (done % 5))
            started = time.perf_counter()
            events.beat(run.folder, {"state": "running", "done": done, "total": 300})
            visitor.page.wait_for_function(SHOWN, arg=f"{done} of 300")
            found.append(time.perf_counter() - started)
        visitor.page.close()
    return found
