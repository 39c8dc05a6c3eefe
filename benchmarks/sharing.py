"""What sharing a run or a training costs and saves, in seconds of one core, which a busy machine does not change: docs in SCALING.md."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

from explorer.papers import EXPERIMENTS
from explorer.papers.base import Place
from explorer.runs.kinds import opened, specify
from explorer.runs.task import Task
from explorer.types import Silent
from explorer.ui.library import SHIPPED

CLASSIFIER = SHIPPED / "manifold_directions" / "lenet-digits-pgd.safetensors"
IMAGES, VOTES, STEPS = 8, 1000, 24
EXPERIMENT, BATCH = "digits-rts", 64


def rows() -> list[dict]:
    many, one = _measured("certify", {"samples": VOTES, "sigmas": [0.5]}), _measured("attack", {"attack": "pgd"})
    seconds, parameters = _step()
    return [
        _row("a process until its first batch, core seconds", _start(), 60, "what each process costs before it helps"),
        _row(f"certifying an image with {VOTES} votes, core seconds", many, 60, "lenet-digits-pgd, one sigma"),
        _row("attacking an image with PGD, core seconds", one, 60, "lenet-digits-pgd"),
        _row(f"a training step of {BATCH} pairs, core seconds", seconds, 60, EXPERIMENT),
        _row("megabytes that a process sends and gets at a step", 8 * parameters / 1e6, 1e4, f"gradients of {parameters:,} parameters, there and back"),
    ]


def _start() -> float:
    """User and system time of an interpreter that opens a run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", "import explorer.runs.sharing"], check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _measured(kind: str, parameters: dict) -> float:
    """Core seconds for each image, from the difference between some images and few: opening the checkpoint drops out."""

    def took(limit: int) -> float:
        specification = specify(kind, {"checkpoint": str(CLASSIFIER)}, {**parameters, "limit": limit, "batch_size": limit}, "cpu")
        entry, inputs, settings = opened(specification)
        with tempfile.TemporaryDirectory() as folder:
            before = time.process_time()
            entry.work(Task(Path(folder), inputs, settings, torch.device("cpu"), 0, Silent()))
            return time.process_time() - before

    took(1)
    few = took(1)
    return (took(1 + IMAGES) - few) / IMAGES


def _step() -> tuple[float, int]:
    """Core seconds of a step, from the difference between two lengths of an epoch; and the number of parameters."""
    experiment = EXPERIMENTS[EXPERIMENT]

    def took(steps: int, folder: str) -> float:
        config = replace(experiment.config, epochs=1, passes=steps, limit=BATCH, batch_size=BATCH)
        before = time.process_time()
        experiment.train(EXPERIMENT, config, Place(Path(folder) / str(steps), torch.device("cpu")), Silent())
        return time.process_time() - before

    with tempfile.TemporaryDirectory() as folder:
        few = took(1, folder)
        seconds = (took(1 + STEPS, folder) - few) / STEPS
        from explorer.checkpoints import load

        model = load(Path(folder) / "1" / "last.safetensors", "cpu").model
    return seconds, sum(each.numel() for each in model.parameters())


def _row(name: str, value: float, limit: float, peer: str) -> dict:
    return {"benchmark": name, "value": value, "limit": limit, "peer": peer}
