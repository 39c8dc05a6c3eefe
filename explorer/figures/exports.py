"""Files that say where they come from."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from jaxtyping import UInt8


@dataclass(frozen=True)
class Provenance:
    """What a downloaded file needs to be made again. Without a radius it is the checkpoint's own, or none plays a part."""

    checkpoint: str
    seed: int
    radius: float | None
    settings: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


def to_png(picture: UInt8[np.ndarray, "height width 3"], provenance: Provenance | None = None) -> bytes:
    """A PNG with the provenance as its text chunk `explorer`."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    note, buffer = PngInfo(), io.BytesIO()
    if provenance:
        note.add_text("explorer", provenance.text())
    Image.fromarray(picture).save(buffer, "PNG", pnginfo=note)
    return buffer.getvalue()


def to_gif(frames: UInt8[np.ndarray, "n height width 3"], provenance: Provenance, milliseconds: int = 60) -> bytes:
    """A looping GIF that runs forth and back, with the provenance as its comment."""
    from PIL import Image

    there_and_back = [*frames, *frames[-2:0:-1]]
    images, buffer = [Image.fromarray(frame) for frame in there_and_back], io.BytesIO()
    images[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=images[1:],
        duration=milliseconds,
        loop=0,
        comment=provenance.text().encode(),
    )
    return buffer.getvalue()


def to_csv(rows: Sequence[Mapping[str, Any]], provenance: Provenance) -> bytes:
    """Comma-separated rows below one comment line with the provenance."""
    buffer = io.StringIO()
    buffer.write(f"# {provenance.text()}\n")
    writer = csv.DictWriter(buffer, list(rows[0]) if rows else ["empty"])
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


def to_json(content: Mapping[str, Any], provenance: Provenance) -> bytes:
    return json.dumps({**asdict(provenance), **content}, indent=1).encode()
