import subprocess
import sys
import threading
import time
import weakref

import pytest

from explorer.errors import ExplorerError
from explorer.types import Progress, stop_if_cancelled
from explorer.ui.background import Job, Jobs


@pytest.fixture
def jobs():
    return Jobs(kept=3)


def ended(job):
    until = time.monotonic() + 10
    while job.active and time.monotonic() < until:
        time.sleep(0.002)
    return job


def counting(progress):
    for number in range(3):
        progress.advance(number + 1, 3)
        yield number


def test_a_job_is_a_progress():
    assert isinstance(Job(), Progress)


def test_the_latest_result_stays(jobs):
    job = ended(jobs.start("a", counting))
    assert (job.state, job.result, job.done, job.total) == ("finished", 2, 3, 3)


def test_the_same_key_finds_the_finished_job(jobs):
    job = ended(jobs.start("a", counting))
    assert jobs.start("a", counting) is job is jobs.find("a")


def test_partial_results_are_seen_while_it_runs(jobs):
    go_on = threading.Event()

    def work(progress):
        yield "first"
        go_on.wait(10)
        yield "second"

    job = jobs.start("a", work)
    while job.result is None:
        time.sleep(0.002)
    assert (job.state, job.result) == ("running", "first")
    go_on.set()
    assert ended(job).result == "second"


def endless(progress):
    while True:
        stop_if_cancelled(progress)
        time.sleep(0.002)
        yield "so far"


def test_a_cancelled_job_keeps_what_it_had_and_can_start_again(jobs):
    job = jobs.start("a", endless)
    while job.result is None:
        time.sleep(0.002)
    job.cancel()
    assert (ended(job).state, job.result) == ("cancelled", "so far")
    assert ended(jobs.start("a", counting)).state == "finished"


def test_jobs_run_one_after_the_other_and_a_waiting_one_is_cancelled_at_once(jobs):
    first, second = jobs.start("a", endless), jobs.start("b", counting)
    while first.state == "waiting":
        time.sleep(0.002)
    assert second.state == "waiting"
    second.cancel()
    assert second.state == "cancelled"
    first.cancel()
    assert ended(first).state == "cancelled"


def test_a_failure_is_told_in_its_own_words(jobs):
    def work(progress):
        raise ExplorerError("not finite: kl_nats on 3 pairs")
        yield

    job = ended(jobs.start("a", work))
    assert (job.state, job.problem) == ("failed", "not finite: kl_nats on 3 pairs")


def test_a_defect_is_named_by_its_kind(jobs):
    def work(progress):
        yield 1 / 0

    assert ended(jobs.start("a", work)).problem.startswith("ZeroDivisionError")


def test_the_oldest_ended_jobs_are_forgotten(jobs):
    for key in "abcd":
        ended(jobs.start(key, counting))
    assert jobs.find("a") is None and jobs.find("d") is not None


def test_the_time_left_follows_from_the_pace():
    job = Job()
    assert job.seconds_left is None
    job._started = time.monotonic() - 10
    job.advance(1, 3)
    assert job.seconds_left == pytest.approx(20, rel=0.05)


def test_a_running_job_does_not_keep_the_server_from_ending():
    work = "def work(progress):\n  while True: time.sleep(0.1); yield None"
    script = f"import time\nfrom explorer.ui.background import JOBS\n{work}\nJOBS.start('a', work); time.sleep(0.2)"
    assert subprocess.run([sys.executable, "-c", script], timeout=60, capture_output=True).returncode == 0


def test_what_a_job_was_given_is_let_go_when_it_has_ended(jobs):
    class Model:
        pass

    model = Model()
    gone = weakref.ref(model)
    ended(jobs.start("a", lambda progress, model=model: iter([1])))
    del model
    until = time.monotonic() + 10
    while gone() is not None and time.monotonic() < until:
        time.sleep(0.002)
    assert gone() is None
