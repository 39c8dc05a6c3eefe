"""What is measured of a classifier under corruptions and attacks, and the tables of AdA that it stands in."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from explorer.checkpoints import Header, save
from explorer.data.corruptions import CORRUPTIONS, SEVERITIES, STANDARD, corrupt
from explorer.errors import Cancelled, ConfigurationError, InvalidInput
from explorer.evaluate import main
from explorer.measuring import plain
from explorer.models import build_model
from explorer.papers import PAPERS, RESULTS, Results, read_results, save_result, status
from explorer.papers.adversarial_augmentation.evaluation import attack_table, corruption_table, progress_of
from explorer.papers.adversarial_augmentation.experiments import EXPERIMENTS
from explorer.papers.adversarial_augmentation.finding import differences, own_path
from explorer.papers.adversarial_augmentation.measured import (
    ATTACKS_KIND,
    BALLS,
    CORRUPTIONS_KIND,
    AttackSettings,
    AttackTable,
    CorruptionSettings,
    CorruptionTable,
)
from explorer.papers.adversarial_augmentation.published import TABLE_1, TABLE_6, TABLE_7, TABLE_8
from explorer.papers.adversarial_augmentation.tables import COLUMNS_1, COLUMNS_8, figure_4, table_1, table_6, table_7, table_8
from explorer.papers.report import ITEMS, find_item, item_report
from explorer.randomness import Streams
from explorer.studies.classifiers import open_classifier
from explorer.types import Silent

PAPER = PAPERS["adversarial_augmentation"]
ERRORS = {name: tuple((place + severity) / 100 for severity in range(5)) for place, name in enumerate(CORRUPTIONS)}


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A small untrained classifier of the embedded digits."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("classifiers") / "small.safetensors"
    config = {"widths": [4, 4], "hidden_units": [8]}
    training = plain(replace(EXPERIMENTS["nominal-scenes"].config, epochs=4))
    header = Header(kind="classifier", name="small", model="lenet5", model_config=config, dataset={"name": "digits"}, training=training, metrics={"epoch": 2}, seed=0, radius=0.0, percentile_radii={})
    save(path, build_model("lenet5", config), header)
    return open_classifier(path)


def measured(name="ada-cifar10-edsr", **changes):
    training = plain(EXPERIMENTS[name].config)
    made = CorruptionTable(
        checkpoint=name, clean=0.1, errors=ERRORS, images=10_000, available=10_000, settings=plain(CorruptionSettings("published")), training=training, dataset="cifar10", digest="d", revision="r",
    )  # fmt: skip
    return replace(made, **changes)


def attacked(name="ada-cifar10-edsr", **changes):
    shares = {"clean": 0.9, **{key: 0.5 for key in BALLS}}
    made = AttackTable(
        checkpoint=name, accuracies=shares, standard_errors={key: 0.005 for key in shares}, images=10_000, available=10_000, settings=plain(AttackSettings()),
        training=plain(EXPERIMENTS[name].config), dataset="cifar10", digest="d", revision="r",
    )  # fmt: skip
    return replace(made, **changes)


def results(*tables):
    kinds = {CorruptionTable: CORRUPTIONS_KIND, AttackTable: ATTACKS_KIND}
    return Results(tuple((kinds[type(table)], table, Path(f"{table.checkpoint}.json")) for table in tables))


@pytest.mark.parametrize("table", [TABLE_7, TABLE_8], ids=["7", "8"])
def test_a_printed_mean_is_that_of_the_printed_errors(table):
    assert all(row[0] == pytest.approx(sum(row[1:]) / 15, abs=0.06) for row in table.values())


def test_the_tables_print_the_same_errors():
    assert all(row[1] == pytest.approx(sum(row[2:]) / 15, abs=0.06) for row in TABLE_6.values())
    assert TABLE_6[10][1:] == TABLE_8["ada-cifar10-edsr"] and TABLE_7[0.015] == TABLE_8["ada-cifar10-edsr-augmix-deepaugment"] and set(TABLE_1) == set(TABLE_8)
    groups = {name: [place for place, each in enumerate(STANDARD) if CORRUPTIONS[each].group == name] for name in ("noise", "blur", "weather", "digital")}
    for name, row in TABLE_1.items():
        own = [sum(TABLE_8[name][1 + place] for place in places) / len(places) for places in groups.values()]
        assert row[0] == TABLE_8[name][0] and row[1:5] == pytest.approx(own, abs=0.06)


def test_every_printed_training_is_an_experiment_at_the_papers_settings():
    assert all(EXPERIMENTS[name].config == EXPERIMENTS[name].published for name in TABLE_1)


def test_means_groups_and_the_mean_error_are_done_by_hand():
    table = measured()
    assert table.mean("gaussian_noise") == pytest.approx(0.02) and table.group("noise") == pytest.approx((0.02 + 0.03 + 0.04) / 3)
    assert table.mce == pytest.approx(sum(0.02 + place / 100 for place in range(15)) / 15)


def test_a_row_holds_both_measurements_of_one_file():
    row = next(row for row in table_1(results(measured(), attacked())).rows if row.label == "ada-cifar10-edsr")
    assert row.measured[0] == pytest.approx(100 * measured().mce) and row.measured[-4:] == (50.0,) * 4 and not row.differences
    assert len(row.measured) == len(COLUMNS_1) == len(row.paper)
    other = next(row for row in table_1(results(measured(), attacked(digest="e"))).rows if row.label == "ada-cifar10-edsr")
    assert other.measured[-4:] == (None,) * 4 and "attacks not measured" in other.differences


def test_a_sweep_finds_each_of_its_rows_by_the_training():
    base = measured().training
    tables = [measured(training={**base, "steps": 2}, clean=0.2), measured(training={**base, "steps": 0}, clean=0.3)]
    rows = {row.label: row for row in table_6(results(*tables)).rows}
    assert rows["2 steps"].measured[0] == pytest.approx(20) and rows["0 steps"].measured[0] == pytest.approx(30) and rows["10 steps"].measured is None
    assert not rows["2 steps"].differences and "--steps 4" in rows["4 steps"].command
    best = measured("ada-cifar10-edsr-augmix-deepaugment")
    rows = {row.label: row for row in table_7(results(replace(best, training={**best.training, "radius": [0.0075]}))).rows}
    assert rows["ν = 0.0075"].measured and rows["ν = 0.015"].measured is None


def test_snapshots_stand_in_figure_4_alone():
    best = measured("ada-cifar10-edsr-augmix-deepaugment")
    tables = results(replace(best, progress=0.5, digest="half"), best)
    assert [row.label.split(" of")[0] for row in figure_4(tables).rows] == ["50 %", "100 %"]
    assert len(figure_4(tables).rows[0].measured) == 1 + len(CORRUPTIONS)
    (row,) = (row for row in table_8(results(replace(best, progress=0.5))).rows if row.label == best.checkpoint)
    assert row.measured is None


def test_a_training_of_ours_has_a_line_of_its_own():
    own = measured("ada-scenes-unet", dataset="scenes", training={**plain(EXPERIMENTS["ada-scenes-unet"].config), "seed": 1})
    (row,) = (row for row in table_8(results(own)).rows if row.own)
    assert row.label == "ada-scenes-unet, seed 1" and len(row.measured) == len(COLUMNS_8) and "the paper has no such training" in row.differences


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"training": {**plain(EXPERIMENTS["ada-cifar10-edsr"].config), "epochs": 3}}, "epochs 3 (paper 300)"),
        ({"images": 50}, "first 50 of 10000 test images"),
        ({"settings": plain(CorruptionSettings())}, "made here, not the published files"),
        ({"training": {}}, "training unknown"),
    ],
    ids=str,
)
def test_what_keeps_a_row_from_being_a_reproduction_is_said(changes, words):
    assert any(words in each for each in differences(measured(**changes), "ada-cifar10-edsr"))
    assert not differences(measured(), "ada-cifar10-edsr")


def test_weaker_attacks_are_said():
    assert "steps of the attacks 20 (paper its own)" in differences(attacked(settings=plain(AttackSettings(steps=20))), "ada-cifar10-edsr")


@pytest.mark.parametrize("number", [1, 6, 7, 8])
@pytest.mark.parametrize("form", ITEMS)
def test_a_table_is_written_in_every_form(number, form):
    item = find_item(PAPER, "table", number)
    assert status(item, Results())[0] == "not run" and "ada-cifar10" in item_report("adversarial_augmentation", PAPER, item, results(measured()), form) + "ada-cifar10" * (number != 1)


def test_errors_are_those_of_the_corrupted_images(opened, tmp_path):
    *_, table = corruption_table(opened, "digest", CorruptionSettings(limit=12, batch_size=5), tmp_path, Silent())
    images, labels = opened.images.images[:12], opened.images.labels[:12]
    for name in ("fog", "jpeg_compression"):
        seen = corrupt(images, name, 3, Streams(0, range(12), purpose="corruption"))
        assert table.errors[name][2] == pytest.approx((opened.model(seen).argmax(1) != labels).float().mean().item())
    assert set(table.errors) == {name for name, each in CORRUPTIONS.items() if not each.coloured} and table.images == 12 and table.progress == 0.5 == progress_of(opened)
    assert table.mce is None, "grey images have no frost"


def test_a_stopped_measurement_goes_on_with_what_it_has(opened, tmp_path):
    class Stop(Silent):
        cancelled = False

    settings, stop = CorruptionSettings(limit=6, batch_size=3), Stop()
    partial = corruption_table(opened, "digest", settings, tmp_path, stop)
    first = next(partial)
    stop.cancelled = True
    with pytest.raises(Cancelled):
        next(partial)
    *_, table = corruption_table(opened, "digest", settings, tmp_path, Silent())
    assert first.images == 3 and table.images == 6 and len(list(tmp_path.rglob("*.safetensors"))) == 2


def test_attacks_leave_fewer_right_in_larger_balls(opened, tmp_path):
    *_, table = attack_table(opened, "digest", AttackSettings(steps=3, restarts=1, limit=20, batch_size=20), tmp_path, Silent())
    found = table.accuracies
    assert found["l2 1.0"] <= found["l2 0.5"] <= found["clean"] and found["linf 2/255"] <= found["linf 1/255"] <= found["clean"]
    assert found["clean"] == pytest.approx((opened.model(opened.images.images[:20]).argmax(1) == opened.images.labels[:20]).double().mean().item())


def test_published_files_are_those_of_cifar10(opened, tmp_path):
    with pytest.raises(InvalidInput, match="CIFAR-10-C"):
        next(corruption_table(opened, "digest", CorruptionSettings("published"), tmp_path, Silent()))


def test_impossible_settings_are_refused_all_at_once(opened, tmp_path):
    with pytest.raises(ConfigurationError) as error:
        next(attack_table(opened, "digest", AttackSettings(("worst-of-all",), steps=0, restarts=0, limit=0), tmp_path, Silent()))
    assert len(error.value.problems) == 4


@pytest.mark.parametrize("changes", [{"clean": 1.5}, {"errors": {"fog": (0.1,)}}, {"errors": {}}, {"settings": {"source": "other"}}, {"progress": math.nan}], ids=str)
def test_a_results_file_with_wrong_values_is_left_out(changes, tmp_path):
    kept = measured()
    for name, value in changes.items():
        object.__setattr__(kept, name, value)
    save_result(CORRUPTIONS_KIND, kept, tmp_path / "wrong.json")
    assert not read_results(RESULTS, (tmp_path,)).tables


def test_a_part_never_replaces_the_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert own_path(CORRUPTIONS_KIND, measured(settings=plain(CorruptionSettings()))).name == "ada-cifar10-edsr-corruptions.json"
    assert own_path(CORRUPTIONS_KIND, measured(settings=plain(CorruptionSettings()), images=5)).name != "ada-cifar10-edsr-corruptions.json"
    assert own_path(CORRUPTIONS_KIND, measured(settings=plain(CorruptionSettings()), progress=0.5)).name != "ada-cifar10-edsr-corruptions.json"


def test_the_command_measures_and_writes_a_results_file(opened, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.safetensors"
    save(path, opened.model, opened.checkpoint.header)
    assert main([str(path), "--limit", "3"]) == 0 and main([str(path), "--balls", "--limit", "3", "--steps", "1", "--restarts", "1"]) == 0
    assert "mCE" in capsys.readouterr().out
    assert {kind for kind, _, _ in read_results(RESULTS, (Path("runs/results"),)).tables} == {CORRUPTIONS_KIND, ATTACKS_KIND}
    assert main([str(path), "--balls", "--published"]) == 1 and "--published does not go with" in capsys.readouterr().err
    assert len(SEVERITIES) == 5
