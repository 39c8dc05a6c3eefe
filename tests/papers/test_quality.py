import dataclasses
import json

import pytest
import torch

from explorer.checkpoints import load, save
from explorer.errors import Cancelled, ConfigurationError, ExplorerError
from explorer.evaluate import main
from explorer.measuring import file_digest
from explorer.evaluation import likelihood
from explorer.papers import RESULTS
from explorer.papers.learned_sets import open_learned_set
from explorer.papers.learned_sets.quality import QualitySettings, quality
from explorer.papers.learned_sets.report import FORMATS
from explorer.papers.results import read_result
from explorer.types import Silent
from tests.tiny import save_learned_set

SETTINGS = QualitySettings(limit=10, batch_size=4, steps=3)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return save_learned_set(tmp_path_factory.mktemp("quality") / "digits-rts.safetensors")


@pytest.fixture(scope="module")
def learned(path):
    return open_learned_set(path)


def tables(learned, folder, settings=SETTINGS, progress=None):
    return list(quality(learned, "digest", settings, folder, progress or Silent()))


def test_a_table_comes_after_each_batch(learned, tmp_path):
    assert [table.pairs for table in tables(learned, tmp_path)] == [4, 8, 10]


def test_an_interrupted_evaluation_resumes_to_the_same_table(learned, tmp_path):
    class StopAfterFirst(Silent):
        def advance(self, done, total, note=""):
            self.cancelled = done >= 4

    with pytest.raises(Cancelled):
        tables(learned, tmp_path / "parts", progress=StopAfterFirst())
    (file,) = (tmp_path / "parts").rglob("*.safetensors")
    before = file.stat().st_mtime_ns
    resumed = tables(learned, tmp_path / "parts")[-1]
    assert file.stat().st_mtime_ns == before, "finished batches are kept"
    assert resumed == tables(learned, tmp_path / "whole")[-1]


def test_other_settings_do_not_share_batches(learned, tmp_path):
    tables(learned, tmp_path)
    tables(learned, tmp_path, dataclasses.replace(SETTINGS, seed=1))
    assert len(list(tmp_path.iterdir())) == 2


def test_the_means_do_not_depend_on_the_batch_size(learned, tmp_path):
    first, second = (tables(learned, tmp_path, dataclasses.replace(SETTINGS, batch_size=size))[-1] for size in (4, 10))
    assert first.means == pytest.approx(second.means, rel=1e-4)


def test_impossible_settings_are_reported_at_once(learned, tmp_path):
    with pytest.raises(ConfigurationError) as caught:
        tables(learned, tmp_path, QualitySettings(radius=-1, steps=-1, limit=301, batch_size=0))
    assert len(caught.value.problems) == 4


def test_a_broken_model_names_the_metric_and_leaves_no_batch(learned, tmp_path):
    model = learned.checkpoint.model
    weight = model.recognition.mean.weight
    kept = weight.clone()
    weight[:] = torch.nan
    try:
        with pytest.raises(ExplorerError, match="kl_nats on 4 pairs"):
            tables(learned, tmp_path)
    finally:
        weight.copy_(kept)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_holds_all_means(learned, tmp_path, form):
    table = tables(learned, tmp_path)[-1]
    text = FORMATS[form](dataclasses.replace(table, checkpoint="mnist-rts"))
    assert "22.2" in text, "the paper's row stands beside it"
    assert all(any(f"{mean:{spec}}" in text for spec in (".4f", ".3g", "")) for mean in table.means)


def test_the_paper_is_compared_at_its_own_distance_only(learned, tmp_path):
    table = tables(learned, tmp_path, dataclasses.replace(SETTINGS, distance="squared_error"))[-1]
    assert "Table 4" not in FORMATS["text"](dataclasses.replace(table, checkpoint="mnist-rts"))


def test_the_command_prints_the_table_and_writes_results(path, tmp_path, capsys):
    options = ["--limit", "4", "--steps", "1", "--work", str(tmp_path / "work"), "--output", str(tmp_path / "results.json")]
    assert main([str(path), *options, "--format", "json"]) == 0
    printed, written = json.loads(capsys.readouterr().out), json.loads((tmp_path / "results.json").read_text())
    assert printed["means"] == written["means"] and written["pairs"] == 4


def test_the_command_measures_the_likelihood_of_real_pairs(path, learned, tmp_path, capsys):
    options = ["--likelihood", "--limit", "4", "--samples", "3", "--work", str(tmp_path / "work"), "--output", str(tmp_path / "likelihood.json")]
    assert main([str(path), *options]) == 0
    assert "4 of 300 pairs" in capsys.readouterr().out
    kind, table = read_result(tmp_path / "likelihood.json", RESULTS)
    clean, perturbed = learned.pairs.fixed(range(4)).both
    found = likelihood(learned.checkpoint.model, clean, perturbed, radius=2.0, samples=3)
    assert kind == "learned_sets.likelihood" and table.means[0] == pytest.approx(float(found.log_likelihood.mean()), rel=1e-6)


@pytest.mark.parametrize("options", [["--likelihood", "--steps", "3"], ["--samples", "3"], ["--likelihood", "--samples", "0"]], ids=" ".join)
def test_options_of_the_other_measurement_are_refused(path, tmp_path, capsys, options):
    assert main([str(path), *options, "--work", str(tmp_path)]) == 1
    assert options[-2].strip("-") in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["nowhere.safetensors"], "cannot be read"), (["{path}", "--limit", "1000000"], "expected 1 to 300"), (["{path}", "--radius", "nan"], "radius")],
    ids=["no file", "limit", "radius"],
)
def test_a_bad_command_is_one_message(path, tmp_path, capsys, arguments, message):
    assert main([argument.format(path=path) for argument in arguments] + ["--work", str(tmp_path)]) == 1
    assert message in capsys.readouterr().err


def test_a_checkpoint_of_another_kind_is_one_message(path, tmp_path, capsys):
    opened = load(path)
    save(tmp_path / "other.safetensors", opened.model, dataclasses.replace(opened.header, kind="mosaic"))
    assert main([str(tmp_path / "other.safetensors")]) == 1
    assert "unknown kind of checkpoint 'mosaic'. Known: certified_vae, classifier, learned_set" in capsys.readouterr().err


def test_a_checkpoint_whose_model_is_not_of_its_kind_is_one_message(path, tmp_path, capsys):
    opened = load(path)
    save(tmp_path / "other.safetensors", opened.model, dataclasses.replace(opened.header, kind="classifier"))
    assert main([str(tmp_path / "other.safetensors")]) == 1
    assert "holds a 'classifier' with the model 'rts_cvae', expected a 'classifier'" in capsys.readouterr().err


def test_a_data_set_of_another_image_size_is_one_message(path, tmp_path, capsys):
    opened = load(path)
    other = dataclasses.replace(opened.header, dataset={"name": "digits", "pairs": "linf"})
    save(tmp_path / "other.safetensors", opened.model, other)
    assert main([str(tmp_path / "other.safetensors")]) == 1
    assert "takes images of (1, 42, 42), the pairs of 'digits' are (1, 28, 28)" in capsys.readouterr().err


def test_the_digest_changes_with_the_file(path, tmp_path):
    (tmp_path / "other").write_bytes(path.read_bytes() + b" ")
    assert file_digest(path) != file_digest(tmp_path / "other")
