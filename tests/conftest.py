"""Shared by all tests: threads from the cores that exist, real data where it is at hand, tiny models."""

import os
from pathlib import Path

import pytest
import torch

from explorer.hardware import use_all_cores
from explorer.models import build_model
from explorer.storage import RUNS_VARIABLE
from tests.tiny import TINY

use_all_cores()


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
