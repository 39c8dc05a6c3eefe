"""On a cluster a run is what it is here: followed, cancelled, killed, requeued, and told of in words."""

import functools
import json
import os
import shutil
import signal
import subprocess

import pytest
import torch

from explorer import locks
from explorer.errors import ConfigurationError, RunError
from explorer.runs import cancel, events, jobs, processes, slurm, slurm_queue
from explorer.runs.kinds import opened, specify
from explorer.runs.holding import worker_process
from explorer.runs.placement import Placement
from explorer.runs.task import Task
from explorer.runs.team import Team
from explorer.types import Silent
from tests.runs.conftest import ODD, ended, launch_odd, odd, running, until
from tests.slurm_cluster import can_hide, cluster, missing

ON_SLURM = Placement("slurm", minutes=5)
submit_odd = functools.partial(slurm.start, worker=ODD)
WAIT = 120


@pytest.fixture(scope="module")
def configuration(tmp_path_factory):
    if problem := missing():
        assert "EXPLORER_REQUIRE_SLURM" not in os.environ, problem
        pytest.skip(problem)
    folder = tmp_path_factory.mktemp("slurm")
    (folder / "unseen").mkdir()
    with cluster(folder / "cluster", folder / "unseen" if can_hide() else None) as found:
        yield found


@pytest.fixture
def slurm_store(configuration, store, monkeypatch):
    monkeypatch.setenv("SLURM_CONF", str(configuration))
    slurm_queue.forget()
    yield store
    slurm_queue.forget()


def submitted(store, specification, placement=ON_SLURM):
    return store.submit(specification, submit_odd, placement)


def numbers(run):
    return {path.name: path.read_text() for path in run.results.glob("[!.]*.json")}


def job(run):
    return slurm_queue.queue_of(run.folder, fresh=True).jobs[0]


def test_its_results_are_those_of_the_local_back_end(slurm_store, tmp_path):
    there = submitted(slurm_store, odd("count", count=20))
    here = type(slurm_store)(tmp_path / "here").submit(odd("count", count=20), launch_odd)
    assert ended(there, WAIT).state == ended(here).state == "finished"
    assert numbers(there) == numbers(here) and len(numbers(here)) == 20


def test_it_waits_in_the_queue_and_says_why_and_leaves_it_when_cancelled(slurm_store):
    run = submitted(slurm_store, odd("count", count=21), Placement("slurm", minutes=600))
    until(lambda: "PartitionTimeLimit (it asks for more time than the partition gives)" in run.snapshot().waiting, "the reason")
    assert run.snapshot().state == "queued"
    with pytest.raises(RunError, match="being carried out"):
        slurm_store.delete(run)
    cancel(run.folder, wait=True)
    assert run.snapshot().state == "cancelled" and not slurm_queue.queue_of(run.folder, fresh=True).live


def test_cancelled_in_a_cluster_means_that_the_processes_are_gone(slurm_store):
    run = submitted(slurm_store, odd("stubborn"))
    running(run)
    until(lambda: len(processes.members(run.folder)) == 2, "the child")
    cancel(run.folder, polite=0.2, firm=0.2)
    assert run.snapshot().state == "cancelling"
    assert ended(run, WAIT).state == "cancelled"
    assert not processes.members(run.folder) and not job(run).live


def test_a_killed_worker_fails_and_goes_on_from_there(slurm_store):
    run = submitted(slurm_store, odd("count", count=200))
    running(run)
    os.kill(worker_process(run.folder), signal.SIGKILL)
    seen = ended(run, WAIT)
    assert seen.state == "failed" and "Slurm job" in seen.problem and "out of memory" in seen.problem
    made = {path: path.stat().st_mtime_ns for path in run.results.glob("[!.]*.json")}
    slurm_store.retry(run, submit_odd)
    assert ended(run, WAIT).state == "finished" and len(numbers(run)) == 200
    assert all(path.stat().st_mtime_ns == written for path, written in made.items()), "nothing is done twice"


@pytest.mark.parametrize("fault", ["requeue", pytest.param("node", marks=pytest.mark.slow)])
def test_what_the_cluster_takes_back_it_starts_again_and_nothing_is_lost(slurm_store, fault):
    run = submitted(slurm_store, odd("count", count=300))
    running(run)
    words = {"requeue": ["requeue", job(run).number], "node": ["update", f"nodename={job(run).node}", "state=down", "reason=test"]}[fault]
    subprocess.run(["scontrol", *words], check=True)
    until(lambda: run.snapshot().state == "queued", "the queue")
    if fault == "node":
        subprocess.run(["scontrol", "update", f"nodename={os.uname().nodename}", "state=resume"])  # refused where it has come back by itself
    assert ended(run, WAIT).state == "finished" and len(numbers(run)) == 300
    assert len(events.launches(run.folder)) == 2 and not processes.members(run.folder)


@pytest.mark.slow
def test_a_job_that_makes_room_for_another_goes_on_after_it(slurm_store):
    everything = {"cpus": 8, "minutes": 5}
    run = submitted(slurm_store, odd("count", seed=1, count=300, seconds=0.05), Placement("slurm", partition="short", **everything))
    running(run)
    urgent = submitted(slurm_store, odd("count", seed=2, count=5), Placement("slurm", partition="urgent", **everything))
    assert ended(urgent, WAIT).state == "finished"
    made = {path: path.stat().st_mtime_ns for path in run.results.glob("[!.]*.json")}
    assert 0 < len(made) < 300
    assert ended(run, WAIT).state == "finished" and len(numbers(run)) == 300 and len(events.launches(run.folder)) == 2
    assert all(path.stat().st_mtime_ns == written for path, written in made.items()), "nothing is done twice"


def test_a_job_whose_nodes_are_drained_waits_and_says_so(slurm_store):
    node = f"nodename={os.uname().nodename}"
    subprocess.run(["scontrol", "update", node, "state=drain", "reason=test"], check=True)
    try:
        run = submitted(slurm_store, odd("count", count=3))
        until(lambda: "drained" in run.snapshot().waiting or "node is not available" in run.snapshot().waiting, "the reason")
        assert run.snapshot().state == "queued"
    finally:
        subprocess.run(["scontrol", "update", node, "state=resume"], check=True)
    assert ended(run, WAIT).state == "finished"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("kind", "told"), [("count", "of its job (2 min) was near"), ("stubborn", "of Slurm job")], ids=["that is heard", "that is not heard"])
def test_a_time_limit_interrupts_and_a_retry_goes_on_from_there(slurm_store, kind, told):
    run = submitted(slurm_store, odd(kind, count=20_000, seconds=0.05), Placement("slurm", minutes=2))
    running(run)
    seen = ended(run, 240)
    assert seen.state == "interrupted" and "time limit" in seen.problem and told in seen.problem and "It can go on from there" in seen.problem
    assert not processes.members(run.folder) and not slurm_queue.queue_of(run.folder, fresh=True).live
    made = {path: path.stat().st_mtime_ns for path in run.results.glob("[!.]*.json")}
    slurm_store.retry(run, submit_odd, Placement("slurm", minutes=5))
    until(lambda: run.snapshot().state == "running" and (kind == "stubborn" or run.snapshot().done > len(made)), "that it goes on", WAIT)
    assert all(path.stat().st_mtime_ns == written for path, written in made.items())
    cancel(run.folder, wait=True)
    assert run.snapshot().state == "cancelled" and not processes.members(run.folder)


@pytest.mark.slow
def test_of_an_array_one_leads_and_another_takes_over(slurm_store):
    run = submitted(slurm_store, odd("count", count=300), Placement("slurm", processes=2, minutes=5))
    running(run)
    until(lambda: sum(each.state == "RUNNING" for each in slurm_queue.queue_of(run.folder, fresh=True).jobs) == 2, "both jobs")
    os.kill(worker_process(run.folder), signal.SIGKILL)
    assert ended(run, WAIT).state == "finished" and len(numbers(run)) == 300


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_shards_of_a_certification_are_one_run_and_killing_half_of_them_redoes_nothing(slurm_store, budgets, tmp_path):
    made = specify("certify", {"checkpoint": str(budgets)}, {"limit": 60, "batch_size": 2, "samples": 5_000, "sigmas": [0.25]}, "cpu")
    run = slurm_store.submit(made, placement=Placement("slurm", processes=2, minutes=30))
    until(lambda: len(list(run.folder.glob("batches/*/*.safetensors"))) > 2 and len(processes.members(run.folder)) == 2, "two that work", 600)
    os.kill(processes.members(run.folder)[0], signal.SIGKILL)
    done = {path: path.stat().st_mtime_ns for path in run.folder.glob("batches/*/*.safetensors")}
    assert 0 < len(done) < 30
    seen = ended(run, 600)
    if seen.state == "failed":  # the last one has gone too
        slurm_store.retry(run)
        seen = ended(run, 600)
    assert seen.state == "finished" and all(path.stat().st_mtime_ns == written for path, written in done.items())
    kind, inputs, parameters = opened(made)
    kind.work(Task(tmp_path / "here", inputs, parameters, torch.device("cpu"), made.seed, Silent()))
    there, here = (json.loads((folder / "results" / "certified.json").read_text()) for folder in (run.folder, tmp_path / "here"))
    assert there == here and there["images"] == 60


def test_a_store_that_the_node_does_not_see_is_named(slurm_store, configuration):
    if not can_hide():
        pytest.skip("no folder can be hidden from a process here")
    unseen = type(slurm_store)(configuration.parents[1] / "unseen" / "runs")
    run = submitted(unseen, odd("count", count=5))
    seen = ended(run, WAIT)
    assert seen.state == "failed" and "a folder that all nodes share" in seen.problem and "EXPLORER_RUNS" in seen.problem


def test_an_unknown_partition_is_refused_with_those_that_there_are(slurm_store):
    with pytest.raises(ConfigurationError, match="no partition 'nope'. Choose one of: short, urgent"):
        submitted(slurm_store, odd("count", count=1), Placement("slurm", partition="nope"))
    assert not slurm_store.runs(), "nothing is left of it"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("User's group not permitted to use this partition", "you may not use the partition"),
        ("Unable to contact slurm controller (connect failure)", "controller does not answer"),
        ("Access/permission denied", "does not let you submit"),
        ("something new", "something new"),
    ],
)
def test_what_slurm_refuses_is_told_in_words(store, tmp_path, monkeypatch, said, told):
    programs = {"sbatch": f'echo "sbatch: error: {said}" >&2; exit 1', "sinfo": "echo short*", "squeue": "true", "srun": "true"}
    for name, script in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    slurm_queue.forget()
    with pytest.raises(RunError, match=told):
        submitted(store, odd("count", count=1))
    assert not store.runs()


def test_without_slurm_a_run_is_not_submitted_and_the_message_says_so(store, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    slurm_queue.forget()
    with pytest.raises(RunError, match="Slurm is not on this machine.*back end local"):
        submitted(store, odd("count", count=1))
    assert not store.runs() and not slurm_queue.has_slurm()


@pytest.mark.parametrize(
    ("state", "ending", "told"),
    [
        ("OUT_OF_MEMORY", "failed", "Ask for more memory"),
        ("TIMEOUT", "interrupted", "the time limit of Slurm job 7 (5 min) was reached"),
        ("NODE_FAIL", "interrupted", "node1 has failed"),
        ("PREEMPTED", "interrupted", "make room"),
        ("CANCELLED", "cancelled", "cancelled in Slurm"),
        (None, "failed", "does not know its job any more"),
    ],
)
def test_a_job_that_has_ended_without_a_word_is_explained_by_its_state(store, tmp_path, monkeypatch, state, ending, told):
    line = "" if state is None else "$(cat name)|7|{0}|None|node1".format(state)
    (tmp_path / "squeue").write_text(f"#!/bin/sh\ncd {tmp_path}\necho \"{line}\"\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    slurm_queue.forget()

    def start(folder):
        (tmp_path / "name").write_text(slurm_queue.job_name(folder))
        (folder / "slurm").mkdir()
        (folder / "slurm" / "7_0_log.err").touch()
        events.append(folder, events.LAUNCHED, job="7")

    seen = store.submit(odd("count", count=1), start, ON_SLURM).snapshot()
    assert seen.state == ending and told in seen.problem
    shutil.rmtree(store.folder)


def test_a_job_that_helps_takes_batches_as_one_of_several(store, monkeypatch):
    run = store.submit(odd("count", count=2), lambda *_, **__: None)
    shares = []

    def helped(folder, follower, number=None):
        shares.append(os.environ["EXPLORER_SHARES"])
        (folder / events.CANCEL).touch()
        return True

    for name, value in {"_helped": helped, "_print_to_log": lambda folder: None, "_listen": lambda follower: None}.items():
        monkeypatch.setattr(jobs, name, value)
    monkeypatch.setenv(processes.PART, "")
    with locks.take(run.folder / events.LOCK):
        assert jobs.work_in_job(run.folder, Team(3, 60.0)) == 0
    assert shares == ["3"] and "EXPLORER_SHARES" not in os.environ
