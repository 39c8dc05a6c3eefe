"""A store of one's own, devices that no other test waits for, and runs that end within the test."""

import functools
import json
import sys
import time
from pathlib import Path

import pytest
import torch

from explorer.checkpoints import Header, save
from explorer.models import build_model
from explorer.runs import ACTIVE, Specification, Store, events, launch, processes
from explorer.runs.kinds import specify
from tests.tiny_budgets import save_tiny
from tests.tiny import save_learned_set

ODD = (sys.executable, str(Path(__file__).parent / "odd_worker.py"))
WAIT = 60
launch_odd = functools.partial(launch, worker=ODD)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("EXPLORER_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv("EXPLORER_CPU_RUNS", raising=False)
    made = Store()
    yield made
    for run in made.runs() if made.folder.is_dir() else ():
        processes.kill(run.folder)


def made(specification, event="finished", results=None, heartbeat=None, **values):
    """A run that has ended so, with those tables among its results, without a worker."""

    def start(folder):
        events.append(folder, "launched", attempt=1)
        events.beat(folder, {"state": "running", "done": 3, "total": 4, "seconds": 12.0, "started": 1.7e9, **(heartbeat or {})})
        (folder / "results").mkdir()
        for name, content in (results or {}).items():
            (folder / "results" / f"{name}.json").write_text(json.dumps(content))
        events.append(folder, event, **values)

    return Store().submit(specification, start)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """A tiny learned set of the embedded digits."""
    return save_learned_set(tmp_path_factory.mktemp("checkpoint") / "tiny.safetensors")


@pytest.fixture(scope="session")
def vae(tmp_path_factory):
    """A tiny VAE of the embedded digits."""
    config = {"latent_dim": 2, "widths": [2, 3], "hidden_units": 4}
    header = Header("certified_vae", "tiny-vae", "vae", config, {"name": "digits"}, training={}, metrics={}, seed=0, radius=0.05, percentile_radii={})
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("vae") / "tiny-vae.safetensors"
    save(path, build_model("vae", config), header)
    return path


@pytest.fixture(scope="session")
def budgets(tmp_path_factory):
    """A tiny classifier with budgets, of the embedded digits."""
    return save_tiny(tmp_path_factory.mktemp("budgets"))


@pytest.fixture
def extremes(checkpoint):
    return specify("extremes", {"checkpoint": str(checkpoint)}, {"limit": 40, "batch_size": 2, "steps": 20, "points": True}, "cpu")


def odd(kind, seed=0, **parameters):
    return Specification(kind, {}, parameters, "cpu", seed)


def until(true, what, seconds=WAIT):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.01)


def ended(run, seconds=WAIT):
    until(lambda: run.snapshot().state not in ACTIVE, f"the end of {run.name}", seconds)
    return run.snapshot()


def running(run):
    until(lambda: run.snapshot().state == "running" and run.snapshot().done > 0, f"progress of {run.name}")
    return run.snapshot()
