"""Classifiers measured in a learned set: on real perturbations, under attack and certified (Perturbation sets, Tables 2 and 9)."""

import json
from dataclasses import asdict, replace

import pytest
import torch

from explorer.checkpoints import Header, save
from explorer.data import IN_DISTRIBUTION, OUT_OF_DISTRIBUTION, GeneratedPairs
from explorer.errors import ConfigurationError, InvalidInput
from explorer.evaluate import main
from explorer.models import build_model
from explorer.papers import EXPERIMENTS, PAPERS, RESULTS
from explorer.papers.learned_sets.in_latents import largest_certified
from explorer.papers.learned_sets.robust_evaluation import robust_table, set_and_pairs, smoothed_table, trained_sigma
from explorer.papers.learned_sets.robust_measured import RobustSettings, SmoothedSettings, SmoothedTable
from explorer.papers.learned_sets.robust_tables import PREFIX, TABLE_2, TABLE_9
from explorer.papers.learned_sets.segmentation_measured import CertifiedSettings
from explorer.papers.report import find_item
from explorer.papers.results import read_results, save_result
from explorer.papers.trained import open_trained_set
from explorer.smoothing import sigma_for_radius
from explorer.studies.classifiers import open_classifier
from explorer.types import Silent

SCENES = {"channels": 3, "height": 32, "width": 32, "classes": 8, "stem": 2, "widths": [2, 2, 2], "depths": [1, 1, 1]}
ROBUST = RobustSettings(steps=2, step_size=0.5, limit=3, batch_size=2)
SMOOTHED = SmoothedSettings(samples=60, selection=10, confidence=0.9, steps=1, limit=2, batch_size=2)


def save_classifier(path, **training):
    torch.manual_seed(0)
    model = build_model("wide_resnet", SCENES)
    header = Header(kind="classifier", name=path.stem, model="wide_resnet", model_config=SCENES, dataset={"name": "scenes"}, training=training, metrics={}, seed=0, radius=0.0, percentile_radii={}, description="", versions={}, revision="")
    save(path, model, header)
    return path


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    folder = tmp_path_factory.mktemp("robust")
    return open_classifier(save_classifier(folder / "tiny.safetensors", learned_set="scenes-corruptions", sources=["smoothed"], percentile=50, latent_radius=None))


def test_every_type_of_every_image_is_counted_and_radii_are_the_sets_percentiles(opened, tmp_path):
    tables = list(robust_table(opened, "d", ROBUST, tmp_path, Silent()))
    assert [table.images for table in tables] == [2, 3]
    last = tables[-1]
    assert last.types == IN_DISTRIBUTION and last.other_types == OUT_OF_DISTRIBUTION and last.learned_set == "scenes-corruptions"
    assert last.radii == tuple(opened_set(opened).checkpoint.header.percentile_radii[key] for key in ("25", "50", "75", "100"))
    assert last.perturbed * 3 * len(IN_DISTRIBUTION) == pytest.approx(round(last.perturbed * 3 * len(IN_DISTRIBUTION)), abs=1e-6)


def test_accuracies_on_real_perturbations_are_those_of_the_fixed_pairs(opened, tmp_path):
    _, ways = set_and_pairs(opened, None)
    (table,) = robust_table(opened, "d", replace(ROBUST, batch_size=3), tmp_path, Silent())
    x, labels, draws = opened.images.images[:3], opened.images.labels[:3], []
    for kind, way in ways.items():
        source, right = GeneratedPairs(way, opened.images), 0
        for turn in range(len(way.type_names)):
            found = source.fixed([turn * len(opened.images) + scene for scene in range(3)])
            draws.append(found.types.tolist())
            with torch.no_grad():
                right += int((opened.model(found.perturbed).argmax(1) == labels).sum())
        assert getattr(table, kind) == pytest.approx(right / (3 * len(way.type_names)))
    with torch.no_grad():
        assert table.clean == pytest.approx(float((opened.model(x).argmax(1) == labels).double().mean()))
    assert sorted(each[0] for each in draws[:12]) == list(range(12)), "each type once for an image"


def test_a_measurement_that_was_stopped_goes_on_without_redoing_any_image(opened, tmp_path):
    whole = list(robust_table(opened, "d", ROBUST, tmp_path / "a", Silent()))[-1]
    list(robust_table(opened, "d", replace(ROBUST, limit=2), tmp_path / "b", Silent()))
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "b").rglob("*.safetensors")}
    assert kept and list(robust_table(opened, "d", ROBUST, tmp_path / "b", Silent()))[-1].robust == whole.robust
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())


def test_certified_shares_fall_with_the_radius_and_no_more_is_certified_than_unanimity_allows(opened, tmp_path):
    (table,) = smoothed_table(opened, "d", SMOOTHED, tmp_path, Silent())
    assert list(table.curve) == sorted(table.curve, reverse=True) and list(table.certified) == sorted(table.certified, reverse=True)
    assert table.sigma == trained_sigma(opened.checkpoint.header.training, opened_set(opened))
    assert table.grid[-1] < table.radii[1], "60 votes certify less than the 10,000 that the noise is meant for"
    assert table.curve[0] <= 1 - table.abstained


def test_the_noise_of_a_training_certifies_its_radius_with_the_papers_votes(opened):
    learned = opened_set(opened)
    assert trained_sigma({"sources": ["smoothed"], "latent_radius": 2.7}, learned) == pytest.approx(0.844, abs=1e-3)
    assert trained_sigma({"sources": ["smoothed"], "latent_radius": 10.2}, learned) == pytest.approx(3.189, abs=1e-3)
    with pytest.raises(InvalidInput, match="--sigma"):
        trained_sigma({"sources": ["pairs"]}, learned)


def test_a_set_of_other_images_and_a_classifier_of_no_set_are_refused(opened, tmp_path):
    with pytest.raises(InvalidInput, match=r"takes images of shape \(1, 42, 42\)"):
        set_and_pairs(opened, "digits-rts")
    with pytest.raises(InvalidInput, match="as scenes-corruptions"):
        set_and_pairs(open_classifier(save_classifier(tmp_path / "plain.safetensors")), None)
    with pytest.raises(ConfigurationError, match="step_size"):
        next(robust_table(opened, "d", replace(ROBUST, step_size=0.0), tmp_path, Silent()))
    with pytest.raises(ConfigurationError, match="sigma"):
        next(smoothed_table(opened, "d", replace(SMOOTHED, sigma=-1.0), tmp_path, Silent()))


def test_the_command_measures_writes_and_shows_it(opened, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("EXPLORER_RUNS", str(tmp_path))
    path = save_classifier(tmp_path / "other.safetensors", seed=0)
    assert main([str(path), "--robust", "--learned-set", "scenes-corruptions", "--steps", "1", "--limit", "2"]) == 0
    assert "other in scenes-corruptions" in capsys.readouterr().out
    assert main([str(path), "--smoothed", "--learned-set", "scenes-corruptions", "--samples", "5", "--sigma", "0.5", "--limit", "1"]) == 1
    assert "samples" in capsys.readouterr().err, "5 votes certify nothing with this confidence"
    results = read_results(RESULTS, (tmp_path / "results",))
    assert not results.problems and [kind for kind, *_ in results.tables] == ["learned_sets.robust"]


def test_the_papers_rows_fill_from_measurements_in_its_set_alone(opened, tmp_path):
    (table,) = smoothed_table(opened, "d", SMOOTHED, tmp_path / "work", Silent())
    name = f"{PREFIX}smoothed-50"
    training = json.loads(json.dumps(asdict(EXPERIMENTS[name].config)))
    for number, each in enumerate((replace(table, checkpoint=name, training=training, learned_set="cifar10c-centred"), table)):
        save_result("learned_sets.smoothed", each, tmp_path / f"{number}.json")
    results = read_results(RESULTS, (tmp_path,))
    filled = find_item(PAPERS["learned_sets"], "table", 9).fill(results)
    rows = {row.label: row for row in filled.rows}
    assert rows["σ = 1.22"].measured and not rows["σ = 1.22"].own and rows["σ = 0.84"].measured is None
    assert any(difference.startswith("samples 60") for difference in rows["σ = 1.22"].differences)
    assert not any(difference.startswith(("epochs", "widths", "learning_rate", "learned_set")) for difference in rows["σ = 1.22"].differences)
    assert rows["tiny in scenes-corruptions"].own and len(rows["tiny in scenes-corruptions"].measured) == len(filled.columns)
    assert find_item(PAPERS["learned_sets"], "figure", 11).fill(results).rows[1].measured[0] == pytest.approx(table.grid[-1])


@pytest.mark.parametrize("name", [*TABLE_2, *TABLE_9])
def test_every_row_of_the_paper_has_an_experiment_at_its_settings(name):
    experiment = EXPERIMENTS[PREFIX + name]
    assert experiment.published == experiment.config and not experiment.problems(experiment.config)
    assert (experiment.config.classifier, experiment.config.epochs, experiment.config.batch_size, experiment.config.learning_rate[1]) == ("wide_resnet", 100, 128, (40.0, 0.2))


def test_shares_that_are_none_are_refused(opened, tmp_path):
    (table,) = smoothed_table(opened, "d", SMOOTHED, tmp_path, Silent())
    with pytest.raises(ConfigurationError, match="from 0 to 1"):
        SmoothedTable(**{**asdict(table), "certified": (2.0, 0.5, 0.1)})


def opened_set(opened):
    return open_trained_set("scenes-corruptions", opened.model.image_shape, "cpu")


def test_unanimous_votes_certify_exactly_the_radius_that_the_noise_was_chosen_for():
    settings = CertifiedSettings()
    assert largest_certified(settings, sigma_for_radius(8.180697441101074, settings.samples, settings.confidence)) == pytest.approx(8.180697441101074, rel=1e-12)
