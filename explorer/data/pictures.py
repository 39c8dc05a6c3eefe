"""A user's picture, checked and brought to the shape a model takes."""

import io
import warnings

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from explorer.errors import InvalidInput

MAXIMUM_BYTES = 20 << 20
MAXIMUM_PIXELS = 40_000_000
MINIMUM_SIDE = 4
MAXIMUM_RATIO = 14  # the shorter side keeps two pixels of 28


def read_picture(content: bytes, channels: int, height: int, width: int) -> Float[Tensor, "1 channels height width"]:
    """Decode a PNG, JPEG, WebP, BMP, GIF or TIFF, of 8 or 16 bits, put transparency on black, keep the aspect ratio and
    centre it on black. Raises InvalidInput for anything else."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    if len(content) > MAXIMUM_BYTES:
        raise InvalidInput(f"the picture has {len(content) / 1e6:.0f} MB. At most {MAXIMUM_BYTES >> 20} MB can be read.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"))
            if picture.width * picture.height > MAXIMUM_PIXELS:
                raise Image.DecompressionBombError
            if min(picture.size) < MINIMUM_SIDE:
                raise InvalidInput(f"the picture is {picture.width}×{picture.height} pixels. Each side needs {MINIMUM_SIDE} at least.")
            picture = ImageOps.exif_transpose(eight_bits(picture))
            mode = {1: "L", 3: "RGB"}[channels]
            if picture.has_transparency_data:
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, "black"), picture.convert("RGBA"))
            longest, shortest = max(picture.size), min(picture.size)
            if longest > MAXIMUM_RATIO * shortest:
                raise InvalidInput(f"the picture is {picture.width}×{picture.height} pixels, too long and thin to be seen at {width}×{height}. Crop it first.")
            fitted = ImageOps.pad(picture.convert(mode), (width, height), Image.Resampling.LANCZOS, color=0)
    except InvalidInput:
        raise
    except Image.DecompressionBombError:
        raise InvalidInput(f"the picture has more than {MAXIMUM_PIXELS // 10**6} megapixels: make it smaller first.") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        reason = "it is damaged" if not isinstance(error, UnidentifiedImageError) else "its format is not known"
        raise InvalidInput(f"this is not a picture that can be read: {reason}. Expected PNG, JPEG, WebP, BMP, GIF or TIFF.") from None
    pixels = torch.from_numpy(np.array(fitted, dtype=np.float32) / 255)
    return pixels.reshape(height, width, channels).permute(2, 0, 1)[None].contiguous()


def eight_bits(picture):
    """16-bit greys scaled to 8 bits, where Pillow itself would clip them."""
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, dtype=np.float64)
        top = 65535 if picture.mode.startswith("I") else max(1.0, float(np.nanmax(values)))
        from PIL import Image

        return Image.fromarray((np.nan_to_num(values) / top * 255).clip(0, 255).round().astype(np.uint8))
    return picture
