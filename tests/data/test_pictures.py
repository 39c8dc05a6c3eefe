import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.data import read_picture
from explorer.errors import InvalidInput


def encoded(array, mode=None, form="PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array, mode).save(buffer, form)
    return buffer.getvalue()


def test_an_8_bit_picture_keeps_its_pixels():
    array = np.arange(28 * 28, dtype=np.uint8).reshape(28, 28)
    assert torch.equal(read_picture(encoded(array), 1, 28, 28)[0, 0] * 255, torch.from_numpy(array).float())


def test_a_16_bit_picture_is_scaled_not_clipped():
    array = np.full((28, 28), 32768, np.uint16)
    assert read_picture(encoded(array), 1, 28, 28).mean() == pytest.approx(0.5, abs=0.01)


def test_transparency_is_put_on_black():
    array = np.zeros((28, 28, 4), np.uint8)
    array[..., :3] = 255
    assert read_picture(encoded(array), 1, 28, 28).max() == 0


def test_the_aspect_ratio_is_kept():
    picture = read_picture(encoded(np.full((10, 40), 255, np.uint8)), 1, 28, 28)
    assert picture[0, 0, 14].min() > 0.9 and picture[0, 0, 2].max() == 0


def test_colour_is_kept_where_the_model_takes_it():
    array = np.zeros((32, 32, 3), np.uint8)
    array[..., 0] = 255
    assert read_picture(encoded(array), 3, 32, 32).mean((0, 2, 3)).tolist() == [1, 0, 0]


def test_a_wide_picture_is_resized_and_still_seen():
    picture = read_picture(encoded(np.full((1000, 10_000), 255, np.uint8)), 1, 28, 28)
    assert picture.shape == (1, 1, 28, 28) and picture[0, 0, 13:15].min() > 0.5


def huge_png() -> bytes:
    """A header that announces 100,000 × 100,000 pixels, without them."""

    def chunk(body):
        return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR" + header) + chunk(b"IDAT" + zlib.compress(b"")) + chunk(b"IEND")


def noise_png() -> bytes:
    return encoded(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not a picture", "format is not known"),
        (noise_png()[:2000], "damaged"),
        (encoded(np.zeros((1, 1), np.uint8)), "1×1 pixels"),
        (encoded(np.full((5, 10_000), 255, np.uint8)), "too long and thin"),
        (huge_png(), "make it smaller"),
        (b"\x00" * (21 << 20), "At most 20 MB"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "format is not known"),
    ],
    ids=["text", "truncated", "one pixel", "ribbon", "bomb", "large", "svg"],
)
def test_what_is_no_usable_picture_is_refused_in_one_message(content, message):
    with pytest.raises(InvalidInput, match=message):
        read_picture(content, 1, 28, 28)
