"""Where a run is carried out is chosen from what there is."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.runs import slurm_queue


def script():
    import json
    from dataclasses import asdict

    import streamlit as st

    from explorer.runs.placement import Placement
    from explorer.ui.run_where import choose_placement, where

    chosen = choose_placement("test", Placement(), training=False)
    st.text(json.dumps(asdict(chosen)))
    st.text(where(chosen, "cpu"))


@pytest.fixture
def with_slurm(tmp_path, monkeypatch):
    for name in ("sbatch", "squeue", "scontrol", "scancel", "sinfo"):
        (tmp_path / name).write_text("#!/bin/sh\nprintf 'short*\\ngpu\\n'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    slurm_queue.forget()


def opened():
    test = AppTest.from_function(script, default_timeout=60).run()
    assert not test.exception
    return test


def test_without_slurm_there_is_this_machine_and_the_page_says_why(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    test = opened()
    assert test.text[1].value == "on the CPU"
    assert test.selectbox[0].options == ["this machine"] and "not on this machine" in test.caption[0].value


def test_a_partition_gpus_and_time_are_chosen(with_slurm):
    test = opened()
    test.selectbox(key="test-backend").select("slurm").run()
    test.selectbox(key="test-partition").select("gpu")
    test.number_input(key="test-processes").set_value(4)
    test.number_input(key="test-gpus").set_value(1)
    test.number_input(key="test-minutes").set_value(90).run()
    assert not test.exception and test.selectbox(key="test-partition").options == ["the cluster's own: short", "short", "gpu"]
    assert '"backend": "slurm", "processes": 4, "partition": "gpu", "gpus": 1' in test.text[0].value
    assert test.text[1].value == "in Slurm, partition gpu by 4 processes, 1 GPU each, at most 90 min"
