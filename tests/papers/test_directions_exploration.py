"""One image attacked off and on the manifold."""

import pytest
import torch

from explorer.checkpoints import Header, save
from explorer.errors import ConfigurationError, InvalidInput
from explorer.models import build_model
from explorer.papers.manifold_directions import open_directions
from explorer.papers.manifold_directions.exploration import OFF, ON, Settings, attack_image, class_directions, examples, usual

SETTINGS = Settings(0.1, 1.0, steps=3)


def written(folder, name, kind, model, config, training):
    torch.manual_seed(0)
    header = Header(kind=kind, name=name, model=model, model_config=config, dataset={"name": "digits"}, training=training, metrics={}, seed=0, radius=0.0, percentile_radii={})
    save(folder / f"{name}.safetensors", build_model(model, config), header)
    return folder / f"{name}.safetensors"


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    folder = tmp_path_factory.mktemp("directions")
    vae = written(folder, "tiny-vae", "class_cvae", "class_mlp_cvae", {"latent_dim": 3, "hidden_units": 4}, {})
    return open_directions(written(folder, "tiny", "classifier", "lenet5", {"widths": [2, 2], "hidden_units": [4]}, {"vae": str(vae)}))


@pytest.fixture(scope="module")
def directions(opened):
    return class_directions(opened, 3)


@pytest.fixture(scope="module")
def attacked(opened, directions):
    return attack_image(opened, opened.images.images[:1], 3, 0, SETTINGS, directions)


def test_the_shares_of_an_attacks_energy_add_up_to_one(attacked):
    assert attacked.keys() == {OFF, ON}
    assert all(each.share.sum() == pytest.approx(1) and each.beyond(0) == pytest.approx(1) for each in attacked.values())


def test_each_attack_stays_in_its_set(opened, attacked):
    assert attacked[OFF].delta.abs().max() <= 0.1 + 1e-6 and torch.equal(attacked[OFF].origin, opened.images.images[:1])
    latents = opened.vae.model.encode(opened.images.images[:1], torch.tensor([3])).mean
    corners = torch.cartesian_prod(*([torch.tensor([-1.0, 1.0])] * 3))
    decoded = opened.vae.model.decode(latents + corners, torch.full((8,), 3))
    assert min((attacked[ON].perturbed - each).abs().max() for each in decoded) < 1e-5  # a sign step ends in a corner of the box


def test_the_same_settings_make_the_same_attack(opened, directions, attacked):
    again = attack_image(opened, opened.images.images[:1], 3, 0, SETTINGS, directions)
    assert all(torch.equal(again[name].perturbed, attacked[name].perturbed) for name in attacked)


def test_directions_are_orthonormal_and_of_one_class(opened, directions):
    train = opened.data.load("train")
    assert torch.allclose(directions.directions @ directions.directions.T, torch.eye(784, dtype=torch.float64), atol=1e-8)
    assert directions.count == int((train.labels == 3).sum())


def test_examples_are_what_the_cell_of_the_table_attacks(opened):
    clean, perturbed, seen = examples(opened, "PGD", range(3))
    assert clean.shape == perturbed.shape == (3, 1, 28, 28) and len(seen) == 3
    assert (perturbed - clean).abs().max() <= usual(opened).radius + 1e-6
    assert torch.equal(*examples(opened, "clean", range(3))[:2])


def test_without_a_vae_there_is_no_attack_on_the_manifold(tmp_path):
    alone = open_directions(written(tmp_path, "alone", "classifier", "lenet5", {"widths": [2, 2], "hidden_units": [4]}, {"vae": str(tmp_path / "none.safetensors")}))
    assert attack_image(alone, alone.images.images[:1], 3, 0, SETTINGS, class_directions(alone, 3)).keys() == {OFF}
    with pytest.raises(InvalidInput, match="none.safetensors"):
        examples(alone, "VAE", range(2))


def test_all_problems_of_the_settings_are_told_at_once():
    with pytest.raises(ConfigurationError) as caught:
        Settings(2.0, -1.0, steps=0)
    assert len(caught.value.problems) == 3
