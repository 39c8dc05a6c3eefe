import numpy as np
import torch

from explorer.figures.materials import colours, light_pad, material_map, wrong_pixels


def test_materials_have_colours_of_their_own():
    assert len({tuple(row) for row in colours(36)}) == 36
    assert np.array_equal(colours(9), colours(36)[:9]), "the same whatever their number"


def test_a_map_by_hand():
    materials = torch.tensor([[0, 1], [-1, 0]])
    painted = material_map(materials, 2)
    assert (painted[0, 0] == colours(2)[0]).all() and (painted[0, 1] == colours(2)[1]).all() and (painted[1, 0] == 0).all()
    over = material_map(materials, 2, np.full((2, 2, 3), 100, np.uint8), 0.0)
    assert (over == 100).all()


def test_wrong_pixels_are_red():
    shown = wrong_pixels(torch.tensor([[0, 1]]), torch.tensor([[0, 0]]), np.full((1, 2, 3), 100, np.uint8))
    assert len(set(shown[0, 0].tolist())) == 1 and shown[0, 1, 0] > shown[0, 1, 1] + 50


def test_the_chosen_light_is_marked():
    figure = light_pad(torch.rand(25, 2), 3, 0)
    assert figure.data[0].marker.color[3] != figure.data[0].marker.color[4] and len(figure.data[0].x) == 25
