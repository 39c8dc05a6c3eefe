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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Where several workers share the tests, a file stays together for its fixtures' sake, and the browser's tests go to one of them, for
    several running apps would be in each other's way."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "browser" if nodeid.startswith("tests/browser/") else nodeid.split("::", 1)[0]

    return ByFile(config, log)


def pytest_collection_modifyitems(items):
    """The browser's tests first, for they take longest."""
    items.sort(key=lambda item: "browser" not in item.keywords)


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
