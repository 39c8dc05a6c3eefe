"""The shipped VAEs are what their README, their headers and their results files say."""

import re
from pathlib import Path

import pytest
import torch

from explorer.checkpoints import describe, load
from explorer.data import load_dataset
from explorer.measuring import file_digest
from explorer.papers import RESULTS, read_results
from explorer.papers.certified_vae import likelihoods, open_certified_vae
from explorer.papers.certified_vae.evaluation import ATTACK_KIND, ELBO_KIND

FOLDER = Path(__file__).parents[1] / "checkpoints" / "certified_vae"
SHIPPED = sorted(FOLDER.glob("*.safetensors"))
DIGITS = [path for path in SHIPPED if "digits" in path.stem]
COLUMNS = ("train_bound", "test_bound", "test_elbo", "train_bound_clipped", "test_bound_clipped")


def test_they_fit_into_4_megabytes():
    assert SHIPPED and sum(path.stat().st_size for path in SHIPPED) <= 4_000_000


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_readme_repeats_the_header(path):
    (row,) = re.findall(rf"^\| `{re.escape(path.stem)}` \|.*$", (FOLDER / "README.md").read_text(encoding="utf-8"), flags=re.M)
    shown = [float(number.replace("−", "-")) for number in re.findall(r"−\d+\.\d+", row)]
    assert shown == pytest.approx([describe(path).metrics[name] for name in COLUMNS], abs=0.006)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_weights_are_stored_in_half_precision_and_run_in_float32(path):
    assert all(torch.equal(p, p.half().float()) for p in load(path).model.parameters())


@pytest.mark.parametrize("path", DIGITS, ids=lambda path: path.stem)
def test_the_columns_of_digits_are_measured_again(path):
    opened = open_certified_vae(path)
    header = opened.checkpoint.header
    found = likelihoods(opened.model, opened.images.images, opened.radius)
    assert float(found.elbo.mean()) == pytest.approx(header.metrics["test_elbo"], rel=1e-4)
    assert float(found.bound.mean()) == pytest.approx(header.metrics["test_bound"], rel=1e-4)
    assert header.dataset["train_fingerprint"] == load_dataset("digits", "train").fingerprint()


def test_what_robustness_costs_and_brings_on_digits():
    models = [open_certified_vae(path) for path in DIGITS]
    order = sorted(models, key=lambda each: each.radius)
    found = [likelihoods(each.model, each.images.images, 0.1) for each in order]
    clean, bound = ([float(getattr(each, name).mean()) for each in found] for name in ("elbo", "bound"))
    assert clean == sorted(clean, reverse=True), "the clean ELBO falls with the radius of the training"
    assert bound == sorted(bound), "the bound at radius 0.1 rises with it"


@pytest.mark.parametrize("kind", [ELBO_KIND, ATTACK_KIND])
def test_every_model_has_its_results_file_and_it_is_of_that_file(kind):
    read = read_results(RESULTS, (FOLDER,))
    tables = {table.checkpoint: table for table, _ in read.of(kind)}
    assert not read.problems and set(tables) >= {path.stem for path in SHIPPED}, "those of the paper's size are measured, but too large to ship"
    for path in SHIPPED:
        assert tables[path.stem].digest == file_digest(path), path.name


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_results_file_repeats_the_header(path):
    (table,) = [table for table, _ in read_results(RESULTS, (FOLDER,)).of(ELBO_KIND) if table.checkpoint == path.stem]
    assert table.images == table.available and table.means == pytest.approx([describe(path).metrics[name] for name in COLUMNS], rel=1e-4)
