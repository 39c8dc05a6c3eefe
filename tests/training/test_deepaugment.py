import pytest
import torch

from explorer.errors import InvalidInput
from explorer.models import build_model
from explorer.training import DeepAugment, compressive_distortions, edsr_distortions
from explorer.training.drawing import Drawn

COUNT = 24


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def edsr():
    torch.manual_seed(0)
    return build_model("edsr", {"features": 8, "blocks": 4}).eval()


def autoencoder():
    torch.manual_seed(0)
    return build_model("compressive_autoencoder", {"widths": (4, 6), "bits": 12, "decoder": (4, 6, 4), "blocks": 1}).eval()


@pytest.fixture
def images():
    return torch.rand(COUNT, 3, 16, 16, generator=seeded(1))


def changed(before, after):
    return {name.rsplit(".", 1)[0] for name, each in after.state_dict().items() if not torch.equal(each, before.state_dict()[name])}


@pytest.mark.parametrize("number", range(17))
def test_a_distortion_of_edsr_changes_residual_blocks_alone(number):
    before, after = edsr(), edsr()
    with torch.no_grad():
        edsr_distortions.WEIGHTS[number](Drawn(after, seeded(3)))
    found = changed(before, after)
    assert found and all(name.startswith("body.") and name.endswith(("first", "second")) for name in found)


def weights_of(number, seed=0):
    """(before, after) of the first layers that a distortion of EDSR changes."""
    before, after = edsr(), edsr()
    with torch.no_grad():
        edsr_distortions.WEIGHTS[number](Drawn(after, seeded(seed)))
    name = sorted(changed(before, after))[0]
    return before.get_submodule(name).weight, after.get_submodule(name).weight


def test_the_simple_distortions_are_what_they_say():
    flipped, negated, zeroed, gelu, cross, ring = (weights_of(number) for number in range(6))
    assert torch.equal(flipped[1], flipped[0].flip(0)) and torch.equal(negated[1], -negated[0]) and not zeroed[1].any()
    torch.testing.assert_close(gelu[1], -torch.nn.functional.gelu(gelu[0]))
    torch.testing.assert_close(cross[1][:, :, 1, 1], -4 * cross[0][:, :, 1, 1])
    assert not cross[1][:, :, 0, 0].any() and torch.equal(ring[1][:, :, 0, 0], -ring[0][:, :, 0, 0])


def test_noise_multiplies_by_1_to_5_and_dirichlet_kernels_keep_sums():
    before, after = weights_of(6)
    ratio = after / before
    assert ratio.min() >= 1 - 1e-5 and ratio.max() <= 5 + 1e-5 and ratio.max() > 1.01
    kernel_free = weights_of(10)
    assert kernel_free[1].shape == kernel_free[0].shape


def test_random_signs_holes_and_largest_taps_keep_what_they_keep():
    signs, holes, taps = weights_of(13), weights_of(14), weights_of(16)
    assert torch.equal(signs[1].abs(), signs[0].abs()) and ((holes[1] == 0) | (holes[1] == holes[0])).all() and (holes[1] == 0).float().mean() > 0.2
    assert ((taps[1] != 0).flatten(2).sum(2) <= 1).all()


def test_a_shifted_filter_is_the_same_for_all_its_inputs():
    _, after = weights_of(8)
    torch.testing.assert_close(after, after[:, :1].expand_as(after))


@pytest.mark.parametrize("name", compressive_distortions.WEIGHTS)
def test_a_distortion_of_the_autoencoder_changes_layers_about_the_decoders_beginning(name):
    before, after = autoencoder(), autoencoder()
    distort, low, high = compressive_distortions.WEIGHTS[name]
    layers, decoder = compressive_distortions.layers(after)
    with torch.no_grad():
        for place in range(low, high):
            distort(layers[decoder + place], layers[decoder + place], Drawn(after, seeded(place + 2)))
    found = changed(before, after)
    assert found and not any(each.startswith(("encode1", "encode2")) for each in found)


def test_the_published_autoencoder_has_21_layers_and_its_decoder_begins_at_the_tenth():
    layers, decoder = compressive_distortions.layers(build_model("compressive_autoencoder", {}))
    assert (len(layers), decoder) == (21, 9)


@pytest.mark.parametrize("distort", compressive_distortions.CODES, ids=lambda each: each.__name__)
def test_a_distortion_of_the_code_keeps_its_shape_and_changes_it(distort):
    code = torch.randn(1, 12, 6, 6, generator=seeded(2))
    found = [distort(code, Drawn(autoencoder(), seeded(seed))) for seed in range(4)]
    assert all(each.shape == code.shape for each in found) and any(not torch.equal(each, code) for each in found)


def test_permuted_flipped_and_shifted_codes_hold_the_same_numbers():
    code = torch.randn(1, 12, 6, 6, generator=seeded(2))
    for distort in (compressive_distortions._permute, compressive_distortions._flip_some, compressive_distortions._flip_all):
        assert torch.equal(distort(code, Drawn(autoencoder(), seeded(1))).flatten().sort().values, code.flatten().sort().values)


@pytest.mark.parametrize("make", [edsr, autoencoder], ids=lambda make: make.__name__)
def test_an_image_depends_on_its_number_and_the_seed_alone(make, images):
    network = make()
    augment = DeepAugment(network, seed=5)
    whole = augment(images)
    parts = torch.cat([augment(images[:7]), augment(images[7:15], 7), augment(images[15:], 15)])
    assert torch.equal(whole, parts) and whole.shape == images.shape and 0 <= whole.min() and whole.max() <= 1
    assert not torch.equal(whole, DeepAugment(network, seed=6)(images))
    assert all(torch.equal(a, b) for a, b in zip(network.state_dict().values(), make().state_dict().values()))


def test_weights_are_drawn_anew_for_one_image_in_twenty():
    versions = DeepAugment(edsr())._versions(4000)
    assert 150 < versions[-1] < 250


def test_another_network_is_refused():
    with pytest.raises(InvalidInput, match="EDSR or a compressive autoencoder"):
        DeepAugment(build_model("completion_unet", {"widths": (4, 4)}))
