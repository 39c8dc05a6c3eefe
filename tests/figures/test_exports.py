import io
import json

import numpy as np
from PIL import Image

from explorer.figures import Provenance, to_csv, to_gif, to_json, to_png

SOURCE = Provenance("digits-rts", seed=3, radius=1.5, settings={"image": 7})


def test_a_png_keeps_its_pixels_and_says_where_it_comes_from():
    picture = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    opened = Image.open(io.BytesIO(to_png(picture, SOURCE)))
    assert np.array_equal(np.asarray(opened), picture)
    assert json.loads(opened.text["explorer"]) == {"checkpoint": "digits-rts", "seed": 3, "radius": 1.5, "settings": {"image": 7}}


def test_a_gif_runs_forth_and_back_and_says_where_it_comes_from():
    frames = np.stack([np.full((4, 4, 3), level, np.uint8) for level in (0, 80, 160, 240)])
    opened = Image.open(io.BytesIO(to_gif(frames, SOURCE)))
    assert opened.n_frames == 6
    assert json.loads(opened.info["comment"])["checkpoint"] == "digits-rts"


def test_a_csv_has_its_source_above_its_header():
    lines = to_csv([{"frame": 0, "norm": 0.5}], SOURCE).decode().splitlines()
    assert json.loads(lines[0].removeprefix("# "))["radius"] == 1.5
    assert lines[1:] == ["frame,norm", "0,0.5"]


def test_a_json_holds_content_and_source():
    assert json.loads(to_json({"u": [1.0]}, SOURCE)) == {"checkpoint": "digits-rts", "seed": 3, "radius": 1.5, "settings": {"image": 7}, "u": [1.0]}
