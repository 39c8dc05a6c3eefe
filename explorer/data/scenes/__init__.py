"""Scenes: pictures of simple bodies on a ground, rendered from a seed at any size under any of 25 lamps; no download."""

from .dataset import first_scenes, load_scenes
from .layout import GROUNDS, MATERIALS, SURFACES
from .render import LIGHTS, Rendering, render_scenes
from .shapes import SHAPES

__all__ = ["GROUNDS", "LIGHTS", "MATERIALS", "SHAPES", "SURFACES", "Rendering", "first_scenes", "load_scenes", "render_scenes"]
