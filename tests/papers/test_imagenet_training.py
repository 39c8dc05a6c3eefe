"""ImageNet's experiments on folders made here, in which four classes stand for a thousand: pictures of one colour with a little noise."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.checkpoints import Header, load, save
from explorer.data import folders, imagenet
from explorer.data.corruptions import CORRUPTIONS, SEVERITIES, STANDARD
from explorer.evaluation.corruption_error import ALEXNET
from explorer.measuring import plain
from explorer.models import build_model
from explorer.papers.adversarial_augmentation import splits
from explorer.papers.adversarial_augmentation.backbone_config import KIND
from explorer.papers.adversarial_augmentation.backbone_experiments import EXPERIMENTS as NETWORKS
from explorer.papers.adversarial_augmentation.evaluation import corruption_table
from explorer.papers.adversarial_augmentation.experiments import EXPERIMENTS
from explorer.papers.adversarial_augmentation.measured import CORRUPTIONS_KIND, CorruptionSettings, CorruptionTable
from explorer.papers.adversarial_augmentation.published_imagenet import TABLE_2, TABLE_9
from explorer.papers.adversarial_augmentation.splits import open_splits
from explorer.papers.adversarial_augmentation.tables_imagenet import table_2, table_9
from explorer.papers import Results
from explorer.papers.base import Place
from explorer.studies.classifiers import open_classifier
from explorer.types import Silent

CPU = torch.device("cpu")
WNIDS = ("n01440764", "n01443537", "n02084071", "n04008634")
EACH, SIZE = 5, 16  # training pictures a class, and pixels of a side


def picture(path, number: int, draws: np.random.Generator) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    colours = np.array([(220, 30, 30), (30, 220, 30), (30, 30, 220), (200, 200, 30)])
    Image.fromarray(np.clip(colours[number] + draws.normal(0, 10, (34, 40, 3)), 0, 255).astype(np.uint8)).save(path)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder, draws = tmp_path_factory.mktemp("imagenet"), np.random.default_rng(0)
    for number, wnid in enumerate(WNIDS):
        for count in range(EACH):
            picture(folder / "imagenet" / "train" / wnid / f"{wnid}_{count}.JPEG", number, draws)
        for name in ("imagenet/val", *(f"ImageNet-C/{corruption}/{severity}" for corruption in CORRUPTIONS for severity in SEVERITIES)):
            picture(folder / name / wnid / "ILSVRC2012_val_1.JPEG", number, draws)
        picture(folder / "ImageNet-v2" / str(number) / "x.jpeg", number, draws)
    return folder


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(imagenet, "CLASSES", len(WNIDS))
    for module in (imagenet, splits):
        monkeypatch.setattr(module, "SHOWN", SIZE)
    monkeypatch.setattr("explorer.data.at_hand.SHOWN", SIZE)
    monkeypatch.setattr("explorer.evaluation.corruption_error.SHOWN", SIZE)
    monkeypatch.setattr("explorer.papers.adversarial_augmentation.augmented_pictures.SHORTER_SIDE", SIZE)


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    folder, found = tmp_path_factory.mktemp("networks"), {}
    sizes = {"completion_unet": {"widths": (4, 4, 4)}, "edsr": {"features": 4, "blocks": 1}}
    for model, config in sizes.items():
        torch.manual_seed(0)
        found[model] = str(folder / f"{model}.safetensors")
        header = Header(KIND, model, model, config, {"name": "imagenet"}, training={}, metrics={}, seed=0, radius=0.0, percentile_radii={})
        save(folder / f"{model}.safetensors", build_model(model, config), header)
    return found


def tiny(name, networks, **changes):
    config = EXPERIMENTS[name].config
    own = {"backbones": (networks["completion_unet"],) if config.backbones else (), "deepaugment": (networks["edsr"],) if config.deepaugment else ()}
    small = {"stem": 4, "widths": (4, 8), "depths": (1, 1), "crop_size": SIZE, "epochs": 1, "warm_up": 0.5, "batch_size": 9, "steps": 1, "nano_batch": 4 if own["backbones"] else None}
    return replace(config, **{**own, **small, **changes})


def test_the_settings_are_the_papers():
    config = EXPERIMENTS["ada-imagenet-all-augmix-deepaugment"].config
    assert (config.crop_size, config.epochs, config.batch_size, config.weight_decay, config.steps, config.ssim_limit, len(config.backbones)) == (128, 90, 4096, 5e-4, 3, 0.7, 4)
    assert (config.classifier, config.augmix_severity, NETWORKS["backbone-unet-imagenet"].config.batch_size) == ("resnet50", 1.0, 1024)
    assert len([name for name in EXPERIMENTS if "imagenet" in name]) == 24  # Table 2


def test_pictures_are_trained_on_and_the_checkpoint_opens_as_any_classifier(root, networks, tmp_path):
    config = tiny("ada-imagenet-all-augmix-deepaugment", networks)
    train, place = EXPERIMENTS["ada-imagenet-all-augmix-deepaugment"].train, Place(tmp_path, CPU, root)
    opened = open_classifier(train("tiny", config, place, Silent()), root=root)
    header = opened.checkpoint.header
    assert header.dataset["train_images"] == 4 * EACH - 2 and {"clean", "validation"} <= header.metrics.keys() and header.model == "resnet50"
    made = list(tmp_path.glob("deepaugment-*/*/*.png"))
    assert len(made) == 18 and len(opened.images) == 4 and opened.images.images[1:3].shape == (2, 3, SIZE, SIZE)
    made[3].unlink()  # as if it had been stopped
    kept = {path: path.stat().st_mtime_ns for path in made if path.exists()}
    train("tiny", config, replace(place, resume=True), Silent())
    assert made[3].exists() and all(path.stat().st_mtime_ns == time for path, time in kept.items())


def test_a_few_pictures_are_learned_by_heart(root, networks, tmp_path):
    config = tiny("nominal-imagenet", networks, widths=(8, 16), epochs=12, warm_up=1, learning_rate=0.1)
    EXPERIMENTS["nominal-imagenet"].train("tiny", config, Place(tmp_path, CPU, root), Silent())
    losses = [epoch["loss"] for epoch in json.loads((tmp_path / "history.json").read_text())]
    assert losses[0] > 1 and losses[-1] < losses[0] / 2


def test_an_image_to_image_network_learns_from_pictures(root, tmp_path):
    config = replace(NETWORKS["backbone-unet-imagenet"].config, widths=(4, 4, 4), crop_size=SIZE, epochs=1, batch_size=9)
    path = NETWORKS["backbone-unet-imagenet"].train("tiny", config, Place(tmp_path, CPU, root), Silent())
    assert 0 < load(path).header.metrics["ssim"] < 1


def test_no_picture_is_in_two_splits_and_a_few_are_of_all_classes(root, networks):
    data = open_splits(tiny("nominal-imagenet", networks), root)
    assert not set(data["train"].paths) & set(data["validation"].paths) and len(data["train"]) + len(data["validation"]) == 4 * EACH
    assert set(data["train"].few(4).labels.tolist()) == {0, 1, 2, 3}
    assert data["train"].fingerprint() != data["train"].few(4).fingerprint() == data["train"].few(4).fingerprint()


def test_crops_depend_on_the_generator_alone(root):
    paths = imagenet.open_imagenet("train", root).paths[:6]
    one, two, other = (folders.random_crops(paths, SIZE, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(one, two) and not torch.equal(one, other) and one.shape == (6, 3, SIZE, SIZE)


def test_a_crop_lies_inside_with_the_shares_and_shapes_of_the_papers():
    draws = torch.rand(500, 10, 4, generator=torch.Generator().manual_seed(0)).tolist()
    for width, height in ((40, 34), (300, 20), (20, 300)):
        for each in draws[:100] if width != 40 else draws:
            left, top, right, bottom = folders.crop_box(width, height, each)
            assert 0 <= left < right <= width and 0 <= top < bottom <= height
    boxes = [folders.crop_box(400, 400, each) for each in draws]
    shares = [(right - left) * (bottom - top) / 400**2 for left, top, right, bottom in boxes]
    ratios = [(right - left) / (bottom - top) for left, top, right, bottom in boxes]
    assert 0.075 < min(shares) < 0.15 and 0.9 < max(shares) <= 1 and 0.74 < min(ratios) and max(ratios) < 1.35


def test_the_mean_error_is_measured_in_alexnets_on_the_published_folders(root, networks, tmp_path):
    path = EXPERIMENTS["nominal-imagenet"].train("tiny", tiny("nominal-imagenet", networks, limit=4), Place(tmp_path, CPU, root), Silent())
    *_, table = corruption_table(open_classifier(path, root=root), "digest", CorruptionSettings("published"), tmp_path / "work", Silent(), root)
    assert set(table.errors) == set(CORRUPTIONS) and table.new is not None
    assert table.mce == pytest.approx(sum(table.mean(name) / ALEXNET[name] for name in STANDARD) / 15)


def test_the_papers_means_are_those_of_its_errors_in_alexnets():
    assert all(sum(error / ALEXNET[name] for error, name in zip(each, STANDARD, strict=True)) / 15 == pytest.approx(mean, abs=0.1) for mean, *each in TABLE_9.values())
    assert {name: values[0] for name, values in TABLE_2.items()} == {name: values[0] for name, values in TABLE_9.items()} and set(TABLE_2) <= set(EXPERIMENTS)


def test_tables_2_and_9_have_the_papers_lines(tmp_path):
    errors = {name: [0.5] * 5 for name in CORRUPTIONS}
    common = {"settings": asdict(CorruptionSettings()), "dataset": "imagenet", "digest": "d", "training": plain(EXPERIMENTS["nominal-imagenet"].config), "images": 4, "available": 4}
    made = CorruptionTable(checkpoint="nominal-imagenet", clean=0.25, new=0.5, renditions=0.875, errors=errors, **common)
    results = Results(((CORRUPTIONS_KIND, made, tmp_path / "measured.json"),))
    second, ninth = table_2(results), table_9(results)
    assert len(second.rows) == len(ninth.rows) == 24 and all(len(row.paper) == len(second.columns) for row in second.rows)
    mean = 100 * sum(0.5 / ALEXNET[name] for name in STANDARD) / 15
    assert second.rows[0].measured == (pytest.approx(mean), 50, 50, 50, 50, 75, 50, 12.5, *(None,) * 4) and ninth.rows[0].measured[0] == pytest.approx(mean)
    assert second.rows[1].measured is None and "ImageNet is on no machine" in second.rows[1].missing
