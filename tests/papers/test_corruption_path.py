"""One image's search step by step, the tables over many, and the imitation of a corruption."""

from dataclasses import replace

import pytest
import torch

from explorer.errors import CheckpointError, ConfigurationError, InvalidInput
from explorer.metrics import ssim
from explorer.papers.adversarial_augmentation.exploration import PathSettings, corruption_path, one_step
from explorer.papers.adversarial_augmentation.opening import open_backbone
from explorer.papers.adversarial_augmentation.reconstruction import (
    ReconstructionSettings,
    reconstruct,
    reconstruction_problems,
    reconstruction_table,
    with_images,
)
from explorer.papers.adversarial_augmentation.search import adversarial_corruptions
from explorer.papers.adversarial_augmentation.similarity import SimilaritySettings, similarity_problems, similarity_table
from explorer.randomness import Streams
from explorer.studies.classifiers import open_classifier
from explorer.types import Silent
from tests.tiny_backbones import save_backbone
from tests.tiny_budgets import save_tiny

SETTINGS = PathSettings(0.1, steps=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tiny")


@pytest.fixture(scope="module")
def classifier(folder):
    return open_classifier(save_tiny(folder, learned=False))


@pytest.fixture(scope="module")
def backbone(folder):
    return open_backbone(save_backbone(folder))


@pytest.fixture(scope="module")
def path(classifier, backbone):
    return corruption_path(classifier.model, backbone.ball(0.1), classifier.images.images[:1], 3, SETTINGS)


def test_frames_begin_with_the_networks_own_weights_and_end_with_the_search(path, classifier, backbone):
    image = classifier.images.images[:1]
    found = adversarial_corruptions(classifier.model, backbone.ball(0.1), image, torch.tensor([3]), streams=Streams(0, [0]), steps=2)
    assert len(path.frames) == 1 + 2 + 1
    torch.testing.assert_close(path.frames[:1], backbone.model(image).clamp(0, 1), atol=1e-5, rtol=0)
    torch.testing.assert_close(path.frames[-1:], found.unguarded, atol=1e-5, rtol=0)
    torch.testing.assert_close(path.guarded.image, found.perturbed, atol=1e-5, rtol=0)


def test_every_frame_has_its_logits_its_ssim_and_the_shares_of_its_layers(path, classifier):
    torch.testing.assert_close(path.logits, classifier.model(path.frames), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(path.ssim, ssim(path.frames, path.clean.image.expand_as(path.frames)), atol=1e-4, rtol=0)
    assert path.shares.shape == (4, len(path.layers)) and not path.shares[0].any() and (path.shares <= 1 + 1e-5).all()
    assert path.alone.shape == (len(path.layers),) and (path.alone > 0).any()


def test_the_curve_of_the_line_search_begins_at_the_clean_image(path):
    assert path.line.curve.shape == (1, 9) and abs(float(path.line.curve[0, 0])) < 1e-5
    assert float(path.line.curve[0, -1]) == pytest.approx(1 - float(path.ssim[-1]), abs=1e-4)


def test_one_step_follows_the_radius(classifier, backbone):
    image = classifier.images.images[:1]
    near, far = (one_step(classifier.model, backbone.ball(radius), image, 3, replace(SETTINGS, ssim_limit=1.9))[0] for radius in (0.01, 0.3))
    own = backbone.model(image).clamp(0, 1)
    assert (near.image - own).abs().mean() < (far.image - own).abs().mean()


def test_small_images_and_a_radius_of_0_are_told(classifier, backbone):
    with pytest.raises(InvalidInput, match="11 × 11"):
        corruption_path(classifier.model, backbone.ball(0.1), torch.rand(1, 1, 8, 8), 0, SETTINGS)
    with pytest.raises(InvalidInput, match="above 0"):
        corruption_path(classifier.model, backbone.ball(0.0), classifier.images.images[:1], 0, SETTINGS)


def test_another_kind_of_checkpoint_is_no_network(folder):
    with pytest.raises(InvalidInput, match="'corruption_network'"):
        open_backbone(save_tiny(folder, learned=False))
    with pytest.raises(CheckpointError, match="explorer.train backbone-unet-nowhere"):
        open_backbone("backbone-unet-nowhere")


def tables(measure, opened, settings, folder):
    return list(measure(opened, "digest", settings, folder, Silent()))


def test_similarities_grow_with_each_batch_and_resume(classifier, backbone, tmp_path):
    settings = SimilaritySettings((str(backbone.path),), (0.02, 0.2), steps=1, limit=6, batch_size=4, chunk=3)
    found = tables(similarity_table, classifier, settings, tmp_path)
    assert [each.images for each in found] == [4, 6] and found[-1].networks == ("tiny-edsr", "tiny-edsr") and found[-1].radii == (0.02, 0.2)
    assert all(sum(counts) == 6 for counts in found[-1].counts) and found[-1].means[0] > found[-1].means[1]
    assert all(after >= before - 1e-6 for before, after in zip(found[-1].means, found[-1].guarded_means))
    files = list(tmp_path.rglob("*.safetensors"))
    assert tables(similarity_table, classifier, settings, tmp_path)[-1] == found[-1] and list(tmp_path.rglob("*.safetensors")) == files
    other = tables(similarity_table, classifier, replace(settings, batch_size=6), tmp_path / "other")[-1]
    assert other.means == pytest.approx(found[-1].means, abs=1e-4)


def test_all_that_is_wrong_with_a_similarity_is_told_at_once(backbone):
    found = "\n".join(similarity_problems(SimilaritySettings(("nothing-here",), (0.0,), steps=-1, ssim_limit=3.0, chunk=0, limit=0)))
    assert all(each in found for each in ("radii", "steps", "ssim_limit", "chunk", "limit", "explorer.train nothing-here"))
    assert not similarity_problems(SimilaritySettings((str(backbone.path),)))


def test_a_network_that_does_not_take_the_images_is_told(classifier, folder, tmp_path):
    coloured = save_backbone(tmp_path, channels=3)
    with pytest.raises(InvalidInput, match="cannot corrupt these images"):
        tables(similarity_table, classifier, SimilaritySettings((str(coloured),), limit=2), tmp_path)


def test_imitation_climbs_to_the_corrupted_image(backbone):
    x = torch.nn.functional.interpolate(torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(0)), (16, 16), mode="bilinear")
    found = reconstruct(backbone.model, x, 0.5 * x, steps=20)
    assert found.path.shape == (21, 2) and (found.path[-1] > found.path[0]).all()
    torch.testing.assert_close(found.path[0], ssim(backbone.model(x).clamp(0, 1), 0.5 * x), atol=1e-4, rtol=0)
    alone = reconstruct(backbone.model, x[1:], 0.5 * x[1:], steps=20)
    torch.testing.assert_close(alone.path[:, 0], found.path[:, 1], atol=1e-3, rtol=0)


def test_a_penalty_that_is_all_keeps_the_weights(backbone):
    x = torch.rand(1, 1, 12, 12)
    free, held = (reconstruct(backbone.model, x, 1 - x, steps=5, penalty=penalty).images for penalty in (0.0, 1e6))
    own = backbone.model(x).clamp(0, 1)
    assert (held - own).abs().mean() < 0.5 * (free - own).abs().mean()


def test_a_table_of_imitations_has_a_line_for_each_corruption(backbone, tmp_path):
    settings = ReconstructionSettings(("contrast", "gaussian_blur"), (1, 5), steps=1, limit=3, batch_size=2)
    found = tables(reconstruction_table, with_images(backbone), settings, tmp_path)[-1]
    assert found.images == 3 and found.corruptions == ("contrast", "gaussian_blur") and len(found.means) == len(found.clean_means) == 2
    assert -1 <= min(found.means) <= found.overall <= max(found.means) <= 1


def test_corruptions_that_cannot_be_imitated_are_told(backbone, tmp_path):
    found = "\n".join(reconstruction_problems(ReconstructionSettings(("rain",), (6,), steps=-1, chunk=0)))
    assert all(each in found for each in ("rain", "severities", "steps", "chunk"))
    with pytest.raises(ConfigurationError, match="frost change colours"):
        tables(reconstruction_table, with_images(backbone), ReconstructionSettings(("frost",), limit=1), tmp_path)
