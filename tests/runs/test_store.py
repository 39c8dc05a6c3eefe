"""A store of runs, whoever uses it."""

import json
import os
import subprocess
import sys
import time

import pytest

from explorer.errors import ConfigurationError, OutputError, RunError, UnknownName
from explorer import locks
from explorer.runs import cancel, events, launch, processes
from explorer.runs.placement import Placement, read_placement
from explorer.runs.state import SILENT_SECONDS
from tests.runs.conftest import ended, launch_odd, odd, running, until


def nobody(folder):
    events.append(folder, "launched", attempt=1)
    events.append(folder, "finished")


def test_the_same_specification_finds_the_finished_run(store):
    first = store.submit(odd("count", count=1), launch_odd)
    ended(first)
    assert store.submit(odd("count", count=1), launch_odd) == first and len(store.runs()) == 1


def test_the_same_specification_finds_the_living_run(store):
    first = store.submit(odd("count", count=500), launch_odd)
    assert store.submit(odd("count", count=500), launch_odd) == first
    cancel(first.folder, wait=True)


def test_submitting_what_was_cancelled_goes_on_with_it(store):
    first = store.submit(odd("count", count=50), launch_odd)
    running(first)
    cancel(first.folder, wait=True)
    assert store.submit(odd("count", count=50), launch_odd) == first
    assert ended(first).state == "finished"


def test_other_specifications_are_other_runs_newest_first(store):
    made = [store.submit(odd("count", seed=seed, count=1), nobody) for seed in range(3)]
    assert store.runs() == made[::-1] and [run.number for run in made] == [1, 2, 3]


def test_runs_keep_their_order_when_the_clock_jumps(store):
    first, second = (store.submit(odd("count", seed=seed, count=1), nobody) for seed in range(2))
    os.utime(first.folder, (4e9, 4e9))
    os.utime(first.folder / "specification.json", (4e9, 4e9))
    assert store.runs() == [second, first]


def test_a_heartbeat_from_the_future_does_not_frighten(store):
    run = store.submit(odd("count", count=500), launch_odd)
    running(run)
    os.utime(run.folder / "heartbeat.json", (4e9, 4e9))
    assert run.snapshot().state == "running" and run.snapshot().silent is None
    cancel(run.folder, wait=True)


def test_a_living_worker_without_a_sign_is_told(store):
    run = store.submit(odd("count", count=1), lambda folder: None)
    (run.folder / "heartbeat.json").write_text("{}")
    past = time.time() - 2 * SILENT_SECONDS
    os.utime(run.folder / "heartbeat.json", (past, past))
    with locks.take(run.folder / "lock"):
        assert run.snapshot().silent > SILENT_SECONDS


def test_a_run_is_found_by_name_and_by_number(store):
    run = store.submit(odd("count", count=1), nobody)
    assert store.find(run.name) == store.find("1") == store.find("0001") == run
    with pytest.raises(UnknownName, match="Known: 0001-count"):
        store.find("7")


def test_a_run_can_be_deleted_and_the_others_stay(store):
    first, second = (store.submit(odd("count", seed=seed, count=1), nobody) for seed in range(2))
    store.delete(first)
    assert store.runs() == [second] and not [name for name in os.listdir(store.folder) if name.startswith(".deleted")]


def test_a_living_run_cannot_be_deleted(store):
    run = store.submit(odd("count", count=500), launch_odd)
    running(run)
    with pytest.raises(RunError, match="Cancel it first"):
        store.delete(run)
    cancel(run.folder, wait=True)
    assert run.results.exists()


@pytest.mark.parametrize("state", ["finished", "running"])
def test_what_has_not_failed_is_not_tried_again(store, state):
    run = store.submit(odd("count", count=1 if state == "finished" else 500), launch_odd)
    (ended if state == "finished" else running)(run)
    with pytest.raises(RunError, match=f"is {state}: only a run that failed"):
        store.retry(run, launch_odd)
    cancel(run.folder, wait=True)
    assert run.snapshot().state in (state, "cancelled")


def test_a_label_and_a_remark_stay(store):
    run = store.submit(odd("count", count=1), nobody)
    store.annotate(run, "baseline", "before the fix")
    assert (run.snapshot().label, run.snapshot().remark) == ("baseline", "before the fix")


@pytest.mark.parametrize("content", ["no JSON", "[]", json.dumps({"format": 99, "kind": "count"})])
def test_a_damaged_run_is_a_state_and_a_message(store, content):
    run, other = (store.submit(odd("count", seed=seed, count=1), nobody) for seed in range(2))
    (run.folder / "specification.json").write_text(content)
    assert run.snapshot().state == "unreadable" and "specification.json" in run.snapshot().problem
    assert other.snapshot().state == "finished"
    store.delete(run)


@pytest.mark.parametrize("name", ["events.jsonl", "heartbeat.json", "notes.json", "log.txt"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[1]", b"{}", b'{"seconds": "long", "done": null, "label": 3}', b"[" * 100_000])
def test_no_damaged_file_hides_the_others(store, name, content):
    run = store.submit(odd("count", count=1), nobody)
    (run.folder / name).write_bytes(content)
    assert run.snapshot().state in ("finished", "failed", "interrupted")


def test_an_event_that_was_cut_short_is_left_out(store):
    run = store.submit(odd("count", count=1), nobody)
    with open(run.folder / "events.jsonl", "ab") as file:
        file.write(b'{"event": "fini')
    assert run.snapshot().state == "finished"
    events.append(run.folder, "launched", attempt=2)
    assert [event["event"] for event in events.all_events(run.folder)] == ["launched", "finished", "launched"]


def test_foreign_folders_are_left_alone(store):
    (store.folder / "mnist-rts").mkdir(parents=True)
    (store.folder / "mnist-rts" / "best.safetensors").write_bytes(b"mine")
    assert store.runs() == []
    store.submit(odd("count", count=1), nobody)
    assert (store.folder / "mnist-rts" / "best.safetensors").read_bytes() == b"mine"


def test_a_store_that_cannot_be_made_is_one_message(store):
    store.folder.write_text("a file")
    with pytest.raises(OutputError, match="EXPLORER_RUNS"):
        store.submit(odd("count", count=1), nobody)


def test_a_full_disk_at_submission_leaves_nothing_behind(store, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    store.folder.mkdir()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device"):
        store.submit(odd("count", count=1), nobody)
    assert [name for name in os.listdir(store.folder) if name != ".lock"] == []


@pytest.mark.slow
def test_two_apps_that_submit_the_same_make_one_run(store):
    script = (
        "from tests.runs.conftest import launch_odd, odd\nfrom explorer.runs import Store\nimport time\n"
        "for seed in range(4): Store().submit(odd('count', seed=seed, count=2), launch_odd)\n"
    )
    apps = [subprocess.Popen([sys.executable, "-c", script], cwd=os.getcwd()) for _ in range(2)]
    assert [app.wait(240) for app in apps] == [0, 0]
    assert len(store.runs()) == 4
    for run in store.runs():
        assert ended(run).state == "finished"
        assert sum(event["event"] == "started" for event in events.all_events(run.folder)) == 1


def test_a_run_that_is_being_carried_out_is_not_launched_again(store):
    run = store.submit(odd("count", count=500), launch_odd)
    with pytest.raises(RunError, match="carried out already"):
        launch(run.folder)
    cancel(run.folder, wait=True)


def test_a_run_that_could_not_be_launched_is_not_kept(store, monkeypatch):
    monkeypatch.setenv("EXPLORER_CPU_RUNS", "0")
    with pytest.raises(ConfigurationError, match="EXPLORER_CPU_RUNS"):
        store.submit(odd("count", count=1), launch_odd)
    assert store.runs() == []


@pytest.mark.parametrize("again", ["submit", "retry"])
def test_a_refused_start_leaves_the_run_where_it_was(store, again):
    earlier, refused = Placement(processes=3), Placement("slurm", partition="nope")
    run = store.submit(odd("count", count=1), lambda folder: events.append(folder, "failed"), earlier)

    def refuse(folder):
        assert read_placement(folder) == refused, "the start knows where to"
        raise RunError("no such partition")

    with pytest.raises(RunError, match="no such partition"):
        store.submit(odd("count", count=1), refuse, refused) if again == "submit" else store.retry(run, refuse, refused)
    assert store.runs() == [run] and run.snapshot().placement == earlier and run.snapshot().state == "failed"


def test_a_placement_in_words_is_what_the_command_takes():
    placement = Placement("slurm", 3, partition="gpu", gpus=1, minutes=90)
    assert placement.words == " --backend slurm --processes 3 --partition gpu --gpus 1 --minutes 90" and Placement().words == ""


def test_a_refused_start_of_a_run_that_was_never_placed_leaves_it_so(store):
    run = store.submit(odd("count", count=1), lambda folder: events.append(folder, "failed"))

    def refuse(folder):
        raise RunError("no")

    with pytest.raises(RunError, match="no"):
        store.retry(run, refuse, Placement("slurm"))
    assert not (run.folder / "placement.json").exists()


def test_what_a_dead_worker_left_running_ends_with_its_run(store):
    run = store.submit(odd("count", count=1), nobody)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], env={**os.environ, processes.MARK: str(run.folder)})
    until(lambda: processes.members(run.folder) == [child.pid], "the child")
    store.delete(run)
    assert child.wait(5) < 0 and not run.folder.exists()


def test_a_run_goes_on_after_its_heartbeat_was_damaged(store):
    run = store.submit(odd("count", count=3), lambda folder: events.append(folder, "failed"))
    (run.folder / "heartbeat.json").write_text('{"done": "many", "seconds": 1e400, "started": [], "total": -3')
    store.retry(run, launch_odd)
    seen = ended(run)
    assert (seen.state, seen.done, seen.total) == ("finished", 3, 3)


def test_a_label_that_no_encoding_knows_can_be_shown(store):
    run = store.submit(odd("count", count=1), nobody)
    (run.folder / "notes.json").write_text('{"label": "a\\ud800b", "remark": ""}')
    assert run.snapshot().label.encode() == b"a?b"


def test_a_finished_run_is_not_started_again(store):
    run = store.submit(odd("count", count=1), nobody)
    with pytest.raises(RunError, match="finished already"):
        launch_odd(run.folder)


def test_what_killed_programs_left_is_swept(store):
    (store.folder / ".new-0001-count-00000000-ab").mkdir(parents=True)
    (store.folder / ".deleted-0001-count-00000000-ab").mkdir()
    store.submit(odd("count", count=1), nobody)
    assert not [name for name in os.listdir(store.folder) if name.startswith((".new", ".deleted"))]
