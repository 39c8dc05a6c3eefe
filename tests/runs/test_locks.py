"""A lock ends with its holder, and a device computes for one run at a time."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from threading import Thread

import pytest

from explorer.errors import Cancelled, ConfigurationError
from explorer import locks
from explorer.runs import cancel, devices, events, jobs, processes
from explorer.runs.devices import places, wait_for_place, wait_for_places
from explorer.runs.holding import worker_process
from explorer.runs.placement import Placement
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


@pytest.fixture
def three_gpus(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)


def on(device, kind="count", seed=0, **parameters):
    return dataclasses.replace(odd(kind, seed=seed, count=5000, seconds=0.03, **parameters), device=device)


def test_a_training_holds_a_gpu_for_each_of_its_processes(store, three_gpus):
    training = store.submit(on("cuda", "training", members=1), launch_odd, Placement(processes=2))
    running(training)
    assert training.snapshot().device == "cuda:0 + cuda:1" and (training.folder / "members" / "1").read_text() == "cuda:1"
    second, third = (store.submit(on(f"cuda:{number}", seed=number), launch_odd) for number in (1, 2))
    running(third)
    until(lambda: events.heartbeat(second.folder)[0].get("beat"), "the second worker's first sign")
    assert second.snapshot().state == "queued"
    cancel(training.folder, wait=True)
    running(second)
    for run in (second, third):
        cancel(run.folder, wait=True)


def test_its_gpus_are_free_when_it_is_killed_and_gone(store, three_gpus):
    training = store.submit(on("cuda", "training", members=2), launch_odd, Placement(processes=3))
    running(training)
    places_held = [devices._folder() / f"cuda-{number}.lock" for number in range(3)]
    assert all(map(locks.is_held, places_held)) and len(processes.members(training.folder)) == 3
    os.kill(worker_process(training.folder), signal.SIGKILL)
    assert ended(training).state == "failed" and not processes.members(training.folder)
    until(lambda: not any(map(locks.is_held, places_held)), "the places")


def test_trainings_that_need_several_gpus_take_turns(store, three_gpus):
    runs = [store.submit(dataclasses.replace(odd("training", seed=seed, count=3, seconds=0.05, members=1), device="cuda"), launch_odd, Placement(processes=2)) for seed in range(3)]
    times = []
    for run in runs:
        assert ended(run).state == "finished"
        told = {event["event"]: event["time"] for event in events.all_events(run.folder) if "time" in event}
        times.append((told["started"], told["finished"]))
    times.sort()
    assert all(end <= start for (_, end), (start, _) in zip(times, times[1:])), "of three GPUs two have two only once"


def test_who_collects_several_places_does_not_wait_for_another_who_does(store, monkeypatch):
    """In whatever order each of them names the places."""
    monkeypatch.setattr(devices, "POLL_SECONDS", 0.001)
    done = []

    def collect(names):
        for _ in range(30):
            held = wait_for_places(names, 2, lambda: None)
            assert sorted(name for _, name in held) == ["cuda:0", "cuda:1"]
            for lock, _ in held:
                lock.close()
        done.append(names)

    threads = [Thread(target=collect, args=(names,), daemon=True) for names in (["cuda:0", "cuda:1"], ["cuda:1", "cuda:0"])]
    for thread in threads:
        thread.start()
    until(lambda: len(done) == 2, "both")


def test_who_collects_several_places_goes_on_when_one_comes_that_was_launched_before(store):
    names, done, began = ["cuda:0", "cuda:1"], [], time.monotonic_ns()

    def collect(arrived):
        for lock, _ in wait_for_places(names, 2, lambda: None, arrived):
            lock.close()
        done.append(arrived)

    line = devices._folder() / "cuda-0+cuda-1.line"
    with wait_for_place(["cuda:0"], lambda: None)[0]:
        for expected, arrived in enumerate((began, began - 1_000_000), 1):  # the second is slow to start
            Thread(target=collect, args=(arrived,), daemon=True).start()
            until(lambda: line.is_dir() and len(list(line.iterdir())) == expected, "the ticket")
            until(lambda: locks.is_held(devices._folder() / "cuda-1.lock"), "the other place")
    until(lambda: sorted(done) == [began - 1_000_000, began], "both")


def test_who_collects_several_places_and_is_stopped_gives_them_back(store):
    with wait_for_place(["cuda:1"], lambda: None)[0]:

        def stop():
            assert locks.is_held(devices._folder() / "cuda-0.lock")
            raise Cancelled("enough")

        with pytest.raises(Cancelled):
            wait_for_places(["cuda:0", "cuda:1"], 2, stop)
    assert not locks.is_held(devices._folder() / "cuda-0.lock")


@pytest.mark.parametrize(("device", "many", "told"), [("cuda", 4, "cuda is 3 here. Ask for at most 3"), ("cuda:1", 2, "cuda:1 is 1 here. Choose the device cuda")])
def test_a_training_of_more_processes_than_gpus_is_refused(store, three_gpus, device, many, told):
    with pytest.raises(ConfigurationError, match=told):
        store.submit(on(device, "training", members=0), launch_odd, Placement(processes=many))
    assert not store.runs()


def test_one_that_helps_computes_on_the_gpu_that_it_holds(store, three_gpus, monkeypatch):
    asked = []
    monkeypatch.setattr("explorer.runs.sharing.help_with", lambda folder, scratch, specification, device, progress: asked.append((device, locks.is_held(devices._folder() / "cuda-0.lock"))))
    run = store.submit(on("cuda"), lambda folder: events.append(folder, "launched"))
    with wait_for_place(["cuda:1"], lambda: None)[0]:
        assert jobs._helped(run.folder, jobs.Follower(run.folder), 1)
    assert asked == [("cuda:0", True)]


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
