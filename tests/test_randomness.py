import pytest
import torch

from explorer.errors import InvalidInput
from explorer.randomness import Streams, generator


def test_a_draw_depends_on_seed_example_and_restart_alone():
    together = Streams(3, [5, 9, 2]).normal((4,))
    assert torch.equal(together[1], Streams(3, [9]).normal((4,))[0])


def test_purposes_are_independent():
    pairs = Streams(0, range(2000), purpose="pairs").uniform((4,))
    noise = Streams(0, range(2000), purpose="posterior").normal((8,))
    both = torch.cat([pairs, noise.abs(), (-(noise[:, :4] ** 2 + noise[:, 4:] ** 2) / 2).exp()], 1)
    correlations = torch.corrcoef(both.T)[:4, 4:]
    assert correlations.abs().max() < 0.1


def test_different_keys_never_share_a_generator():
    keys = [(5,), (5, 0), (5, 0, 0), (0, 5), (2**32, 5, 0), (0, 1, 5), (1, 5)]
    states = {generator("search", *key).initial_seed() for key in keys}
    assert len(states) == len(keys)


@pytest.mark.parametrize("other", [Streams(4, [5]), Streams(3, [6]), Streams(3, [5], 1), Streams(3, [5]).restarted(1)])
def test_another_key_gives_another_draw(other):
    assert not torch.equal(Streams(3, [5]).uniform((8,)), other.uniform((8,)))


def test_drawing_advances():
    streams = Streams(0, [0])
    assert not torch.equal(streams.normal((3,)), streams.normal((3,)))


def test_neighbouring_keys_are_uncorrelated():
    draws = Streams(0, range(200)).normal((200,))
    correlations = torch.corrcoef(draws) - torch.eye(200)
    assert correlations.abs().max() < 0.4


def test_negative_keys_are_refused():
    with pytest.raises(InvalidInput, match="from 0 to"):
        Streams(-1, [0])
