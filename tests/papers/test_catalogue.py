import csv
import io
import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from explorer.evaluate import main
from explorer.papers import EXPERIMENTS, PAPERS, RESULTS, Results, read_results, save_result, status
from explorer.papers.base import Filled, Row
from explorer.papers.learned_sets.quality import HEADINGS, PAPER, QualitySettings, QualityTable
from explorer.papers.learned_sets.tables import KIND, differences, table1, table4
from explorer.papers.report import ITEMS, LISTINGS, find_item, item_report, listing, summary

COUNTS = {"learned_sets": (11, 17), "contextual_budgets": (4, 6), "certified_vae": (1, 4), "adversarial_augmentation": (9, 4), "manifold_directions": (2, 3)}
MEANS = (0.3, 0.2, 0.5, 0.9, 0.1, 20.0)
TABLE_4 = find_item(PAPERS["learned_sets"], "table", 4)


def measured(name: str, **changes) -> QualityTable:
    """A table of that experiment as if it had been measured at the paper's settings."""
    training = json.loads(json.dumps(asdict(EXPERIMENTS[name].config)))
    made = QualityTable(
        checkpoint=name, radius=14.0, pairs=10_000, available=10_000, means=MEANS, standard_errors=(0.01,) * 6,
        settings=asdict(QualitySettings()), training=training, dataset="mnist", digest="d", device="CPU", versions={}, revision="r",
    )  # fmt: skip
    return replace(made, **changes)


def results(*tables: QualityTable) -> Results:
    return Results(tuple((KIND, table, Path(f"{table.checkpoint}.json")) for table in tables))


@pytest.mark.parametrize("stem", PAPERS)
def test_every_table_and_figure_of_a_paper_is_listed_once(stem):
    for kind, count in zip(("table", "figure"), COUNTS[stem]):
        assert [item.number for item in PAPERS[stem].items if item.kind == kind] == list(range(1, count + 1))


def test_the_summary_counts_them_all():
    assert summary(PAPERS, Results()) == "27 tables, 34 figures: 4 done, 0 short run, 57 not run"


@pytest.mark.parametrize("stem", PAPERS)
def test_what_cannot_be_run_says_why(stem):
    assert all(item.fill or item.missing.startswith("needs ") for item in PAPERS[stem].items)


def test_without_results_nothing_is_measured():
    state, how = status(TABLE_4, Results())
    assert (state, how) == ("not run", "No results file of it is here yet.")
    assert all(row.measured is None and row.command.startswith("python -m explorer.train") for row in table4(Results()).rows)


def test_a_table_is_done_with_every_row_at_the_papers_settings():
    assert status(TABLE_4, results(*(measured(name) for name in PAPER)))[0] == "done"


def test_one_row_is_a_short_run():
    state, how = status(TABLE_4, results(measured("mnist-rts")))
    assert state == "short run" and "1 of 5 rows" in how


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pairs": 500}, "first 500 of 10000 pairs"),
        ({"training": {}}, "training unknown"),
        ({"settings": {"steps": 5}}, "PGD with 5 steps (paper 50)"),
        ({"settings": {"steps": 50, "radius": 3.0}, "radius": 3.0}, "radius 3 chosen by hand"),
        ({"dataset": "digits"}, "measured on digits"),
    ],
    ids=str,
)
def test_every_difference_from_the_paper_is_named(changes, words):
    assert words in differences(measured("mnist-rts", **changes), "mnist-rts")


def test_a_compact_variant_fills_the_row_with_its_differences():
    filled = table4(results(measured("mnist-rts-compact")))
    (row,) = (row for row in filled.rows if row.measured)
    assert (row.label, row.variant) == ("RTS", "mnist-rts-compact")
    assert {"epochs 30 (paper 100)", "latent_dim 32 (paper 128)"} <= set(row.differences)


def test_the_experiment_itself_comes_before_its_variant_and_the_whole_before_a_part():
    tables = [measured("mnist-rts-compact"), measured("mnist-rts", pairs=10, radius=1.0), measured("mnist-rts", radius=2.0)]
    row = next(row for row in table4(results(*tables)).rows if row.label == "RTS")
    assert row.measured[0] == 2.0


def test_squared_errors_have_a_line_of_their_own_without_the_papers():
    squared = measured("mnist-rts", settings=asdict(QualitySettings("squared_error")))
    row = next(row for row in table4(results(squared)).rows if row.label == "RTS, squared error")
    assert row.measured[1:] == MEANS and set(row.paper) == {None}


def test_table_1_takes_its_columns_from_table_4():
    row = table1(results(measured("mnist-rts"))).rows[0]
    assert row.measured == (MEANS[1], MEANS[2], MEANS[4], MEANS[5])
    assert row.paper == tuple(PAPER["mnist-rts"][place] for place in (2, 3, 5, 6))


def test_results_are_read_as_they_were_written(tmp_path):
    table = measured("mnist-rts")
    save_result(KIND, table, tmp_path / "learned_sets" / "mnist-rts.json")
    read = read_results(RESULTS, (tmp_path,))
    assert read.of(KIND)[0][0] == table and not read.problems


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"kind": "other", "format": 1}', '{"kind": "learned_sets.quality", "format": 2}', '{"kind": "learned_sets.quality", "format": 1}'],
)
def test_a_file_that_is_no_results_file_is_named_and_left_out(tmp_path, content):
    (tmp_path / "notes.json").write_text(content)
    read = read_results(RESULTS, (tmp_path,))
    assert not read.tables and len(read.problems) == 1 and "notes.json is left out" in read.problems[0]


@pytest.mark.parametrize(("field", "value"), [("means", [1, 2]), ("means", [float("nan")] * 6), ("radius", "14"), ("training", [])], ids=str)
def test_a_results_file_with_wrong_values_is_left_out(tmp_path, field, value):
    content = {"kind": KIND, "format": 1, **asdict(measured("mnist-rts")), field: value}
    (tmp_path / "bad.json").write_text(json.dumps(content))
    read = read_results(RESULTS, (tmp_path,))
    assert not read.tables and field in read.problems[0]


@pytest.mark.parametrize("form", LISTINGS)
def test_every_listing_names_all_tables(form):
    text = listing({"certified_vae": PAPERS["certified_vae"]}, Results(), form)
    assert text.count("not run") >= 5 and "ELBO" in text


@pytest.mark.parametrize("form", ITEMS)
def test_every_form_of_a_table_holds_ours_beside_the_papers(form):
    text = item_report("learned_sets", PAPERS["learned_sets"], TABLE_4, results(measured("mnist-rts", means=(*MEANS[:5], 21.25))), form)
    assert "22.2" in text and "21.25" in text


@pytest.mark.parametrize("form", ITEMS)
def test_a_line_of_the_paper_may_lack_the_last_columns(form):
    """As where we measure more than it prints."""
    item = replace(TABLE_4, fill=lambda _: Filled(("a", "b"), (Row("their line", (12.5,)), Row("our line", (), (1.5, 2.5), own=True)), ""))
    text = item_report("learned_sets", PAPERS["learned_sets"], item, Results(), form)
    assert "12.5" in text and "2.5" in text


def test_a_csv_has_the_columns_of_the_table():
    text = item_report("learned_sets", PAPERS["learned_sets"], TABLE_4, Results(), "csv")
    assert next(csv.reader(io.StringIO(text))) == ["row", "of", "ε", *HEADINGS]


def test_the_command_shows_a_table_and_lists_the_papers(capsys):
    assert main(["--paper", "learned_sets", "--table", "4"]) == 0 and "Fully connected" in capsys.readouterr().out
    assert main(["--paper", "all", "--format", "json"]) == 0 and len(json.loads(capsys.readouterr().out)) == 61


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "either a checkpoint to measure, or --paper"),
        (["a.safetensors", "--paper", "all"], "either a checkpoint"),
        (["--paper", "learned_set"], "Did you mean 'learned_sets'"),
        (["--paper", "learned_sets", "--table", "12"], "no table 12. It has table 1 to 11"),
        (["--paper", "certified_vae", "--table", "2"], "table 1 only"),
        (["--paper", "all", "--table", "1"], "name it instead of all"),
        (["--table", "1"], "need --paper"),
        (["--paper", "learned_sets", "--table", "1", "--figure", "1"], "not both"),
    ],
    ids=str,
)
def test_a_command_that_cannot_be_is_one_message(capsys, arguments, message):
    assert main(arguments) == 1
    assert message in capsys.readouterr().err


def test_an_evaluation_leaves_a_results_file_where_tables_look_for_it(tmp_path, monkeypatch, capsys):
    from explorer.ui.library import SHIPPED

    monkeypatch.chdir(tmp_path)
    assert main([str(SHIPPED / "learned_sets" / "digits-rts.safetensors"), "--limit", "3", "--steps", "1"]) == 0
    ((table, path),) = read_results(RESULTS, (Path("runs/results"),)).of(KIND)
    assert (table.checkpoint, table.pairs, table.available) == ("digits-rts", 3, 300)
    assert path.name.startswith("digits-rts-cross_entropy-"), "the plain name is for the whole split's"
