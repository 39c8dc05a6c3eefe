import pytest
import torch

from explorer.data.scenes.shapes import REACH, SHAPES, normals, trace, unit

draw = torch.Generator().manual_seed(0)
shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def points(count=4000, width=1.5):
    return (torch.rand(3, count, generator=draw) * 2 - 1) * width, 0.8 + 0.4 * torch.rand(count, generator=draw)


@shapes
def test_a_distance_never_exceeds_the_way_to_a_point_inside(shape):
    places, stretch = points()
    stretch = stretch.fill_(1.1)
    inside = places[:, shape.distance(places, stretch) < 0][:, :50]
    outside = places[:, shape.distance(places, stretch) > 0][:, :200]
    ways = torch.cdist(outside.T, inside.T).amin(1)
    assert (shape.distance(outside, stretch[:200]) <= ways + 1e-5).all()


@shapes
def test_no_distance_changes_faster_than_its_place(shape):
    places, stretch = points()
    moved = places + 0.01 * unit(torch.randn(places.shape, generator=draw))
    assert ((shape.distance(moved, stretch) - shape.distance(places, stretch)).abs() <= 0.01 + 1e-5).all()


@shapes
def test_a_shape_lies_within_its_reach_and_its_depth(shape):
    places, stretch = points(20000)
    inside = shape.distance(places, stretch) < 0
    assert places[:, inside].norm(dim=0).max() < REACH
    direction = unit(torch.randn(places.shape, generator=draw))
    assert ((places * direction).sum(0) <= shape.depth(direction, stretch) + 1e-5)[inside].all()


@shapes
def test_the_depth_is_reached(shape):
    """A plane just above the depth misses the shape, one a little below cuts it."""
    direction, stretch = unit(torch.randn(3, 1, generator=draw)), torch.tensor([1.0])
    places = points(60000, 1.1)[0]
    inside = places[:, shape.distance(places, stretch) < 0]
    assert (inside * direction).sum(0).max() > shape.depth(direction, stretch) - 0.12


@shapes
def test_traced_points_lie_on_the_surface_and_rays_that_miss_stay_outside(shape):
    start, stretch = points(8000, 3.0)
    outside = shape.distance(start, stretch) > 0.01
    start, stretch = start[:, outside], stretch[outside]
    along = unit(-start + 0.8 * torch.randn(start.shape, generator=draw))
    met = trace(shape, stretch, start, along)
    hit = met.isfinite()
    assert 0.2 < hit.float().mean() < 1
    assert shape.distance(start + met.where(hit, 0) * along, stretch)[hit].abs().max() < 2e-3
    for step in torch.linspace(0, 6, 200):
        assert (shape.distance(start + step * along, stretch)[~hit] > -1e-3).all()


def test_normals_of_a_ball_point_outwards():
    places = 0.75 * unit(torch.randn(3, 100, generator=draw))
    assert torch.allclose(normals(SHAPES["ball"], torch.ones(100), places), places / 0.75, atol=5e-3)
