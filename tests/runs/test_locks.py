"""A lock ends with its holder, and a device computes for one run at a time."""

import dataclasses
import subprocess
import sys
import time

import pytest

from explorer.errors import Cancelled, ConfigurationError
from explorer import locks
from explorer.runs import cancel, devices, events
from explorer.runs.devices import places, wait_for_place
from tests.runs.conftest import ended, launch_odd, odd, running, until

HOLD = "import sys, time\nfrom pathlib import Path\nfrom explorer import locks\nlock = locks.take(Path(sys.argv[1]))\nprint('held', flush=True)\ntime.sleep(600)"


@pytest.fixture
def holder(tmp_path):
    """Another process that holds tmp_path/lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdout=subprocess.PIPE)
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_lock_is_seen_and_not_taken_twice(tmp_path, holder):
    assert locks.is_held(tmp_path / "lock") and locks.take(tmp_path / "lock") is None


def test_it_ends_with_a_killed_holder(tmp_path, holder):
    holder.kill()
    holder.wait()
    assert not locks.is_held(tmp_path / "lock")


def test_a_child_that_was_given_it_holds_it_alone(tmp_path):
    with locks.take(tmp_path / "lock") as lock:
        child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, pass_fds=(lock.descriptor,))
    assert locks.is_held(tmp_path / "lock")
    child.communicate()
    assert not locks.is_held(tmp_path / "lock")


def test_a_file_that_is_not_there_is_not_held(tmp_path):
    assert not locks.is_held(tmp_path / "none")


def test_runs_of_one_device_take_turns_in_the_order_of_their_launch(store):
    before = store.submit(odd("count", seed=9, count=5000, seconds=0.03), launch_odd)
    running(before)
    runs = [store.submit(odd("count", seed=seed, count=3, seconds=0.05), launch_odd) for seed in range(5)]
    until(lambda: all(events.heartbeat(run.folder)[0].get("beat") for run in runs), "the workers' first signs")
    cancel(before.folder, wait=True)
    times = []
    for run in runs:
        ended(run)
        told = {event["event"]: event["time"] for event in events.all_events(run.folder) if "time" in event}
        times.append((told["started"], told["finished"]))
    assert times == sorted(times)
    assert all(end <= start for (_, end), (start, _) in zip(times, times[1:])), "never two at once"


def test_nobody_plants_or_guesses_a_turn(store, tmp_path):
    """Files that are no tickets, and tickets of the dead, hold nobody up."""
    line = devices._folder() / "cpu-0.line"
    line.mkdir(parents=True)
    (line / "0000-note.txt").write_text("")
    (line / "00000000000000000001-1").symlink_to(tmp_path / "nowhere")
    (line / "00000000000000000002-1").write_text("")
    wait_for_place(["cpu:0"], lambda: pytest.fail("nobody is before us"))[0].close()


def test_the_cpu_takes_as_many_as_it_is_told(store, monkeypatch):
    monkeypatch.setenv("EXPLORER_CPU_RUNS", "2")
    runs = [store.submit(odd("count", seed=seed, count=100, seconds=0.03), launch_odd) for seed in range(2)]
    until(lambda: all(run.snapshot().state == "running" for run in runs), "both")
    assert {ended(run).device for run in runs} == {"cpu:0", "cpu:1"}


def test_a_gpu_computes_for_one_run_and_another_gpu_beside_it(store):
    def submit(seed, device):
        return store.submit(dataclasses.replace(odd("count", seed=seed, count=5000, seconds=0.03), device=device), launch_odd)

    first, other = submit(0, "cuda:0"), submit(1, "cuda:1")
    until(lambda: first.snapshot().state == other.snapshot().state == "running", "one run on each GPU")
    second = submit(2, "cuda:0")
    until(lambda: events.heartbeat(second.folder)[0].get("beat"), "the second worker's first sign")
    assert second.snapshot().state == "queued" and first.snapshot().device == "cuda:0" and other.snapshot().device == "cuda:1"
    cancel(first.folder, wait=True)
    until(lambda: second.snapshot().state == "running", "its turn")
    for run in (second, other):
        cancel(run.folder, wait=True)


@pytest.mark.parametrize("text", ["0", "-1", "many", "1000"])
def test_a_bad_limit_is_one_message(monkeypatch, text):
    monkeypatch.setenv("EXPLORER_CPU_RUNS", text)
    with pytest.raises(ConfigurationError, match="EXPLORER_CPU_RUNS"):
        places("cpu")


def test_who_waits_can_be_stopped_and_leaves_the_line(store):
    first, _ = wait_for_place(["cpu:0"], lambda: None)
    started = time.monotonic()

    def stop():
        if time.monotonic() - started > 0.3:
            raise Cancelled("enough")

    with first, pytest.raises(Cancelled):
        wait_for_place(["cpu:0"], stop)
    wait_for_place(["cpu:0"], lambda: pytest.fail("nobody is before us"))[0].close()


def test_a_gpu_by_number_is_its_own_place():
    assert places("cuda:1") == ["cuda:1"]
