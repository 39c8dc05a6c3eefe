"""Tensors and tables as pictures and files; no streamlit."""

from .exports import Provenance, to_csv, to_gif, to_json, to_png
from .pictures import difference, pixels, strip, tile, upscale

__all__ = ["Provenance", "difference", "pixels", "strip", "tile", "to_csv", "to_gif", "to_json", "to_png", "upscale"]
