import pytest
import torch

from explorer.evaluation.approximation import DISTANCES
from explorer.papers.learned_sets import open_learned_set
from explorer.papers.learned_sets.searches import SearchSettings, search
from explorer.ui.library import SHIPPED

RADIUS = 3.0


@pytest.fixture(scope="module")
def learned():
    return open_learned_set(SHIPPED / "learned_sets" / "digits-rts.safetensors")


@pytest.fixture(scope="module")
def target(learned):
    return learned.real_pairs(learned.images.images[:1], 0).perturbed[:1]


def found(learned, target, **changes):
    return search(learned, learned.clean(0), target, SearchSettings(RADIUS, **{"steps": 8, **changes}))


@pytest.mark.parametrize("start", ["encoding", "centre", "random"])
@pytest.mark.parametrize(("sense", "extreme"), [("closest", torch.min), ("farthest", torch.max)])
def test_the_best_iterate_is_the_extreme_of_the_path(learned, target, sense, extreme, start):
    path = found(learned, target, sense=sense, start=start)
    assert path.distance[path.best] == extreme(path.distance) and len(path.distance) == len(path.frames) == 9


def test_every_iterate_lies_in_the_ball(learned, target):
    assert (found(learned, target, sense="farthest", start="random").delta.norm(dim=1) <= RADIUS * (1 + 1e-5)).all()


def test_the_path_starts_where_it_was_told(learned, target):
    assert not found(learned, target, start="centre").delta[0].any()
    encoding = learned.real_pairs(learned.images.images[:1], 0).delta[0]
    scale = min(1.0, RADIUS / float(encoding.norm()))
    assert torch.allclose(found(learned, target, start="encoding").delta[0], encoding * scale, atol=1e-4)


def test_frames_are_at_the_distances_that_are_told(learned, target):
    path = found(learned, target, distance="squared_error")
    measured = DISTANCES["squared_error"](path.frames, target.expand_as(path.frames)) / target[0].numel()
    assert torch.allclose(measured, path.distance, rtol=1e-3, atol=1e-7)


def test_the_same_seed_takes_the_same_path(learned, target):
    first, again, other = (found(learned, target, start="random", seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.delta, again.delta) and not torch.equal(first.delta[0], other.delta[0])
