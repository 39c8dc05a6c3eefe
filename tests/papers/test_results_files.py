"""Results files as outside input, what of them fills a table, and where they are written."""

import csv
import dataclasses
import io
import json

import pytest

from explorer.checkpoints import Header, save
from explorer.evaluate import main
from explorer.models import build_model
from explorer.papers import EXPERIMENTS, PAPERS, RESULTS, read_results, save_result, status
from explorer.papers.learned_sets.quality import PAPER, QualitySettings, QualityTable
from explorer.papers.learned_sets.report import FORMATS
from explorer.papers.learned_sets.tables import KIND, own_path
from explorer.papers.report import find_item
from explorer.papers.results import SHIPPED, read_result
from explorer.runs.commands import run as runs
from explorer.train import main as train
from tests.tiny import TINY

ITEMS = [pytest.param(paper, item, id=f"{stem}-{item.key}") for stem, paper in PAPERS.items() for item in paper.items]
TABLE_4 = find_item(PAPERS["learned_sets"], "table", 4)
READ = read_results(RESULTS, (SHIPPED,), (SHIPPED,))
FIGURE_5 = find_item(PAPERS["learned_sets"], "figure", 5)


def measured(name, settings=QualitySettings(), **changes) -> QualityTable:
    """A whole evaluation of the experiment, trained as it says."""
    experiment = EXPERIMENTS[name].config
    pairs = settings.limit or 10_000
    known = dict(
        checkpoint=name, radius=7.5, pairs=pairs, available=10_000, means=(0.1,) * 6, standard_errors=(0.01,) * 6,
        settings=dataclasses.asdict(settings), training=json.loads(json.dumps(dataclasses.asdict(experiment))), model=experiment.model,
        model_config={}, description="", epsilon=7.5, dataset=experiment.dataset, fingerprint="f", digest="d", device="CPU", versions={},
        revision="r",
    )  # fmt: skip
    return QualityTable(**{**known, **changes})


@pytest.fixture
def results(tmp_path):
    """Writes tables to a folder and reads it."""

    def made(*tables, **contents):
        for index, table in enumerate(tables):
            save_result(KIND, table, tmp_path / f"{index}.json")
        for name, content in contents.items():
            (tmp_path / f"{name}.json").write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return read_results(RESULTS, (tmp_path,), (tmp_path,))

    return made


@pytest.mark.parametrize(("paper", "item"), ITEMS)
def test_an_item_has_either_data_or_a_reason(paper, item):
    assert item.caption and bool(item.missing) != bool(item.fill)


@pytest.mark.parametrize(("paper", "item"), ITEMS)
def test_nothing_is_measured_without_a_results_file(results, paper, item):
    state, how = status(item, results())
    of_theory = {"Perturbation sets": ("figure-4", "table-5", "table-6"), "Manifold directions": ("figure-1",)}  # formulas, and layers
    assert how and (state == "not run" or state == "done" and item.key in of_theory[paper.short_name])


def test_a_squared_error_stands_in_a_row_of_its_own_and_does_not_count(results):
    squared = measured("mnist-rts", QualitySettings(distance="squared_error", limit=10))
    found = results(*map(measured, PAPER), squared)
    assert status(TABLE_4, found)[0] == "done"
    (row,) = [row for row in TABLE_4.fill(found).rows if row.own]
    assert set(row.paper) == {None} and "first 10 of 10000 pairs" in row.differences


@pytest.mark.parametrize(
    ("table", "difference"),
    [
        (measured("mnist-rts-compact"), "mnist-rts-compact: "),
        (measured("mnist-rts-compact"), "epochs 30 (paper 100)"),
        (measured("mnist-rts-compact"), "latent_dim 32 (paper 128)"),
        (measured("mnist-rts", QualitySettings(limit=500)), "first 500 of 10000 pairs"),
        (measured("mnist-rts", QualitySettings(steps=5)), "PGD with 5 steps (paper 50)"),
        (measured("mnist-rts", QualitySettings(radius=3.0), radius=3.0), "radius 3 chosen by hand"),
        (measured("mnist-rts", dataset="digits"), "measured on digits"),
        (measured("mnist-rts", training={"seed": 0}), "epochs not recorded (paper 100)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_difference_from_the_paper_makes_a_short_run_and_is_named(results, table, difference):
    state, how = status(TABLE_4, results(table))
    assert state == "short run" and difference in how and how.startswith("1 of 5 rows")


def test_the_seed_of_a_training_is_no_difference(results):
    tables = [measured(name) for name in PAPER]
    assert status(TABLE_4, results(*[dataclasses.replace(table, training={**table.training, "seed": 7}) for table in tables]))[0] == "done"


@pytest.mark.parametrize(
    "tables",
    [(measured("mnist-rts", radius=1.0, epsilon=1.0), measured("mnist-rts-compact")), (measured("mnist-rts-compact"), measured("mnist-rts", radius=1.0, epsilon=1.0))],
    ids=["first", "last"],
)
def test_the_full_model_fills_a_row_before_its_compact_variant(results, tables):
    row = next(row for row in TABLE_4.fill(results(*tables)).rows if row.label == "RTS")
    assert row.measured[0] == 1.0


def test_the_whole_split_fills_a_row_before_a_part(results):
    row = next(row for row in TABLE_4.fill(results(measured("mnist-rts"), measured("mnist-rts", QualitySettings(limit=9)))).rows if row.label == "RTS")
    assert "10,000 pairs" in row.source


GOOD = {"format": 1, "kind": KIND, **json.loads(json.dumps(dataclasses.asdict(measured("mnist-rts"))))}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xff", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b" " * 2_000_000, "1 MB"),
        (json.dumps(GOOD).replace("7.5", "NaN").encode(), "radius"),
        ([], "kind"),
        ({**GOOD, "kind": []}, "kind"),
        ({**GOOD, "format": 2}, "format 2"),
        ({**GOOD, "means": ["a"] * 6}, "means"),
        ({**GOOD, "means": [0.1]}, "expected 6 values"),
        ({**GOOD, "standard_errors": [-1.0] * 6}, "at least 0"),
        ({**GOOD, "pairs": 10_001}, "10001 of 10000 pairs"),
        ({**GOOD, "settings": {"distance": []}}, "settings"),
        ({**GOOD, "revision": "\ud800"}, "JSON"),
        ({key: value for key, value in GOOD.items() if key != "training"}, "training is missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_be_used_is_named_and_the_others_stay(results, content, problem):
    found = results(measured("mnist-rts-1"), broken=content)
    assert len(found.tables) == 1 and len(found.problems) == 1
    assert "broken.json" in found.problems[0] and problem in found.problems[0]


def test_samples_are_there_where_finished_checkpoints_are(results, tmp_path):
    header = Header("learned_set", "mnist-rts-1", "rts_cvae", TINY, {"name": "mnist", "pairs": "rts"}, {"seed": 0}, {}, 0, 2.0, {"100": 2.0})
    for name in ("mnist-rts-1", "best"):
        save(tmp_path / "run" / f"{name}.safetensors", build_model("rts_cvae", TINY), header)
    assert len(results().checkpoints) == 1
    state, how = status(FIGURE_5, results())
    assert state == "short run" and "epochs not recorded" in how and "Convolutional ℓ∞: no checkpoint of it" in how


@pytest.mark.parametrize("row", [row for paper, item in [each.values for each in ITEMS] if item.fill for row in item.fill(READ).rows])
def test_every_command_is_one_that_exists(row, capsys):
    for command in filter(None, row.command.split(" && ")):
        python, flag, module, *arguments = command.split()
        assert (python, flag) == ("python", "-m") and module in ("explorer.train", "explorer.evaluate", "explorer.runs")
        if module == "explorer.runs":
            assert arguments[0] == "submit" and runs([*arguments[:2], "--help"]) == 0
        if module == "explorer.train":
            assert train([*arguments, "--dry-run"]) == 0


def test_a_part_never_replaces_a_whole_evaluation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole, part = measured("mnist-rts"), measured("mnist-rts", QualitySettings(limit=9))
    save_result(KIND, whole, own_path(whole))
    assert own_path(whole).name == "mnist-rts-cross_entropy.json"
    assert len({own_path(whole), own_path(part), own_path(dataclasses.replace(whole, digest="another file"))}) == 3


def test_shipped_results_can_be_read():
    assert not [path for path in SHIPPED.rglob("*.json") if not read_result(path, RESULTS)]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("options", [["--table", "4"], ["--figure", "4"], ["--figure", "1"], []], ids=str)
def test_every_format_prints(form, options, capsys):
    assert main(["--paper", "learned_sets", *options, "--format", form]) == 0
    printed = capsys.readouterr().out
    assert printed.strip() if options != ["--figure", "1"] or form != "csv" else True
    if form == "json":
        json.loads(printed)


def test_the_table_holds_the_papers_numbers_and_ours(results, tmp_path, capsys):
    results(measured("mnist-rts"))
    assert main(["--paper", "learned_sets", "--table", "4", "--format", "csv", "--results", str(tmp_path)]) == 0
    lines = {(line["row"], line["of"]): line for line in csv.DictReader(io.StringIO(capsys.readouterr().out))}
    assert lines["RTS", "paper"]["KL (nats)"] == "22.2" and lines["RTS", "measured"]["KL (nats)"] == "0.1"
    assert lines["RTS", "± standard error"]["PGD AE"] == "0.01" and ("RTS-1", "measured") not in lines


def test_an_option_for_measuring_is_refused_beside_a_paper(capsys):
    assert main(["--paper", "learned_sets", "--limit", "9"]) == 1
    assert "--limit is for measuring" in capsys.readouterr().err
