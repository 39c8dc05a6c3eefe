"""However a worker ends, its run says so."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from explorer.runs import cancel, events, launch, processes
from explorer.runs.holding import worker_process
from tests.runs.conftest import ended, launch_odd, odd, running, until


def group_lives(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_run_is_carried_out(store):
    run = store.submit(odd("count", count=5), launch_odd)
    seen = ended(run)
    assert (seen.state, seen.done, seen.total, seen.problem) == ("finished", 5, 5, "")
    assert sorted(path.name for path in run.results.iterdir()) == [f"{n}.json" for n in range(5)]


def test_its_worker_is_reaped(store):
    run = store.submit(odd("count", count=200), launch_odd)
    running(run)
    worker = worker_process(run.folder)
    os.kill(worker, signal.SIGKILL)
    ended(run)
    until(lambda: not os.path.exists(f"/proc/{worker}"), "the zombie's end")


def test_a_killed_worker_is_a_failed_run_within_seconds(store):
    run = store.submit(odd("count", count=2000), launch_odd)
    running(run)
    os.kill(worker_process(run.folder), signal.SIGKILL)
    started = time.monotonic()
    seen = ended(run)
    assert time.monotonic() - started < 5
    assert seen.state == "failed" and "killed by SIGKILL" in seen.problem and "out of memory" in seen.problem


@pytest.mark.parametrize(
    ("kind", "problem"),
    [("fail", "the loss became nan"), ("defect", "ZeroDivisionError: division by zero"), ("memory", "out of memory"), ("full", "could not be written")],
)
def test_a_failure_is_told_in_its_own_words(store, kind, problem):
    run = store.submit(odd(kind), launch_odd)
    seen = ended(run)
    assert seen.state == "failed" and problem in seen.problem


def test_the_log_holds_what_was_printed(store):
    run = store.submit(odd("fail"), launch_odd)
    ended(run)
    assert events.log_tail(run.folder).splitlines() == ["what it printed before", "error: the loss became nan"]


def test_a_full_disk_loses_nothing_that_was_finished(store):
    run = store.submit(odd("full"), launch_odd)
    ended(run)
    assert {path.name: path.read_bytes() for path in run.results.iterdir()} == {"0.json": b"0", "1.json": b"1"}


def test_a_cancelled_run_keeps_what_it_has_and_goes_on_from_there(store):
    run = store.submit(odd("count", count=100), launch_odd)
    running(run)
    cancel(run.folder, wait=True)
    seen = run.snapshot()
    made = {path: path.stat().st_mtime_ns for path in run.results.iterdir()}
    assert seen.state == "cancelled" and 0 < len(made) < 100 and not processes.members(run.folder)
    store.retry(run, launch_odd)
    assert ended(run).state == "finished" and len(list(run.results.iterdir())) == 100
    assert all(path.stat().st_mtime_ns == written for path, written in made.items())


def test_cancelled_means_that_the_processes_are_gone(store):
    run = store.submit(odd("stubborn"), launch_odd)
    running(run)
    until(lambda: len(processes.members(run.folder)) == 2, "the child")
    group = worker_process(run.folder)
    cancel(run.folder, polite=0.3, firm=0.3)
    until(lambda: run.snapshot().state == "cancelling", "the wish")
    assert ended(run).state == "cancelled"
    assert not processes.members(run.folder)
    until(lambda: not group_lives(group), "the end of the process group, zombies included")


def test_a_child_does_not_outlive_a_killed_worker(store):
    run = store.submit(odd("parent"), launch_odd)
    running(run)
    os.kill(worker_process(run.folder), signal.SIGKILL)
    assert ended(run).state == "failed"
    until(lambda: not processes.members(run.folder), "the child's end")


def test_a_child_does_not_outlive_a_cancelled_worker(store):
    run = store.submit(odd("parent"), launch_odd)
    running(run)
    cancel(run.folder, wait=True)
    assert run.snapshot().state == "cancelled" and not processes.members(run.folder)


def test_a_run_that_waits_can_be_cancelled(store):
    first = store.submit(odd("count", count=500), launch_odd)
    running(first)
    second = store.submit(odd("count", seed=1, count=1), launch_odd)
    cancel(second.folder, wait=True)
    assert second.snapshot().state == "cancelled" and not second.results.exists()
    cancel(first.folder, wait=True)


def test_a_wish_to_end_one_worker_does_not_end_the_next(store):
    run = store.submit(odd("count", count=2000), launch_odd)
    running(run)
    cancel(run.folder, polite=0.6, firm=0.3)
    assert ended(run).state == "cancelled"
    store.retry(run, launch_odd)
    running(run)
    time.sleep(1.2)
    assert run.snapshot().state == "running"
    cancel(run.folder, wait=True)


def test_a_worker_whose_run_is_removed_ends(store):
    run = store.submit(odd("count", count=2000), launch_odd)
    running(run)
    worker = worker_process(run.folder)
    os.rename(run.folder, run.folder.parent / "elsewhere")
    until(lambda: not os.path.exists(f"/proc/{worker}"), "the worker's end")


def test_a_worker_that_the_system_ends_is_interrupted(store):
    run = store.submit(odd("count", count=2000), launch_odd)
    running(run)
    os.kill(worker_process(run.folder), signal.SIGTERM)
    seen = ended(run)
    assert seen.state == "interrupted" and "the system asked" in seen.problem


def test_a_run_is_carried_out_by_one_worker_only(store):
    run = store.submit(odd("count", count=500), launch_odd)
    running(run)
    by_hand = subprocess.run([sys.executable, "-m", "explorer.runs", str(run.folder)], capture_output=True, text=True)
    assert by_hand.returncode == 2 and "carried out already" in by_hand.stderr
    cancel(run.folder, wait=True)


def test_an_app_that_dies_before_it_starts_a_worker_leaves_an_interrupted_run(store):
    run = store.submit(odd("count", count=2), lambda folder: None)
    assert run.snapshot().state == "interrupted" and "never started" in run.snapshot().problem
    store.retry(run, launch_odd)
    assert ended(run).state == "finished"


def test_a_machine_that_was_started_anew_interrupts(store):
    run = store.submit(odd("count", count=2), lambda folder: events.append(folder, "launched", attempt=1, boot="another"))
    assert run.snapshot().state == "interrupted" and "machine was started anew" in run.snapshot().problem


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param({"kind": "juggling"}, "unknown kind of run 'juggling'", marks=pytest.mark.slow),
        ({"inputs": {"checkpoint": "/nowhere/a.safetensors"}}, "there is no such file"),
        pytest.param({"device": "cuda:7"}, "not on this machine", marks=pytest.mark.slow),
    ],
    ids=["kind", "checkpoint", "device"],
)
def test_a_specification_that_cannot_be_carried_out_fails_with_a_message(store, extremes, change, problem):
    run = store.submit(dataclasses.replace(extremes, **change), launch)
    seen = ended(run)
    assert seen.state == "failed" and problem in seen.problem


def test_a_changed_checkpoint_is_not_mistaken_for_the_one_asked_for(store, extremes, checkpoint, tmp_path):
    other = tmp_path / "tiny.safetensors"
    shutil.copy(checkpoint, other)
    run = store.submit(dataclasses.replace(extremes, inputs={**extremes.inputs, "checkpoint": str(other), "digest": "0" * 16}), launch)
    assert "has changed since the run was specified" in ended(run).problem
