"""What the page makes of a state that a browser committed. Dragging itself is tested in a browser."""

import base64

import numpy as np
import pytest

from explorer.errors import InvalidInput
from explorer.ui.live_control import FOLDER, MODULES, LiveState, _pack, clean_state, committed_state

GOOD = {"delta": [0.6, 0.8], "radius": 2.0, "view": "members", "axes": [1, 0], "socket": "open", "revision": 3}


def test_a_committed_state_is_taken_over():
    assert committed_state({"state": GOOD}, 3, 2, 5.0) == LiveState((0.6, 0.8), 2.0, "members", (1, 0), "open")


@pytest.mark.parametrize("result", [None, {}, {"state": None}, {"state": 1}, {"state": GOOD | {"revision": 2}}])
def test_nothing_committed_for_this_revision_is_none(result):
    assert committed_state(result, 3, 2, 5.0) is None


@pytest.mark.parametrize(
    "wrong",
    [{"delta": [1.0]}, {"delta": "ab"}, {"delta": [1.0, None]}, {"delta": [1.0, float("nan")]}, {"radius": -1}, {"radius": True}],
    ids=str,
)
def test_an_impossible_point_is_none(wrong):
    assert clean_state(GOOD | wrong, 2, 5.0) is None


def test_a_point_outside_is_projected():
    assert clean_state(GOOD | {"delta": [6.0, 8.0]}, 2, 5.0).delta == pytest.approx((1.2, 1.6))


def test_a_radius_beyond_epsilon_is_cut():
    assert clean_state(GOOD | {"radius": 7.0}, 2, 5.0).radius == 5.0


@pytest.mark.parametrize("axes", [None, [0], [0, 9], ["0", 1], [0.0, 1]])
def test_impossible_axes_become_the_first_two(axes):
    assert clean_state(GOOD | {"axes": axes}, 2, 5.0).axes == (0, 1)


def test_an_unknown_view_becomes_the_single_image():
    assert clean_state(GOOD | {"view": "<script>"}, 2, 5.0).view == "one"


def test_vectors_survive_the_packing():
    vectors = np.arange(6, dtype=np.float32).reshape(2, 3) / 7
    unpacked = np.frombuffer(base64.b64decode(_pack(list(vectors), 3)), "<f4").reshape(2, 3)
    assert (unpacked == vectors).all()


def test_a_vector_of_the_wrong_length_is_named():
    with pytest.raises(InvalidInput, match=r"has 3 numbers, got \[2\]"):
        _pack([[1.0, 2.0]], 3)


def test_every_script_of_the_folder_is_part_of_the_module():
    assert {path.stem for path in FOLDER.glob("*.js")} == set(MODULES)
