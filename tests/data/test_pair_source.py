"""Where pairs come from."""

import pytest
import torch

from explorer.data import IN_DISTRIBUTION, PAIRS, CorruptionPairs, GeneratedPairs, ImageDataset, PairSource, load_dataset, open_pairs, pair_kind
from explorer.data.ahead import made_ahead
from explorer.data.corruptions import corrupt
from explorer.errors import InvalidInput, UnknownName
from explorer.randomness import Streams

FEW = CorruptionPairs(("brightness", "fog", "contrast"))


@pytest.fixture(scope="module")
def scenes():
    return load_dataset("scenes", "test", limit=5)


@pytest.mark.parametrize("name", PAIRS)
def test_every_way_of_making_pairs_has_a_source(name, scenes):
    source = open_pairs(name, "scenes", "test", limit=5)
    batch = source.fixed(range(5))
    assert isinstance(source, PairSource) and len(source) == 5 * len(source.type_names)
    assert batch.reference.shape == batch.perturbed.shape == (5, *source.image_shape((3, 32, 32)))
    assert torch.equal(source.images.images, scenes.images) and batch.values.shape == (5, len(source.parameter_names))


def test_every_prefix_of_the_fixed_pairs_covers_scenes_and_types_evenly(scenes):
    source = GeneratedPairs(FEW, scenes)
    whole = source.fixed(range(len(source)))
    assert len(set(zip(whole.scenes.tolist(), whole.types.tolist()))) == 15
    for count in range(1, 16):
        for values, kinds in ((whole.scenes[:count], 5), (whole.types[:count], 3)):
            counts = values.bincount(minlength=kinds)
            assert counts.max() - counts.min() <= (1 if kinds == 5 else 2)


def test_a_fixed_pair_depends_on_its_number_alone(scenes):
    source = GeneratedPairs(CorruptionPairs(pairing="perturbed"), scenes)
    together, alone = source.fixed([7, 3, 11]), source.fixed([11])
    assert all(torch.equal(one[2:], other) for one, other in zip(together.both, alone.both))


def test_a_pair_is_what_its_type_says(scenes):
    source = GeneratedPairs(FEW, scenes)
    batch = source.drawn(torch.arange(5), torch.full((5, 3), 0.5))  # the middle type; brightness and contrast have no chance in them
    again = source.drawn(torch.arange(5), torch.tensor([[0.1, 0.3, 0.2]] * 5))
    assert [source.type_names[number] for number in (batch.types[0], again.types[0])] == ["fog", "brightness"]
    assert torch.equal(again.perturbed, corrupt(scenes.images, "brightness", 5, Streams(0, range(5)))) and torch.equal(batch.reference, scenes.images)


@pytest.mark.parametrize("pairing, types, clean", [("centred", 12, True), ("original", 13, False), ("perturbed", 12, False)])
def test_the_three_pairings_differ_in_their_references(pairing, types, clean, scenes):
    source = GeneratedPairs(CorruptionPairs(pairing=pairing), scenes)
    batch = source.drawn(torch.arange(5).repeat(4), torch.rand(20, source.draws, generator=torch.Generator().manual_seed(0)))
    assert len(source.type_names) == types and set(IN_DISTRIBUTION) <= set(source.type_names)
    assert torch.equal(batch.reference, scenes.images.repeat(4, 1, 1, 1)) == clean
    assert not (batch.reference == batch.perturbed).flatten(1).all(1).any(), "a pair of two that are alike"


def test_one_of_each_type_is_shown_whatever_the_pairing(scenes):
    batch, names = GeneratedPairs(CorruptionPairs(pairing="original"), scenes).shown(scenes.images[:1], 0)
    assert names[:3] == ("original", "defocus blur", "glass blur") and batch.types.tolist() == list(range(13))
    assert torch.equal(batch.reference[4], scenes.images[0]) and torch.equal(batch.perturbed[0], scenes.images[0])


def test_grey_images_are_corrupted_as_grey_colours():
    grey = ImageDataset(torch.rand(2, 1, 16, 16), torch.zeros(2, dtype=torch.long), ("any",))
    frosted, _ = GeneratedPairs(CorruptionPairs(("frost", "saturate")), grey).shown(grey.images[:1], 0)
    assert frosted.perturbed.shape == (2, 1, 16, 16)


def test_pairs_made_ahead_are_those_made_here_in_order(scenes):
    source = GeneratedPairs(FEW, scenes)
    tasks = [(torch.tensor([number]), torch.rand(1, 3, generator=torch.Generator().manual_seed(number))) for number in range(5)]
    here, ahead = (list(made_ahead(lambda task: source.drawn(*task), iter(tasks), workers)) for workers in (0, 2))
    assert len(ahead) == 5 and all(torch.equal(one.perturbed, other.perturbed) for one, other in zip(here, ahead))


def test_what_does_not_exist_is_refused(scenes):
    with pytest.raises(InvalidInput, match="numbered 0 to 14"):
        GeneratedPairs(FEW, scenes).fixed([15])
    with pytest.raises(UnknownName, match="Did you mean 'corruptions'"):
        pair_kind("corruption")
    assert "expected one of" in pair_kind("corruptions").problems("scenery")[0]
