"""Several processes train what one alone would."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from explorer.errors import ConfigurationError
from explorer.randomness import generator as seeded
from explorer.training import Rows, distributed
from tests.training.shared_training import kept, network, train

SCRIPT, ROOT = str(Path(__file__).parent / "shared_training.py"), Path(__file__).parents[2]
PROCESSES = 2


def started(rank, folder):
    own = {"EXPLORER_RANK": str(rank), "EXPLORER_WORLD": str(PROCESSES), "EXPLORER_MEETING": str(folder / "meeting"), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, SCRIPT, str(folder)], env={**os.environ, **own})


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """What two processes had after each epoch."""
    folder = tmp_path_factory.mktemp("shared")
    assert [each.wait(200) for each in [started(rank, folder) for rank in range(PROCESSES)]] == [0] * PROCESSES
    return [torch.load(folder / f"{epoch}.pt", weights_only=True) for epoch in (1, 2)]


@pytest.fixture(scope="module")
def alone():
    found = []
    train(lambda epoch, *rest: found.append(kept(epoch, *rest)))
    return found


def differences(one, other):
    return max(float((one["model"][name].double() - other["model"][name].double()).abs().max()) for name in one["model"])


def test_two_processes_have_the_weights_of_one_and_its_batch_norm(shared, alone):
    assert differences(shared[0], alone[0]) < 1e-9 and differences(shared[1], alone[1]) < 1e-9
    assert differences(alone[0], alone[1]) > 1e-3, "and it learns"


def test_their_loss_is_that_of_the_whole_batch(shared, alone):
    assert [each["loss"] for each in shared] == pytest.approx([each["loss"] for each in alone], rel=1e-9)


def test_one_process_goes_on_with_what_two_have_begun(shared, alone):
    model, generator, found = network(), seeded("training", 0), []
    model.load_state_dict(shared[0]["model"])
    generator.set_state(shared[0]["generator"])
    optimiser = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
    for each, moment in zip(model.parameters(), shared[0]["moments"], strict=True):
        optimiser.state[each]["momentum_buffer"] = moment.clone()
    train(lambda epoch, *rest: found.append(kept(epoch, *rest)), model, optimiser, generator, start=1)
    assert differences(found[-1], alone[-1]) < 1e-9


@pytest.mark.parametrize(("whole", "processes"), [(10, 3), (3, 3), (1, 4), (7, 1)])
def test_the_rows_of_all_processes_are_the_batch_and_their_weights_one(whole, processes):
    rows = [distributed.Place(rank, processes).rows(whole) for rank in range(processes)]
    assert sum(each.weight for each in rows) == pytest.approx(1)
    assert torch.cat([each.of(torch.arange(whole)) for each in rows]).unique().tolist() == list(range(whole))


def test_a_row_gets_what_is_drawn_for_it_in_the_whole_batch():
    drawn = torch.arange(20).view(2, 10)
    assert Rows(3, 5, 10).of(drawn, 1).tolist() == [[3, 4], [13, 14]]


def test_a_rank_without_a_world_is_refused(monkeypatch):
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigurationError, match="torchrun"):
        distributed.wanted()
