"""Budgets: what is measured of a checkpoint, and Tables 1 to 4 read from it."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from explorer.errors import Cancelled, ConfigurationError, InvalidInput
from explorer.evaluate import main as evaluate
from explorer.measuring import plain
from explorer.papers import EXPERIMENTS, PAPERS, RESULTS, Results, save_result, status
from explorer.papers.contextual_budgets.evaluation import error_table, followed_table, volume_table
from explorer.papers.contextual_budgets.finding import own_path
from explorer.papers.contextual_budgets.measured import (
    ERRORS_KIND,
    FOLLOWED_KIND,
    HEADINGS,
    VOLUMES_KIND,
    ErrorSettings,
    ErrorTable,
    FollowedSettings,
    FollowedTable,
    VolumeSettings,
    VolumeTable,
)
from explorer.papers.contextual_budgets.opening import open_budgets, regions
from explorer.papers.contextual_budgets.published import APPENDIX_B, TABLE_1, TABLE_2, TABLE_3, TABLE_4
from explorer.papers.contextual_budgets.report import report
from explorer.papers.contextual_budgets.tables import table_1, table_3
from explorer.papers.report import ITEMS, find_item, item_report
from explorer.papers.results import read_result
from explorer.types import Silent
from tests.stopping import StopAt
from tests.tiny_budgets import VOLUME, save_tiny

BUDGETS = PAPERS["contextual_budgets"]
FEW = {"limit": 12, "batch_size": 5}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def uniform(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("tiny"), learned=False)


@pytest.fixture(scope="module")
def opened(path):
    return open_budgets(path)


def last(tables):
    *_, table = tables
    return table


def errors(name, *, seed=0, volume=None, share=0.1, **changes):
    """A results file's table of an experiment of the paper, at the paper's settings."""
    training = {**plain(EXPERIMENTS[name].config), "seed": seed}
    volume = training["volume"] if volume is None else volume
    numbers = {"errors": (share, *(None,) * 3, *(share,) * 3), "standard_errors": (0.001, *(None,) * 3, *(0.001,) * 3)}
    if training["budgets"] == "learned":
        numbers = {"errors": (share,) * 7, "standard_errors": (0.001,) * 7}
    common = {"images": 10_000, "available": 10_000, "settings": plain(ErrorSettings()), "training": training, "dataset": training["dataset"], "digest": f"{name}{seed}", "device": "CPU"}
    return ErrorTable(checkpoint=name, volume=volume, **{**common, **numbers, **changes})


def volumes(name, targets, shares, seed=0):
    training = {**plain(EXPERIMENTS[name].config), "seed": seed}
    return VolumeTable(
        checkpoint=name, images=10_000, available=10_000, settings=plain(VolumeSettings()), training=training, dataset=training["dataset"],
        digest=f"{name}{seed}", device="CPU", targets=targets, errors=shares, standard_errors=(0.001,) * len(targets), volumes=(0.1, 0.2, 0.3),
        radii=(0.1, 0.2, 0.3), mean_iterations=10.0,
    )  # fmt: skip


def results(*tables):
    kinds = {ErrorTable: ERRORS_KIND, VolumeTable: VOLUMES_KIND, FollowedTable: FOLLOWED_KIND}
    return Results(tuple((kinds[type(table)], table, own_path(kinds[type(table)], table)) for table in tables))


def row_of(filled, label):
    return next(row for row in filled.rows if row.label == label)


def test_errors_stand_in_order_for_both_kinds_of_boxes(opened, tmp_path):
    table = last(error_table(opened, "d", ErrorSettings(steps=5, **FEW), tmp_path, Silent()))
    found = dict(zip(HEADINGS, table.errors))
    for boxes in ("learned", "uniform"):
        assert found["clean"] <= found[f"{boxes}, attacked"] <= found[f"{boxes}, verified"] <= found[f"{boxes}, IBP alone"]
    assert (table.images, table.available, table.volume) == (12, 300, VOLUME)


def test_batches_change_nothing(opened, tmp_path):
    whole, parts = (last(error_table(opened, "d", ErrorSettings(steps=5, limit=12, batch_size=size), tmp_path, Silent())) for size in (12, 5))
    assert whole.errors == parts.errors


def test_a_stopped_measurement_goes_on_where_it_was(opened, tmp_path):
    settings = ErrorSettings(steps=2, **FEW)
    with pytest.raises(Cancelled):
        last(error_table(opened, "d", settings, tmp_path, StopAt(5)))
    kept = list(tmp_path.glob("*/*.safetensors"))
    again = last(error_table(opened, "d", settings, tmp_path, Silent()))
    assert len(kept) == 1 and again.images == 12


def test_a_uniform_model_has_learned_errors_with_anothers_budgets(path, uniform, tmp_path):
    alone = last(error_table(open_budgets(uniform), "d", ErrorSettings(steps=2, **FEW), tmp_path, Silent()))
    lent = last(error_table(open_budgets(uniform), "d", ErrorSettings(steps=2, generator=str(path), **FEW), tmp_path, Silent()))
    assert alone.errors[1:4] == (None,) * 3 and None not in lent.errors
    assert lent.settings["generator"].startswith("tiny-budgets (") and "/" not in lent.settings["generator"], "a name, not a path"


def test_a_generator_must_be_one(uniform, tmp_path):
    with pytest.raises(InvalidInput, match="no generator of budgets"):
        last(error_table(open_budgets(uniform), "d", ErrorSettings(generator=str(uniform)), tmp_path, Silent()))


def test_volumes_are_those_of_the_images(opened, tmp_path):
    settings = VolumeSettings(targets=(1e-3, VOLUME, 0.9), iterations=5, whole=True, **FEW)
    table = last(volume_table(opened, "d", settings, tmp_path, Silent()))
    assert list(table.errors) == sorted(table.errors) and table.errors[-1] == 1
    assert all(volume >= radius for volume, radius in zip(table.volumes, table.radii)) and table.targets == settings.targets


def test_without_targets_the_trainings_volume_is_meant(opened, tmp_path):
    table = last(volume_table(opened, "d", VolumeSettings(iterations=2, **FEW), tmp_path, Silent()))
    assert table.targets == (VOLUME,) and max(table.volumes) <= VOLUME + 1e-12


def test_what_budgets_follow_has_a_mean_for_each_region(opened, tmp_path):
    table = last(followed_table(opened, "d", FollowedSettings(**FEW), tmp_path, Silent()))
    assert table.names == ("digit", "faint edges", "empty", "gradient", "brightness", "digit's mask")
    low, high = 0.25 * VOLUME, 2 * VOLUME
    assert all(low <= mean <= high for mean in table.means[:3]) and all(-1 <= mean <= 1 for mean in table.means[3:])


def test_what_budgets_follow_needs_budgets(uniform, tmp_path):
    with pytest.raises(InvalidInput, match="no generator of budgets"):
        last(followed_table(open_budgets(uniform), "d", FollowedSettings(), tmp_path, Silent()))


def test_the_regions_of_watermarked_images_share_no_pixel(tmp_path):
    watermarked = open_budgets(save_tiny(tmp_path, dataset="watermarked_digits", classes=20))
    masks = regions(watermarked.data, watermarked.images.images[:50])
    assert list(masks) == ["watermark", "digit", "faint edges", "empty"] and (sum(mask.int() for mask in masks.values()) == 1).all()
    images = watermarked.images.images[:50, 0]
    assert (images[masks["empty"]] < 0.14).all() and masks["watermark"].flatten(1).any(1).all()
    assert torch.nonzero(masks["watermark"])[:, 2].sub(14).abs().min() >= 5, "watermarks lie in the margins"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (ErrorSettings(volume=2.0, steps=0, limit=0), ("volume = 2.0", "steps = 0", "limit = 0")),
        (VolumeSettings(targets=(0.0,), method="crown", iterations=0), ("volume = 0.0", "method = 'crown'", "iterations = 0")),
        (FollowedSettings(batch_size=0, seed=-1), ("batch_size = 0", "seed = -1")),
    ],
)
def test_impossible_settings_are_all_named(opened, settings, words, tmp_path):
    measure = {ErrorSettings: error_table, VolumeSettings: volume_table, FollowedSettings: followed_table}[type(settings)]
    with pytest.raises(ConfigurationError) as error:
        last(measure(opened, "d", settings, tmp_path, Silent()))
    assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize("lines", [TABLE_1, TABLE_2, TABLE_3, TABLE_4, APPENDIX_B], ids=["1", "2", "3", "4", "B"])
def test_every_row_of_the_paper_is_an_experiment(lines):
    for line in lines:
        assert line.experiment in EXPERIMENTS and (line.generator is None or line.generator in EXPERIMENTS)
        assert line.volume == EXPERIMENTS[line.experiment].config.volume or line.generator


def test_without_results_every_table_says_how_it_would_be_run():
    for item in BUDGETS.items:
        if item.fill:
            assert status(item, Results())[0] == "not run" and all("explorer.train" in row.command for row in item.fill(Results()).rows)


def test_table_1_puts_together_errors_volumes_and_the_control():
    name = "budgets-mnist-0.6"
    filled = table_1(results(errors(name, share=0.2), errors(name, volume=0.3, share=0.15), volumes(name, (0.6,), (0.25,))))
    row = row_of(filled, "ε0 0.6: learned 0.6")
    assert row.measured == pytest.approx((20, 25, 20, 20, 20, 15)) and row.paper == (2.95, 14.13, 100.0, 13.93, None, 11.22) and not row.differences


def test_a_row_says_what_is_missing_of_it():
    row = row_of(table_1(results(errors("budgets-mnist-0.6"))), "ε0 0.6: learned 0.6")
    assert row.measured[1] is None and any("--liu" in each for each in row.differences) and any("±0.3" in each for each in row.differences)


def test_a_uniform_model_is_tested_at_larger_volumes():
    lent = plain(ErrorSettings(generator="budgets-mnist-0.6 (d)"))
    table = replace(errors("uniform-mnist-0.4", volume=0.6, share=0.9), errors=(0.02, 1.0, 1.0, 1.0, 0.9, 0.95, 1.0), standard_errors=(0.0,) * 7, settings=lent)
    row = row_of(table_1(results(table, volumes("uniform-mnist-0.4", (0.4, 0.6), (0.1, 0.8)))), "ε0 0.6: uniform 0.4")
    assert row.measured[:4] == pytest.approx((2, 80, 95, 100)) and "budgets of budgets-mnist-0.6" in row.source


def test_a_compact_variant_is_no_reproduction_and_gives_way_to_the_experiment():
    compact = errors("budgets-mnist-0.4-compact", share=0.3)
    row = row_of(table_1(results(compact)), "ε0 0.4: learned 0.4")
    assert row.variant == "budgets-mnist-0.4-compact" and any("rank 64" in each for each in row.differences)
    assert row_of(table_1(results(compact, errors("budgets-mnist-0.4", share=0.2))), "ε0 0.4: learned 0.4").measured[0] == pytest.approx(20)


def test_the_second_seed_is_a_row_of_its_own():
    filled = table_3(results(*(errors("budgets-watermarked-mnist-0.4", seed=seed, share=0.1 + 0.1 * seed) for seed in (0, 1))))
    assert row_of(filled, "ε0 0.4: learned").measured[0] == pytest.approx(10)
    (own,) = (row for row in filled.rows if row.own)
    assert "seed 1" in own.label and own.measured[0] == pytest.approx(20)


def test_other_data_stands_below_the_papers():
    rows = table_1(results(errors("uniform-digits"))).rows
    assert rows[-1].own and rows[-1].label.startswith("uniform-digits at ε0 0.1") and rows[-1].paper == (None,) * 6


def test_a_shorter_training_is_named():
    short = errors("budgets-watermarked-mnist-0.4")
    row = row_of(table_3(results(replace(short, training={**short.training, "epochs": 30}))), "ε0 0.4: learned")
    assert "epochs 30 (paper 100)" in row.differences and status(find_item(BUDGETS, "table", 3), results(short))[0] == "short run"


@pytest.mark.parametrize("form", ITEMS)
def test_every_table_can_be_written_in_every_form(form):
    found = results(errors("budgets-watermarked-mnist-0.4", share=0.1234))
    assert "12.34" in item_report("contextual_budgets", BUDGETS, find_item(BUDGETS, "table", 3), found, form)


@pytest.mark.parametrize("options", [[], ["--liu"], ["--liu", "--method", "crown-ibp"], ["--followed"]], ids=" ".join)
def test_the_command_leaves_a_results_file_that_tables_read(options, path, capsys):
    assert evaluate([str(path), "--limit", "6", *options, "--format", "json"]) == 0
    written = capsys.readouterr()
    file = written.err.split("written to ")[1].split()[0]
    kind, table = read_result(Path(file), RESULTS)
    assert table.checkpoint == "tiny-budgets" and table.images == 6 and json.loads(written.out)["rows"][0]["label"] == "tiny-budgets"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--liu", "--steps", "3"], "--steps does not go with the largest certified volumes"),
        (["--followed", "--generator", "x"], "--generator does not go with what budgets follow"),
        (["--method", "crown-ibp"], "--method does not go with errors under budgets"),
        (["--targets", "0.4"], "--targets does not go with errors under budgets"),
        (["--radius", "0.4"], "--radius does not go with"),
        (["--volume", "7"], "volume = 7.0"),
    ],
)
def test_options_that_say_nothing_are_refused(options, message, path, capsys):
    assert evaluate([str(path), *options]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("form", ITEMS)
@pytest.mark.parametrize("table", [errors("budgets-mnist-0.4", share=0.1234), volumes("budgets-mnist-0.4", (0.4,), (0.1234,))], ids=["errors", "volumes"])
def test_a_report_has_the_papers_number_beside_ours(form, table):
    text = report(table, form)
    assert "12.3" in text and ("7.81" in text or "7.97" in text)


def test_a_results_file_is_read_as_it_was_written(tmp_path):
    for number, (kind, table) in enumerate(((ERRORS_KIND, errors("budgets-mnist-0.4")), (VOLUMES_KIND, volumes("budgets-mnist-0.4", (0.4,), (0.1,))))):
        save_result(kind, table, tmp_path / f"{number}.json")
        assert read_result(tmp_path / f"{number}.json", RESULTS) == (kind, table)


@pytest.mark.parametrize("changes", [{"errors": (1.5, *(0.1,) * 6)}, {"images": 20_000}, {"settings": {"nothing": 1}}], ids=["a share", "images", "settings"])
def test_a_results_file_that_contradicts_itself_is_refused(changes, tmp_path):
    content = {"format": 1, "kind": ERRORS_KIND, **asdict(errors("budgets-mnist-0.4")), **changes}
    (tmp_path / "x.json").write_text(json.dumps(content))
    with pytest.raises(ConfigurationError):
        read_result(tmp_path / "x.json", RESULTS)


def test_a_part_of_the_data_or_another_volume_does_not_replace_the_whole():
    whole, part, other = errors("budgets-mnist-0.4"), errors("budgets-mnist-0.4", images=50), errors("budgets-mnist-0.4", settings=plain(ErrorSettings(volume=0.3)))
    names = [own_path(ERRORS_KIND, table).name for table in (whole, part, other)]
    assert names[0] == "budgets-mnist-0.4-errors.json" and len(set(names)) == 3 and not math.isnan(whole.volume)
