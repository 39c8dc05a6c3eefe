"""The shipped networks that are robust in a learned set are what their README, their headers and their results files say."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from explorer.checkpoints import describe, load
from explorer.measuring import file_digest
from explorer.papers import EXPERIMENTS, RESULTS, read_results
from explorer.papers.learned_sets.robust_evaluation import set_and_pairs, worst_member
from explorer.papers.learned_sets.robust_measured import ROBUST_KIND, SMOOTHED_KIND
from explorer.papers.learned_sets.segmentation_measured import CERTIFIED_KIND
from explorer.papers.learned_sets.segmentation_measured import ROBUST_KIND as SEGMENTED_KIND
from explorer.papers.trained import trained_path
from explorer.randomness import Streams
from explorer.studies.classifiers import open_classifier

FOLDER = Path(__file__).parents[1] / "checkpoints" / "robust_networks"
SHIPPED = sorted(FOLDER.glob("*.safetensors"))
RESULTS_HERE = read_results(RESULTS, (FOLDER,))
README = (FOLDER / "README.md").read_text(encoding="utf-8")
COLUMNS = {
    ROBUST_KIND: lambda table: (table.clean, table.perturbed, table.others, *table.robust),
    SMOOTHED_KIND: lambda table: (table.clean, table.perturbed, table.others, *table.certified, *table.empirical),
    SEGMENTED_KIND: lambda table: (table.accuracy, *table.robust),
    CERTIFIED_KIND: lambda table: (table.accuracy, *(table.at(radius) or 0.0 for radius in table.attacked_radii), *table.empirical),
}
TABLES = [(kind, table) for kind, table, _ in RESULTS_HERE.tables]


def found(kind: str, name: str, seed: int = 0):
    (table,) = (each for of, each in TABLES if (of, each.checkpoint, each.training["seed"]) == (kind, name, seed))
    return table


@pytest.mark.parametrize(("kind", "table"), TABLES, ids=lambda each: each if isinstance(each, str) else f"{each.checkpoint}-{each.training['seed']}")
def test_the_readme_repeats_the_results(kind, table):
    rows = re.findall(rf"^\| `{table.checkpoint}` \| {table.training['seed']} \|.*$", README, flags=re.M)
    expected = [100 * value for value in COLUMNS[kind](table) if value is not None]
    assert any([float(each) for each in re.findall(r"([\d.]+) %", row)] == pytest.approx(expected, abs=0.006) for row in rows)


def test_results_are_read_and_those_of_shipped_files_are_of_these():
    assert TABLES and not RESULTS_HERE.problems
    for _, table in TABLES:
        assert table.learned_set_digest == file_digest(trained_path(table.learned_set))
        path = FOLDER / f"{table.checkpoint}.safetensors"
        assert table.training["seed"] != 0 or not path.is_file() or table.digest == file_digest(path)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_it_was_trained_as_its_experiment_says(path):
    header = describe(path)
    assert header.name == path.stem and json.loads(json.dumps(asdict(EXPERIMENTS[header.name].config))) == header.training
    assert header.dataset["learned_set_digest"] == file_digest(trained_path(header.training["learned_set"])) if "learned_set_digest" in header.dataset else True
    assert all(torch.equal(each, each.half().float()) for each in load(path).model.parameters())
    assert any(table.checkpoint == path.stem for _, table in TABLES)


def test_accuracies_are_measured_again():
    shown = found(ROBUST_KIND, "robust-scenes-adversarial")
    opened = open_classifier(FOLDER / f"{shown.checkpoint}.safetensors")
    x, labels = opened.images.images[: shown.images], opened.images.labels[: shown.images]
    with torch.no_grad():
        assert (opened.model(x).argmax(1) == labels).double().mean().item() == pytest.approx(shown.clean, abs=0.006)
    learned, _ = set_and_pairs(opened, None)
    _, member = worst_member(opened.model, learned, x, labels, shown.radii[0], 5, 0.4, Streams(0, range(len(x))))
    with torch.no_grad():
        assert (opened.model(member).argmax(1) == labels).double().mean().item() >= shown.robust[0] - 0.011, "a shorter search finds no more"


@pytest.mark.parametrize("prefix, kind", [("robust-scenes", ROBUST_KIND), ("segmentation-scenes", SEGMENTED_KIND)])
def test_training_in_the_set_withstands_it_better_than_training_on_pairs(prefix, kind):
    """Perturbation sets, Tables 2 and 3, for each seed that was trained."""
    robust = {(table.checkpoint, table.training["seed"]): table.robust[1] for of, table in TABLES if of == kind}
    seeds = sorted(seed for name, seed in robust if name == f"{prefix}-pairs")
    assert seeds == [0, 1] and (f"{prefix}-adversarial", 0) in robust
    for (name, seed), share in robust.items():
        if name in (f"{prefix}-samples", f"{prefix}-adversarial"):
            assert share > robust[f"{prefix}-pairs", seed]


def test_certified_shares_are_below_what_attacks_leave():
    assert any(kind in (SMOOTHED_KIND, CERTIFIED_KIND) for kind, _ in TABLES)
    for kind, table in TABLES:
        if kind == SMOOTHED_KIND:
            assert all(certified <= left for certified, left in zip(table.certified, table.empirical))
        if kind == CERTIFIED_KIND:
            assert all((table.at(radius) or 0.0) <= left for radius, left in zip(table.attacked_radii, table.empirical))
