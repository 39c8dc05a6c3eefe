"""Workers and apps killed at random moments: every image is accounted for, and the result is that of a run that nobody disturbed."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from explorer.runs import ACTIVE, Store, events, launch, processes
from explorer.runs.kinds import opened, specify
from explorer.runs.holding import worker_process
from explorer.runs.specification import FILE
from explorer.runs.task import Task
from explorer.runs.worker import WRITTEN
from explorer.types import Silent
from tests.runs.conftest import ended, launch_odd, odd, running, until

HALF_WRITTEN = ".*.*"
STARTING = 4.0  # seconds: about what a worker takes to its first file
APP = "import sys, time\nfrom tests.runs.conftest import launch_odd, odd\nfrom explorer.runs import Store\nrun = Store().submit(odd('count', count=60), launch_odd)\nprint(run.name, flush=True)\ntime.sleep(600)"


def carried_out_here(specification, folder):
    """The same work, done in this process."""
    kind, inputs, parameters = opened(specification)
    kind.work(Task(folder, inputs, parameters, torch.device("cpu"), specification.seed, Silent()))


@pytest.fixture
def undisturbed(extremes, tmp_path):
    """The arrays of the same search, done in this process."""
    carried_out_here(extremes, tmp_path / "undisturbed")
    return load_file(tmp_path / "undisturbed" / "results" / "pairs.safetensors")


def kill_at_random(store, run, chance, most):
    """Kill the worker some files after it began, or while it starts, until it has finished. Yields how many were killed."""
    kills = 0
    while run.snapshot().state != "finished":
        until(lambda: worker_process(run.folder) or run.snapshot().state not in ACTIVE, "a worker")
        goal = files(run) + chance.randint(0, most)
        if goal == files(run):
            time.sleep(chance.uniform(0, STARTING))
        until(lambda: files(run) >= goal or run.snapshot().state not in ACTIVE, "more files")
        time.sleep(chance.uniform(0, 0.05))
        worker = worker_process(run.folder)
        if worker is not None:
            os.kill(worker, signal.SIGKILL)
        seen = ended(run)
        if seen.state != "finished":
            assert seen.state == "failed"
            kills += 1
            assert not processes.members(run.folder)
            store.retry(run, launch if run.snapshot().specification.kind == "extremes" else launch_odd)
            yield kills


def files(run):
    """How many the worker has made."""
    return sum(path.is_file() for part in WRITTEN for path in (run.folder / part).rglob("[!.]*"))


def check_undisturbed(run, undisturbed):
    found = load_file(run.results / "pairs.safetensors")
    assert found.keys() == undisturbed.keys()
    assert all(found[name].equal(undisturbed[name]) for name in found), "bit for bit"
    assert len(found["closest_error"]) == 40 and not list(run.folder.rglob(HALF_WRITTEN))
    assert not processes.members(run.folder)


def survive(store, extremes, undisturbed, kills, seed):
    chance = random.Random(seed)
    run = store.submit(extremes)
    for killed in kill_at_random(store, run, chance, 8):
        if killed >= kills:
            break
    ended(run, 300)
    check_undisturbed(run, undisturbed)
    return sum(event["event"] == "failed" for event in events.all_events(run.folder))


@pytest.mark.slow
def test_a_training_survives_a_kill(store, tmp_path):
    training = specify("training", {"experiment": "digits-rts"}, {"epochs": 3, "limit": 128, "passes": 1}, "cpu")
    run = store.submit(training)
    until(lambda: (run.results / "epoch-0001.png").exists(), "the first epoch")
    os.kill(worker_process(run.folder), signal.SIGKILL)
    assert ended(run).state == "failed"
    store.retry(run)
    carried_out_here(training, tmp_path / "here")
    assert ended(run).state == "finished"
    there, here = run.output, tmp_path / "here" / "output"
    assert (there / "history.json").read_text() == (here / "history.json").read_text()
    weights, expected = (load_file(folder / "digits-rts.safetensors") for folder in (there, here))
    assert weights.keys() == expected.keys() and all(weights[name].equal(expected[name]) for name in weights)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_search_over_a_test_set_survives_fifty_kills(store, extremes, undisturbed):
    total = 0
    for seed in range(100):
        total += survive(store, extremes, undisturbed, kills=8, seed=seed)
        store.delete(store.runs()[0])
        if total >= 50:
            break
    print(f"{total} kills")
    assert total >= 50


def test_many_kills_lose_and_redo_nothing(store):
    chance, written = random.Random(1), {}
    run = store.submit(odd("count", count=150), launch_odd)
    for _ in kill_at_random(store, run, chance, 40):
        now = {path.name: path.stat().st_mtime_ns for path in run.results.glob("*.json")}
        assert now.items() >= written.items(), "what was there is there, and was not made again"
        written = now
    assert {path.stem: path.read_text() for path in run.results.iterdir()} == {str(n): str(n * n) for n in range(150)}
    assert not list(run.folder.rglob(HALF_WRITTEN))


def test_a_run_goes_on_when_its_app_is_killed(store):
    app = subprocess.Popen([sys.executable, "-c", APP], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    run = store.find(app.stdout.readline().strip())
    running(run)
    app.kill()
    app.wait()
    app.stdout.close()
    assert ended(run).state == "finished" and len(list(run.results.iterdir())) == 60


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))])
def test_an_app_killed_at_any_moment_leaves_whole_runs(store, seed):
    """Its run is not there, or it was interrupted before its start, or it goes on."""
    app = subprocess.Popen([sys.executable, "-c", APP], stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[2])
    until(lambda: store.folder.exists(), "the store")
    time.sleep(random.Random(seed).uniform(0, 0.05))
    app.kill()
    app.wait()
    for run in Store().runs():
        assert (run.folder / FILE).exists()
        seen = ended(run)
        assert seen.state in ("finished", "interrupted")
        if seen.state == "interrupted":
            store.retry(run, launch_odd)
            assert ended(run).state == "finished"
        assert len(list(run.results.iterdir())) == 60


@pytest.mark.parametrize("count", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_two_apps_carry_out_each_queued_run_once(store, count):
    script = (
        "import sys\nfrom tests.runs.conftest import launch_odd, odd, ended\nfrom explorer.runs import Store\n"
        f"runs = [Store().submit(odd('count', seed=seed, count=5), launch_odd) for seed in range({count})]\n"
        "assert all(ended(run, 200).state == 'finished' for run in runs)"
    )
    apps = [subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[2]) for _ in range(2)]
    assert [app.wait(250) for app in apps] == [0, 0]
    assert len(store.runs()) == count
    spans = []
    for run in store.runs():
        told = [event for event in events.all_events(run.folder) if event["event"] in ("started", "finished")]
        assert [event["event"] for event in told] == ["started", "finished"], "once"
        spans.append((told[0]["time"], told[1]["time"]))
    spans.sort()
    assert all(end <= start for (_, end), (start, _) in zip(spans, spans[1:])), "one at a time"
