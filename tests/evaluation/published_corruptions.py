"""The corruptions of CIFAR-10-C once more: one image at a time, NumPy, SciPy and Pillow, loops where the published code has loops.

It shares no line with the package but frost's textures, whose photographs cannot be had, and is written from the published constants and
descriptions, to compare statistics with. Images are 32 × 32 × 3 doubles in [0, 1]; results are bytes."""

import colorsys
import heapq
import io

import numpy as np
from PIL import Image
from scipy import ndimage

SIDE = 32
CONSTANTS = {
    "gaussian_noise": [0.04, 0.06, 0.08, 0.09, 0.10], "shot_noise": [500, 250, 100, 75, 50], "impulse_noise": [0.01, 0.02, 0.03, 0.05, 0.07],
    "speckle_noise": [0.06, 0.1, 0.12, 0.16, 0.2], "gaussian_blur": [0.4, 0.6, 0.7, 0.8, 1],
    "glass_blur": [(0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)],
    "defocus_blur": [(0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)], "motion_blur": [(6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)],
    "zoom_blur": [1.06, 1.11, 1.16, 1.21, 1.26], "fog": [(0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)],
    "frost": [(1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)],
    "snow": [(0.1, 0.2, 1, 0.6, 8, 3, 0.95), (0.1, 0.2, 1, 0.5, 10, 4, 0.9), (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9), (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85), (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8)],
    "spatter": [(0.62, 0.1, 0.7, 0.7, 0.5, 0), (0.65, 0.1, 0.8, 0.7, 0.5, 0), (0.65, 0.3, 1, 0.69, 0.5, 0), (0.65, 0.1, 0.7, 0.69, 0.6, 1), (0.65, 0.1, 0.5, 0.68, 0.6, 1)],
    "contrast": [0.75, 0.5, 0.4, 0.3, 0.15], "brightness": [0.05, 0.1, 0.15, 0.2, 0.3], "saturate": [(0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)],
    "jpeg_compression": [80, 65, 58, 50, 40], "pixelate": [0.95, 0.9, 0.85, 0.75, 0.65],
    "elastic_transform": [(0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03)],
}  # fmt: skip


def published(image: np.ndarray, name: str, severity: int, rng: np.random.Generator, textures: np.ndarray) -> np.ndarray:
    constants = CONSTANTS[name][severity - 1]
    result = frost(image, constants, rng, textures) if name == "frost" else globals()[name](image, constants, rng)
    return np.uint8(np.clip(result, 0, 1) * 255 + 1e-6)  # the cast cuts off; a millionth, for a byte over 255 times 255 can fall below itself


def smooth(image, sigma, mode="nearest", truncate=4.0):
    return ndimage.gaussian_filter(image, (sigma, sigma) + (0,) * (image.ndim - 2), mode=mode, truncate=truncate)


def as_bytes(image):
    return np.uint8(np.clip(image, 0, 1) * 255 + 1e-6)


def gaussian_noise(x, c, rng):
    return x + rng.normal(size=x.shape, scale=c)


def shot_noise(x, c, rng):
    return rng.poisson(x * c) / c


def impulse_noise(x, c, rng):
    flipped, salted = rng.random(x.shape) < c, rng.random(x.shape) < 0.5
    out = x.copy()
    out[flipped & salted], out[flipped & ~salted] = 1, 0
    return out


def speckle_noise(x, c, rng):
    return x + x * rng.normal(size=x.shape, scale=c)


def gaussian_blur(x, c, rng):
    return smooth(x, c)


def glass_blur(x, c, rng):
    sigma, reach, rounds = c
    pixels = as_bytes(smooth(x, sigma))
    for _ in range(rounds):
        for row in range(SIDE - reach, reach, -1):
            for column in range(SIDE - reach, reach, -1):
                right, down = rng.integers(-reach, reach, size=2)
                pixels[row, column], pixels[row + down, column + right] = pixels[row + down, column + right], pixels[row, column]
    return smooth(pixels / 255.0, sigma)


def defocus_blur(x, c, rng):
    radius, alias = c
    places = np.arange(-8, 9)
    columns, rows = np.meshgrid(places, places)
    inside = np.array(columns**2 + rows**2 <= radius**2, dtype=float)
    inside /= inside.sum()
    taps = np.exp(-np.arange(-1, 2) ** 2 / (2 * alias**2))
    taps /= taps.sum()
    kernel = ndimage.correlate(inside, np.outer(taps, taps), mode="mirror")
    return np.stack([ndimage.correlate(x[..., channel], kernel, mode="mirror") for channel in range(3)], -1)


def along(x, radius, sigma, degrees):
    """ImageMagick's motion blur of bytes, tap by tap along the line; its result is rounded to bytes."""
    weights = np.exp(-np.arange(2 * radius + 1) ** 2 / (2.0 * sigma**2))
    weights /= weights.sum()
    down, across = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
    out = np.zeros(x.shape)
    for tap, weight in enumerate(weights):
        rows = np.clip(np.arange(SIDE) + int(np.ceil(tap * down - 0.5)), 0, SIDE - 1)
        columns = np.clip(np.arange(SIDE) + int(np.ceil(tap * across - 0.5)), 0, SIDE - 1)
        out += weight * x[np.ix_(rows, columns)]
    return np.round(out)


def motion_blur(x, c, rng):
    return along(np.round(x * 255), *c, rng.uniform(-45, 45)) / 255


def clipped_zoom(x, factor):
    inner = int(np.ceil(SIDE / factor))
    top = (SIDE - inner) // 2
    large = ndimage.zoom(x[top : top + inner, top : top + inner], (factor, factor, 1), order=1)
    trim = (large.shape[0] - SIDE) // 2
    return large[trim : trim + SIDE, trim : trim + SIDE]


def zoom_blur(x, c, rng):
    factors = np.arange(1, c, 0.01)
    return (x + sum(clipped_zoom(x, factor) for factor in factors)) / (len(factors) + 1)


def plasma(decay, rng):
    field, step, wibble = np.zeros((SIDE, SIDE)), SIDE, 100.0

    def at(row, column):
        return field[row % SIDE, column % SIDE]

    def noise():
        return wibble * rng.uniform(-wibble, wibble)

    while step >= 2:
        half = step // 2
        for row in range(0, SIDE, step):
            for column in range(0, SIDE, step):
                field[row + half, column + half] = (at(row, column) + at(row + step, column) + at(row, column + step) + at(row + step, column + step)) / 4 + noise()
        for row in range(0, SIDE, step):
            for column in range(0, SIDE, step):
                field[row, column + half] = (at(row, column) + at(row, column + step) + at(row - half, column + half) + at(row + half, column + half)) / 4 + noise()
                field[row + half, column] = (at(row, column) + at(row + step, column) + at(row + half, column - half) + at(row + half, column + half)) / 4 + noise()
        step, wibble = half, wibble / decay
    return (field - field.min()) / (field.max() - field.min())


def fog(x, c, rng):
    return (x + c[0] * plasma(c[1], rng)[..., None]) * x.max() / (x.max() + c[0])


def frost(x, c, rng, textures):
    picture = textures[rng.integers(len(textures))]
    row, column = rng.integers(picture.shape[0] - SIDE), rng.integers(picture.shape[1] - SIDE)
    return c[0] * x + c[1] * picture[row : row + SIDE, column : column + SIDE]


def snow(x, c, rng):
    layer = clipped_zoom(rng.normal(size=(SIDE, SIDE, 1), loc=c[0], scale=c[1]), c[2])[..., 0]
    layer[layer < c[3]] = 0
    layer = along(as_bytes(layer).astype(float), c[4], c[5], rng.uniform(-135, -45)) / 255
    luminance = (x @ [0.299, 0.587, 0.114])[..., None]
    return c[6] * x + (1 - c[6]) * np.maximum(x, luminance * 1.5 + 0.5) + layer[..., None] + np.rot90(layer, 2)[..., None]


def spatter(x, c, rng):
    liquid = smooth(rng.normal(size=(SIDE, SIDE), loc=c[0], scale=c[1]), c[2])
    liquid[liquid < c[3]] = 0
    if c[5]:
        mask = smooth((liquid > c[3]).astype(float), c[4])
        mask[mask < 0.8] = 0
        return x * (1 - mask[..., None]) + mask[..., None] * np.array([63, 42, 20]) / 255
    liquid = as_bytes(liquid)
    distance = np.minimum(chamfer(edges(liquid.astype(int))), 20)
    distance = ndimage.correlate(distance, np.full((3, 3), 1 / 9), mode="mirror").astype(np.uint8)
    distance = equalised(distance)
    relief = np.clip(ndimage.correlate(distance.astype(float), np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2.0]]), mode="mirror"), 0, 255)
    relief = np.round(ndimage.correlate(np.round(relief), np.full((3, 3), 1 / 9), mode="mirror"))
    drops = liquid * relief
    return x + c[4] * (drops / max(drops.max(), 1e-12))[..., None] * np.array([175, 238, 238]) / 255


def edges(x):
    """Canny's edges, pixel by pixel: gradients by Sobel, the largest across the edge, then along weak ones from strong ones."""
    down, across = ndimage.sobel(x, 0, mode="nearest"), ndimage.sobel(x, 1, mode="nearest")
    size = np.pad(abs(down) + abs(across), 1)
    weak = np.zeros(x.shape, bool)
    for row, column in np.ndindex(x.shape):
        here, a, b = size[row + 1, column + 1], across[row, column], down[row, column]
        if here <= 50:
            continue
        if abs(b) < 0.41421356 * abs(a):
            weak[row, column] = here > size[row + 1, column] and here >= size[row + 1, column + 2]
        elif abs(b) > 2.41421356 * abs(a):
            weak[row, column] = here > size[row, column + 1] and here >= size[row + 2, column + 1]
        else:
            side = -1 if (a < 0) != (b < 0) else 1
            weak[row, column] = here > size[row, column + 1 - side] and here > size[row + 2, column + 1 + side]
    found, stack = np.zeros(x.shape, bool), [place for place in zip(*np.nonzero(weak), strict=True) if size[place[0] + 1, place[1] + 1] > 150]
    while stack:
        row, column = stack.pop()
        if 0 <= row < SIDE and 0 <= column < SIDE and weak[row, column] and not found[row, column]:
            found[row, column] = True
            stack += [(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return found


def chamfer(found):
    """The shortest way to an edge in steps of a rook, a bishop and a knight, by Dijkstra's search."""
    steps = {(i, j): {1: 1.0, 2: 1.4, 3: 2.1969}[abs(i) + abs(j)] for i in range(-2, 3) for j in range(-2, 3) if (abs(i), abs(j)) in {(0, 1), (1, 0), (1, 1), (1, 2), (2, 1)}}
    distance = np.full(found.shape, np.inf)
    queue = [(0.0, int(row), int(column)) for row, column in zip(*np.nonzero(found), strict=True)]
    while queue:
        way, row, column = heapq.heappop(queue)
        if way < distance[row, column]:
            distance[row, column] = way
            for (i, j), length in steps.items():
                if 0 <= row + i < SIDE and 0 <= column + j < SIDE and way + length < distance[row + i, column + j]:
                    heapq.heappush(queue, (way + length, row + i, column + j))
    return distance


def equalised(x):
    counts = np.bincount(x.ravel(), minlength=256)
    first = counts[x.min()]
    if first == x.size:
        return x
    return np.round((np.cumsum(counts) - first) * 255 / (x.size - first)).clip(0, 255)[x]


def contrast(x, c, rng):
    mean = x.mean((0, 1), keepdims=True)
    return (x - mean) * c + mean


def by_pixel(x, change):
    return np.array([[colorsys.hsv_to_rgb(*change(*colorsys.rgb_to_hsv(*pixel))) for pixel in row] for row in x])


def brightness(x, c, rng):
    return by_pixel(x, lambda h, s, v: (h, s, min(v + c, 1)))


def saturate(x, c, rng):
    return by_pixel(x, lambda h, s, v: (h, min(max(s * c[0] + c[1], 0), 1), v))


def picture(x):
    return Image.fromarray(np.uint8(np.round(x * 255)))


def jpeg_compression(x, c, rng):
    stream = io.BytesIO()
    picture(x).save(stream, "JPEG", quality=c)
    return np.asarray(Image.open(stream)) / 255


def pixelate(x, c, rng):
    small = picture(x).resize((int(SIDE * c), int(SIDE * c)), Image.BOX)
    return np.asarray(small.resize((SIDE, SIDE), Image.BOX)) / 255


def elastic_transform(x, c, rng):
    alpha, sigma, move = (SIDE * value for value in c)
    centre, third = SIDE // 2, SIDE // 3
    before = np.array([[centre + third, centre + third], [centre + third, centre - third], [centre - third, centre - third]], float)
    after = before + rng.uniform(-move, move, size=before.shape)
    forward = np.linalg.solve(np.hstack([before, np.ones((3, 1))]), after).T  # (column, row, 1) -> (column, row)
    back = np.linalg.inv(np.vstack([forward, [0, 0, 1]]))
    rows, columns = np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij")
    source = np.einsum("ij,jrc->irc", back, np.stack([columns, rows, np.ones_like(rows)]).astype(float))
    x = np.stack([ndimage.map_coordinates(x[..., channel], [source[1], source[0]], order=1, mode="mirror") for channel in range(3)], -1)
    across, down = (smooth(rng.uniform(-1, 1, (SIDE, SIDE)), sigma, "reflect", 3) * alpha for _ in range(2))
    return np.stack([ndimage.map_coordinates(x[..., channel], [rows + down, columns + across], order=1, mode="reflect") for channel in range(3)], -1)
