"""How long a run would take is told from an earlier one, or from a small part of it."""

import dataclasses
import types

import pytest

from explorer.errors import Cancelled, ExplorerError
from explorer.runs import estimate, events
from explorer.runs.estimate import START_SECONDS, by_trying, from_earlier_runs
from explorer.types import Silent
from tests.runs.conftest import odd
from tests.stopping import Stopped


@dataclasses.dataclass(frozen=True)
class Parameters:
    epochs: int = 1


def finished(specification, total, seconds, store):
    def start(folder):
        events.append(folder, "launched", attempt=1)
        events.beat(folder, {"state": "running", "done": total, "total": total, "seconds": seconds})
        events.append(folder, "finished")

    return store.submit(specification, start)


@pytest.mark.parametrize(("limit", "seconds"), [(50, 10.0), (400, 80.0), (None, 2000.0)])
def test_an_earlier_run_of_all_examples_tells_of_any_number(store, limit, seconds):
    run = finished(odd("count", limit=None, steps=5), 10_000, 2000.0, store)
    told = from_earlier_runs(odd("count", limit=limit, steps=5), store)
    assert told.seconds == pytest.approx(START_SECONDS + seconds) and told.basis == f"run {run.number}"


def test_an_earlier_run_of_some_does_not_tell_how_many_all_are(store):
    finished(odd("count", limit=10, steps=5), 10, 2.0, store)
    assert from_earlier_runs(odd("count", limit=None, steps=5), store) is None
    assert from_earlier_runs(odd("count", limit=20, steps=5), store).seconds == pytest.approx(START_SECONDS + 4.0)


@pytest.mark.parametrize("other", [odd("count", limit=20, steps=6), odd("parent", limit=20, steps=5), dataclasses.replace(odd("count", limit=20, steps=5), device="cuda")])
def test_a_run_that_differs_in_more_tells_nothing(store, other):
    finished(odd("count", limit=10, steps=5), 10, 2.0, store)
    assert from_earlier_runs(other, store) is None


@pytest.fixture
def trial(monkeypatch):
    """A kind that loads for 7 seconds, works for 3 and saves for 2, by a clock of its own; the first time everything takes longer."""
    clock = types.SimpleNamespace(now=0.0, slow=10.0, parameters=Parameters(), folders=[])

    def work(task):
        clock.folders.append(task.folder)
        clock.now += 7.0 * clock.slow
        task.progress.advance(0, 2)
        for done in (1, 2):
            clock.now += 1.5 * clock.slow
            task.progress.advance(done, 2)
        clock.now += 2.0 * clock.slow
        clock.slow = 1.0

    kind = types.SimpleNamespace(work=work, sample=lambda inputs, parameters: (parameters, 100.0))
    monkeypatch.setattr(estimate, "opened", lambda specification: (kind, None, clock.parameters))
    monkeypatch.setattr(estimate.time, "monotonic", lambda: clock.now)
    clock.kind = kind
    return clock


@pytest.mark.parametrize("epochs", [1, 5])
def test_a_trial_counts_its_second_time_and_what_repeats(trial, epochs):
    trial.parameters = Parameters(epochs)
    (told,) = by_trying(odd("count"), Silent())
    assert told.seconds == pytest.approx(START_SECONDS + 7.0 + 100 * 3.0 + epochs * 2.0)


def test_a_trial_leaves_nothing_behind(trial):
    list(by_trying(odd("count"), Silent()))
    assert len(trial.folders) == 2 and not any(folder.exists() for folder in trial.folders)


def test_a_trial_that_tells_nothing_is_one_message(trial):
    trial.kind.work = lambda task: None
    with pytest.raises(ExplorerError, match="no progress"):
        list(by_trying(odd("count"), Silent()))


def test_a_trial_can_be_cancelled(extremes):
    with pytest.raises(Cancelled):
        list(by_trying(extremes, Stopped()))


def test_a_search_is_tried_in_earnest(extremes):
    (told,) = by_trying(extremes, Silent())
    assert START_SECONDS < told.seconds < 600 and "trial" in told.basis
