"""The page Runs, opened alone."""

import io
import zipfile

import pytest
from streamlit.testing.v1 import AppTest

from explorer.papers.learned_sets.extremes import COLUMNS
from explorer import locks
from explorer.runs.kinds import specify
from explorer.ui import runs as runs_ui
from tests.apps import opened_page, texts
from tests.runs.conftest import checkpoint, made, odd  # noqa: F401


def page(**query) -> AppTest:
    return opened_page("runs", query)


@pytest.fixture
def searched(checkpoint):  # noqa: F811
    """Two finished searches that differ in their steps."""
    columns = {name: [0.5, 0.25, 1.0] for name in COLUMNS}
    return [made(specify("extremes", {"checkpoint": str(checkpoint)}, {"steps": steps, "limit": 3}, "cpu"), results={"pairs": columns}) for steps in (2, 3)]


def test_without_a_run_it_says_how_to_launch_one():
    test = page()
    assert not test.exception and "Launch one on the page Train" in texts(test)


def test_every_run_has_a_line(searched):
    made(odd("count", count=2), "failed", problem="the loss became nan")
    table = page().dataframe[0].value
    assert table["run"].tolist() == [3, 2, 1]
    assert table["state"].tolist() == ["✗ failed", "✓ finished", "✓ finished"]
    assert table["progress"].tolist() == [75, 100, 100] and table["took"].tolist() == ["0:12"] * 3


@pytest.mark.parametrize(("query", "count"), [({"state": "stopped"}, 1), ({"kind": "extremes"}, 2), ({"state": "finished"}, 2)])
def test_filters_stand_in_the_link(searched, query, count):
    made(odd("count", count=2), "failed")
    assert len(page(**query).dataframe[0].value) == count


def test_a_link_opens_a_run_with_its_figures_and_its_command(searched):
    test = page(run="1")
    assert not test.exception and "Run 1: Closest and farthest members of tiny" in texts(test)
    assert "python -m explorer.runs submit extremes" in texts(test)
    assert "Attack found" in texts(test), "a number says what it is"


def test_runs_of_a_kind_stand_in_one_figure_with_what_they_differ_in(searched):
    test = page(run="1,2")
    assert not test.exception and "Closest and farthest members: 2 runs" in texts(test)
    assert test.dataframe[1].value.columns.tolist() == ["run", "steps"]


def test_runs_of_different_kinds_are_not_compared(searched):
    made(odd("count", count=2))
    assert "Select runs of one kind" in texts(page(run="1,3"))


def test_a_damaged_run_beside_another_is_not_compared(searched):
    (searched[0].folder / "specification.json").write_text("no JSON")
    test = page(run="1,2")
    assert not test.exception and "Select runs of one kind" in texts(test)


def test_a_failed_run_shows_why_the_end_of_its_log_and_how_to_go_on():
    run = made(odd("count", count=2), "failed", problem="the loss became nan")
    (run.folder / "log.txt").write_text("epoch 3: nan\n")
    test = page(run=run.name)
    assert "The loss became nan" in texts(test) and "epoch 3: nan" in texts(test)
    assert "Go on" in [button.label for button in test.button]


def test_a_damaged_run_is_one_message_and_the_others_stay(searched):
    (searched[0].folder / "specification.json").write_text("no JSON")
    test = page(run="1")
    assert not test.exception and "damaged" in texts(test) and len(test.dataframe[0].value) == 2


@pytest.mark.parametrize("name", ["pairs", "largest_closest_error"])
@pytest.mark.parametrize("content", ["no JSON", "[]", '{"closest_error": 3}'])
def test_damaged_results_are_one_message_at_most(searched, name, content):
    (searched[0].folder / "results" / f"{name}.json").write_text(content)
    (searched[0].folder / "results" / f"{name}.png").write_bytes(b"")
    test = page(run="1")
    assert not test.exception and test.dataframe


def test_a_run_that_is_not_here_is_one_message(searched):
    test = page(run="77")
    assert not test.exception and any("77" in warning.value for warning in test.warning)


def test_a_label_is_kept_and_shown(searched):
    test = page(run="1")
    test.text_input[0].set_value("baseline")
    next(button for button in test.button if button.label == "Keep").click().run()
    assert not test.exception and test.dataframe[0].value["label"].tolist() == ["", "baseline"]


def test_a_deleted_run_is_gone_from_the_page(searched):
    test = page(run="1")
    next(button for button in test.button if button.label == "Delete for good").click().run()
    assert not test.exception and test.dataframe[0].value["run"].tolist() == [2] and not test.warning


def test_a_run_that_cannot_be_deleted_is_one_message(searched):
    test = page(run="1")
    with locks.take(searched[0].folder / "lock"):
        next(button for button in test.button if button.label == "Delete for good").click().run()
    assert not test.exception and any("Cancel it first" in warning.value for warning in test.warning)


def test_everything_of_a_run_can_be_had_in_one_file(searched):
    names = zipfile.ZipFile(io.BytesIO(runs_ui._zipped(searched[0]))).namelist()
    assert f"{searched[0].name}/specification.json" in names and f"{searched[0].name}/results/pairs.json" in names
    assert not any("batches" in name or name.endswith("/lock") for name in names)


def test_a_store_below_a_folder_named_batches_is_sent_too(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_RUNS", str(tmp_path / "batches"))
    run = made(odd("count", count=2), results={"squares": [0, 1]})
    assert f"{run.name}/results/squares.json" in zipfile.ZipFile(io.BytesIO(runs_ui._zipped(run))).namelist()


def test_what_is_too_large_to_be_sent_is_named(monkeypatch):
    monkeypatch.setattr(runs_ui, "LARGEST_DOWNLOAD_MB", 0)
    run = made(odd("count", count=2), results={"squares": [0, 1]})
    archive = zipfile.ZipFile(io.BytesIO(runs_ui._zipped(run)))
    assert f"{run.name}/results/squares.json" in archive.read(f"{run.name}/LEFT_OUT.txt").decode()


def test_a_store_that_cannot_be_read_is_one_message(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EXPLORER_RUNS", str(tmp_path / "file"))
    test = page()
    assert not test.exception and "EXPLORER_RUNS" in texts(test)
