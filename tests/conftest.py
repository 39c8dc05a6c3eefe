"""Shared by all tests: threads from the cores that exist, real data where it is at hand, tiny models."""

import os
from pathlib import Path

import pytest
import torch

from explorer.hardware import available_cores, use_all_cores
from explorer.models import build_model
from explorer.storage import RUNS_VARIABLE
from tests.tiny import TINY

WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
use_all_cores(spare=available_cores() * (WORKERS - 1) // WORKERS)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Where several workers share the tests, a file stays together for its fixtures' sake, and the browser's tests go to one of them,
    first, for they take longest and several running apps would be in each other's way."""
    items.sort(key=lambda item: "browser" not in item.keywords)
    for item in items:
        item.add_marker(pytest.mark.xdist_group("browser" if "browser" in item.keywords else str(item.path)))


@pytest.fixture(autouse=True)
def own_runs(tmp_path, monkeypatch):
    """No test reads or writes the runs of whoever works in this folder."""
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path / "runs"))


@pytest.fixture
def tiny_model():
    torch.manual_seed(0)
    return build_model("rts_cvae", TINY).eval()


@pytest.fixture
def real_data() -> Path:
    """The folder of the published data sets; without one the test is skipped, and the embedded sets cover the same code."""
    folder = os.environ.get("EXPLORER_DATA")
    if not folder or not list((Path(folder) / "MNIST" / "raw").glob("train-images*")):
        pytest.skip("EXPLORER_DATA does not name a folder with MNIST")
    return Path(folder)
