"""Folders of pictures in pairs, as another tool writes them: Pillow alone."""

import random
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

DONE = {"blur": lambda picture: picture.filter(ImageFilter.GaussianBlur(1.5)), "bright": lambda picture: picture.point(lambda v: min(255, v + 50)), "dark": lambda picture: picture.point(lambda v: max(0, v - 50))}


def write_scenes(folder: Path, scenes: int = 6, size: tuple[int, int] = (16, 12), mode: str = "RGB", done=tuple(DONE)) -> Path:
    """A folder for each scene: reference.png and what was done to it."""
    draw = random.Random(0)
    for scene in range(scenes):
        place = folder / f"scene-{scene:02}"
        place.mkdir(parents=True)
        picture = Image.new("RGB", size, tuple(draw.randrange(60, 200) for _ in range(3)))
        ImageDraw.Draw(picture).ellipse([2, 2, 9, 9], fill=tuple(draw.randrange(256) for _ in range(3)))
        picture.convert(mode).save(place / "reference.png")
        for name in done:
            DONE[name](picture).convert(mode).save(place / f"{name}.png")
    return folder
