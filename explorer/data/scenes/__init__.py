"""Scenes: pictures of simple bodies on a ground, rendered from a seed at any size under any of 25 lamps; no download."""

from .cache import CACHE_VARIABLE
from .dataset import first_scenes, load_scenes
from .layout import GROUNDS, MATERIALS, SURFACES
from .lit import RenderedScenes, lit_scenes
from .render import LIGHTS, Rendering, render_scenes
from .shading import light_directions
from .shapes import SHAPES

__all__ = ["CACHE_VARIABLE", "GROUNDS", "LIGHTS", "MATERIALS", "SHAPES", "SURFACES", "RenderedScenes", "Rendering", "first_scenes", "load_scenes", "light_directions", "lit_scenes", "render_scenes"]
