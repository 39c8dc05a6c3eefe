"""Runs on classifiers and their budgets, as the page Runs shows them."""

import json
from dataclasses import asdict, replace

import pytest
from streamlit.testing.v1 import AppTest

from explorer.measuring import plain
from explorer.papers.contextual_budgets.measured import (
    ErrorSettings,
    ErrorTable,
    FollowedSettings,
    FollowedTable,
    VolumeSettings,
    VolumeTable,
)
from explorer.runs.kinds import specify
from explorer.ui.budget_runs import error_rows, followed_rows, volume_rows
from explorer.ui.library import SHIPPED
from tests.apps import opened_page
from tests.runs.conftest import made, store  # noqa: F401

OF = {"checkpoint": "budgets-digits", "images": 40, "available": 300, "training": {}, "dataset": "digits", "digest": "abc"}
ERRORS = ErrorTable(**OF, settings=plain(ErrorSettings()), volume=0.2, errors=(0.02, 0.1, 0.125, 0.2, None, None, None), standard_errors=(0.01, 0.02, 0.02, 0.03, None, None, None))
VOLUMES = VolumeTable(
    **OF, settings=plain(VolumeSettings(targets=(0.2,), whole=True)), targets=(0.2,), errors=(0.25,), standard_errors=(0.05,), volumes=(0.1, 0.3, 0.4), radii=(0.05, 0.1, 0.15), mean_iterations=12.0,
)  # fmt: skip
FOLLOWED = FollowedTable(**OF, settings=plain(FollowedSettings()), volume=0.2, names=("watermark", "empty", "gradient"), means=(0.1, 0.3, -0.5), standard_errors=(0.01, 0.02, 0.03))
TABLES = {"errors": ("budget_errors", ERRORS), "volumes": ("budget_volumes", VOLUMES), "followed": ("budget_followed", FOLLOWED)}
ROWS = {"errors": error_rows, "volumes": volume_rows, "followed": followed_rows}


def finished(name, table=None, seed=0):
    kind, own = TABLES[name]

    specification = specify(kind, {"checkpoint": str(SHIPPED / "contextual_budgets" / "budgets-digits.safetensors")}, {"limit": 40}, "cpu", seed=seed)
    return made(specification, results={name: asdict(table or own)})


def page(**query) -> AppTest:
    return opened_page("runs", query)


@pytest.mark.parametrize(("name", "words"), [("errors", "*Verified*"), ("volumes", "*Certified* by Liu et al."), ("followed", "Spearman")])
def test_a_run_shows_its_table_and_what_its_numbers_are(store, name, words):  # noqa: F811
    finished(name)
    test = page(run="1")
    assert not test.exception and not test.error and any(words in caption.value for caption in test.caption)


def test_an_error_that_was_not_measured_is_left_empty(store):  # noqa: F811
    finished("errors")
    row = page(run="1").dataframe[1].value.iloc[0]
    assert row["learned, verified"] == "12.50 ± 2.00" and row["uniform, verified"] == ""


@pytest.mark.parametrize("name", TABLES)
def test_runs_of_a_kind_stand_in_one_figure(store, name):  # noqa: F811
    finished(name)
    finished(name, replace(TABLES[name][1], checkpoint="another"), seed=1)
    test = page(run="1,2")
    assert not test.exception and not test.error


@pytest.mark.parametrize("name", TABLES)
def test_the_numbers_of_a_run_are_rows(store, name):  # noqa: F811
    rows = ROWS[name](finished(name))
    assert rows and all(row["checkpoint"] == "budgets-digits" for row in rows)


@pytest.mark.parametrize("name", TABLES)
def test_damaged_results_are_one_message(store, name):  # noqa: F811
    run = finished(name)
    (run.results / f"{name}.json").write_text(json.dumps({"errors": "nothing"}))
    test = page(run="1")
    assert not test.exception and any("cannot be shown" in error.value for error in test.error)
