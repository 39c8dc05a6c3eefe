"""Scenes in the layout of the multi-illumination data set, written for tests."""

from pathlib import Path

import numpy as np
from PIL import Image

from explorer.data import illumination
from explorer.data.illumination import LIGHTS, PALETTE, size_at

LEVEL = 7
HEIGHT, WIDTH = size_at(LEVEL)


def write_scene(root: Path, name: str, lights=range(LIGHTS), level=LEVEL, size=(WIDTH, HEIGHT)) -> Path:
    """Pictures of one brightness for each light, and a map whose rows are the palette's indices."""
    folder = root / illumination.FOLDER / name
    folder.mkdir(parents=True)
    for light in lights:
        Image.new("RGB", size, (8 * light,) * 3).save(folder / f"dir_{light}_mip{level}.jpg", quality=95)
    indices = np.resize(np.arange(len(PALETTE), dtype=np.uint8), (2 * HEIGHT, 2 * WIDTH))
    picture = Image.fromarray(indices.repeat(1, 0), "P")
    picture.putpalette(list(range(256)) * 3)
    picture.save(folder / f"materials_mip{level - 1}.png")
    return folder
