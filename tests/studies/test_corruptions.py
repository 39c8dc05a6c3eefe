import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from explorer.configuration import from_mapping
from explorer.data import Source, cifar10_variants, load_dataset
from explorer.data.corruptions import CORRUPTIONS, SEVERITIES, STANDARD
from explorer.errors import Cancelled, ConfigurationError, DataNotFound, InvalidInput
from explorer.evaluation.corruption_error import corruption_errors
from explorer.models import build_model
from explorer.studies.classifiers import open_classifier
from explorer.studies.corruptions import ErrorSettings, ErrorTable, error_problems, error_table, gallery
from explorer.types import Silent
from tests.stopping import StopAt
from tests.tiny_budgets import CLASSIFIER, save_tiny

FEW = ErrorSettings(names=("contrast", "gaussian_noise"), severities=(1, 5), limit=6, batch_size=4)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    return open_classifier(save_tiny(tmp_path_factory.mktemp("tiny"), learned=False))


@pytest.fixture(scope="module")
def coloured(opened):
    """A classifier of the scenes, in the place of the digits'."""
    torch.manual_seed(0)
    model = build_model("dm_small", {**CLASSIFIER, "channels": 3, "height": 32, "width": 32, "classes": 8})
    return replace(opened, checkpoint=replace(opened.checkpoint, model=model), images=load_dataset("scenes", "test", limit=6), data=Source("scenes", None))


def last(opened, settings, folder, progress=None):
    return list(error_table(opened, "digest", settings, folder, progress or Silent()))[-1]


def test_errors_are_those_of_the_plain_measure(opened, tmp_path):
    table = last(opened, FEW, tmp_path)
    images, labels = opened.images.images[:6], opened.images.labels[:6]
    expected = corruption_errors(opened.model, images, labels, names=FEW.names, severities=FEW.severities)
    assert table.images == 6 and table.clean == pytest.approx(expected.clean)
    for name, row in zip(table.names, table.errors, strict=True):
        assert row == pytest.approx([expected.errors[name][severity] for severity in FEW.severities])
        assert table.mean(name) == pytest.approx(expected.mean(name))


def test_the_mean_error_needs_all_fifteen(opened, coloured, tmp_path):
    assert last(opened, replace(FEW, names=(), severities=SEVERITIES, limit=1), tmp_path).absolute is None, "frost needs colours"
    table = last(coloured, ErrorSettings(limit=2), tmp_path)
    assert table.names == tuple(CORRUPTIONS) and "frost" in table.warnings[0]
    assert table.absolute == pytest.approx(sum(table.mean(name) for name in STANDARD) / 15)


def test_a_stopped_measurement_goes_on_where_it_was(opened, tmp_path):
    whole = last(opened, FEW, tmp_path / "whole")
    with pytest.raises(Cancelled):
        last(opened, FEW, tmp_path / "stopped", StopAt(1))
    assert len(list((tmp_path / "stopped").rglob("*.safetensors"))) == 1
    assert last(opened, FEW, tmp_path / "stopped").errors == whole.errors


def test_batches_do_not_change_the_result(opened, tmp_path):
    assert last(opened, FEW, tmp_path / "a").errors == last(opened, replace(FEW, batch_size=1), tmp_path / "b").errors


def test_a_table_comes_back_from_its_file(opened, tmp_path):
    table = last(opened, FEW, tmp_path)
    assert from_mapping(ErrorTable, json.loads(json.dumps(asdict(table))), "file") == table


def test_published_files_are_measured_as_they_are(coloured, tmp_path, monkeypatch):
    """Files of black pictures, all of which a classifier takes for one class."""
    monkeypatch.setattr(cifar10_variants, "PER_SEVERITY", 6)
    monkeypatch.setattr(cifar10_variants, "CLASSES", tuple("abcdefgh"))
    folder = tmp_path / "CIFAR-10-C"
    folder.mkdir()
    images = coloured.images
    np.save(folder / "fog.npy", np.zeros((30, 32, 32, 3), np.uint8))
    np.save(folder / "labels.npy", np.tile(images.labels.numpy(), 5))
    files = replace(coloured, data=Source("cifar10", tmp_path))
    settings = ErrorSettings(names=("fog",), severities=(2,), source="files", batch_size=4)
    table = last(files, settings, tmp_path / "batches")
    assert table.errors[0][0] == pytest.approx(float((images.labels != files.model(torch.zeros(1, 3, 32, 32)).argmax()).float().mean()))
    with pytest.raises(DataNotFound, match="frost.npy"):
        last(files, replace(settings, names=("frost",)), tmp_path / "batches")
    np.save(folder / "labels.npy", np.tile(images.labels.flip(0).numpy(), 5))
    with pytest.raises(InvalidInput, match="not CIFAR-10's test labels"):
        last(files, settings, tmp_path / "others")


def test_files_are_of_cifar10_only(opened, tmp_path):
    with pytest.raises(InvalidInput, match="source 'made'"):
        last(opened, replace(FEW, source="files"), tmp_path)


def test_grey_images_say_which_corruptions_they_cannot_have(opened, tmp_path):
    with pytest.raises(InvalidInput, match="saturate changes colours"):
        last(opened, replace(FEW, names=("saturate",)), tmp_path)


def test_all_problems_of_settings_are_said_at_once(opened, tmp_path):
    wrong = ErrorSettings(names=("rain", "fog", "fog"), severities=(6,), limit=0)
    found = error_problems(wrong)
    assert len(found) == 4 and any("expected some of gaussian_noise" in each for each in found)
    with pytest.raises(ConfigurationError):
        last(opened, wrong, tmp_path)


def test_a_gallery_shows_the_pictures_that_are_measured(opened):
    image = opened.images.images[3:4]
    *_, found = gallery([opened.model, opened.model], image, 3, 0, (1, 5), Silent())
    assert {name for name, _ in found.cases} == {name for name, each in CORRUPTIONS.items() if not each.coloured}
    assert found.logits.shape == (2, len(found.cases), 10) and len(found.images) == len(found.cases)
    assert torch.allclose(found.logits[0], opened.model(found.images), atol=1e-5) and torch.equal(found.logits[0], found.logits[1])
    at = found.cases.index(("gaussian_noise", 5))
    wrong = corruption_errors(opened.model, opened.images.images[:4], opened.images.labels[:4], names=("gaussian_noise",), severities=(5,))
    assert wrong.errors["gaussian_noise"][5] * 4 >= float(found.logits[0, at].argmax() != opened.images.labels[3])


def test_a_gallery_grows_and_stops_on_request(opened):
    sizes = [len(found.cases) for found in gallery([opened.model], opened.images.images[:1], 0, 0, SEVERITIES, Silent())]
    assert sizes == sorted(sizes) and sizes[-1] == 80
    with pytest.raises(Cancelled):
        list(gallery([opened.model], opened.images.images[:1], 0, 0, SEVERITIES, StopAt(1)))


def test_a_classifier_that_answers_with_nothing_is_named(coloured):
    broken = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3072, 8))
    torch.nn.init.constant_(broken[1].bias, float("nan"))
    with pytest.raises(InvalidInput, match="NaN"):
        list(gallery([broken], coloured.images.images[:1], 0, 0, (1,), Silent()))
