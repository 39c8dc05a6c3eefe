"""The page Papers, opened alone."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from explorer.papers import save_result
from explorer.papers.learned_sets.quality import QualitySettings
from explorer.papers.learned_sets.tables import KIND
from tests.apps import opened_page, texts
from tests.papers.test_results_files import measured


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Opens the page with results files of one's own."""
    monkeypatch.chdir(tmp_path)

    def opened(**query) -> AppTest:
        return opened_page("papers", query)

    return opened


def test_all_61_are_listed(page):
    test = page()
    assert not test.exception and len(test.dataframe[0].value) == 61


def test_filters_stand_in_the_link(page):
    test = page(paper="adversarial_augmentation", state="not run")
    shown, whole = (each.dataframe[0].value for each in (test, page(paper="adversarial_augmentation")))
    assert 0 < len(shown) < len(whole) == 13 and shown["status"].str.endswith("not run").all() and test.selectbox[0].value == "adversarial_augmentation"
    assert len(shown) == whole["status"].str.endswith("not run").sum()


@pytest.mark.parametrize("item", ["table-4", "learned_sets.table-4"])
def test_a_link_opens_its_table_with_the_command_that_fills_it(page, item):
    test = page(paper="learned_sets", item=item)
    assert not test.exception and "Perturbation sets, table 4" in texts(test)
    assert "python -m explorer.train mnist-rts-5" in texts(test)


def test_a_measured_row_says_how_and_what_differs(page, tmp_path):
    save_result(KIND, replace(measured("mnist-rts-5", QualitySettings(limit=10)), means=(0.1234,) * 6), tmp_path / "runs" / "results" / "x.json")
    test = page(paper="learned_sets", item="table-4")
    assert "RTS-5**: not a reproduction: first 10 of 10000 pairs" in texts(test)
    assert "0.1234" in test.dataframe[1].value.to_string()


def test_the_counterexample_can_be_varied(page):
    test = page(paper="learned_sets", item="figure-4", height="2.5")
    assert not test.exception and test.slider[0].value == 2.5


def test_a_broken_results_file_is_one_message(page, tmp_path):
    (tmp_path / "runs" / "results").mkdir(parents=True)
    (tmp_path / "runs" / "results" / "foreign.json").write_text("[]")
    test = page()
    assert not test.exception and "foreign.json is left out" in texts(test)


@pytest.mark.parametrize(("paper", "item"), [("certified_vae", "table-2"), ("all", "table-1")])
def test_an_item_that_the_paper_does_not_have_is_one_message(page, paper, item):
    test = page(paper=paper, item=item)
    assert not test.exception and test.selectbox
    assert any(item in warning.value for warning in test.warning)
