"""The parts of corruptions beside the libraries that the published code calls, or beside its loops, with the same random numbers."""

import colorsys

import numpy as np
import pytest
import torch
from scipy import ndimage

from explorer.data.corruptions import blur, colour, filters, geometry, noise, spatter, weather
from explorer.data.corruptions.draws import Draws
from explorer.randomness import Streams

GENERATOR = torch.Generator().manual_seed(0)
X = torch.nn.functional.interpolate(torch.rand(4, 3, 9, 9, generator=GENERATOR), (32, 32), mode="bilinear")


class Given(Draws):
    """Draws that hand out given numbers."""

    def __init__(self, *numbers):
        super().__init__(Streams(0, range(len(X))), X)
        object.__setattr__(self, "numbers", list(numbers))

    def uniform(self, shape, low=0.0, high=1.0):
        return low + (high - low) * self.numbers.pop(0)

    def integers(self, shape, low, high):
        return self.numbers.pop(0)


def hwc(x):
    return x.movedim(1, -1).numpy()


def close(ours, theirs, tolerance=1e-5):
    np.testing.assert_allclose(hwc(ours), np.stack(theirs), atol=tolerance)


@pytest.mark.parametrize("sigma", [0.4, 1.0, 2.6])
@pytest.mark.parametrize(("border", "mode"), [("nearest", "nearest"), ("mirror", "reflect")])
def test_gaussian_blur_is_scipys(sigma, border, mode):
    close(filters.gaussian_blur(X, sigma, border=border), [ndimage.gaussian_filter(each, (sigma, sigma, 0), mode=mode) for each in hwc(X)])


@pytest.mark.parametrize("factor", [1.0, 1.01, 1.06, 1.13, 1.25, 1.75, 2.25])
def test_zoom_is_scipys(factor):
    def theirs(image):
        inner = int(np.ceil(32 / factor))
        top = (32 - inner) // 2
        large = ndimage.zoom(image[top : top + inner, top : top + inner], (factor, factor, 1), order=1)
        trim = (len(large) - 32) // 2
        return large[trim : trim + 32, trim : trim + 32]

    close(filters.zoomed(X, factor), [theirs(each) for each in hwc(X)])


@pytest.mark.parametrize("constants", [(0.05, 0.2, 0.0), (0.1, 0.03, 0.0)])
def test_elastic_displacements_are_scipys(constants):
    numbers = torch.rand(4, 2, 32, 32, generator=GENERATOR)

    def theirs(image, across, down):
        smooth = [ndimage.gaussian_filter(2 * each.numpy() - 1, 32 * constants[1], mode="reflect", truncate=3) * 32 * constants[0] for each in (across, down)]
        rows, columns = np.meshgrid(np.arange(32), np.arange(32), indexing="ij")
        return np.stack([ndimage.map_coordinates(image[..., c], (rows + smooth[1], columns + smooth[0]), order=1, mode="reflect") for c in range(3)], -1)

    close(geometry.elastic_transform(X, constants, Given(torch.full((4, 3, 2), 0.5), numbers)), [theirs(each, *own) for each, own in zip(hwc(X), numbers, strict=True)])


def test_an_affine_map_moves_three_corners_to_where_they_are_sent():
    x = torch.zeros(1, 1, 32, 32)
    corners = torch.tensor([[26, 26], [26, 6], [6, 6]])  # column, row: the middle ± a third
    for column, row in corners:
        x[0, 0, row, column] = 1
    moved = torch.tensor([[[2.0, -3.0], [0.0, 4.0], [-1.0, 1.0]]])
    after = geometry._affine(x, moved.double())
    for column, row in (corners + moved[0]).long():
        assert after[0, 0, row, column] > 0.99


@pytest.mark.parametrize("added", [0.05, 0.3])
def test_brightness_is_added_to_the_value_of_hsv(added):
    def theirs(pixel):
        hue, saturation, value = colorsys.rgb_to_hsv(*pixel)
        return colorsys.hsv_to_rgb(hue, saturation, min(value + added, 1))

    small = X[:, :, :4, :4]
    close(colour.brightness(small, added, Given()), [np.apply_along_axis(theirs, 2, each) for each in hwc(small)])


@pytest.mark.parametrize("constants", [(0.3, 0), (2.5, 0.2), (20, 0.2)])
def test_saturation_is_that_of_hsv_and_grey_is_red(constants):
    def theirs(pixel):
        hue, saturation, value = colorsys.rgb_to_hsv(*pixel)
        return colorsys.hsv_to_rgb(hue, min(constants[0] * saturation + constants[1], 1), value)

    small = X[:, :, :4, :4].clone()
    small[0] = small[0].mean(0)
    close(colour.saturate(small, constants, Given()), [np.apply_along_axis(theirs, 2, each) for each in hwc(small)])


@pytest.mark.parametrize(("reach", "rounds", "exchange"), [(1, 2, False), (3, 2, False), (1, 1, True), (2, 1, True)])
def test_glass_blur_is_the_published_loop(reach, rounds, exchange):
    offsets = [torch.randint(-reach, reach, (4, 32, 32, 2), generator=GENERATOR) for _ in range(rounds)]

    def theirs(image, own):
        pixels = np.uint8(ndimage.gaussian_filter(image.astype(np.float64), (0.4, 0.4, 0), mode="nearest") * 255 + 1e-4)
        for each in own:
            for row in range(32 - reach, reach, -1):
                for column in range(32 - reach, reach, -1):
                    right, down = each[row, column].tolist()
                    a, b = (row, column), (row + down, column + right)
                    pixels[a], pixels[b] = (pixels[b].copy(), pixels[a].copy()) if exchange else (pixels[b], pixels[a])
        return ndimage.gaussian_filter(pixels / 255, (0.4, 0.4, 0), mode="nearest")

    close(blur.glass_blur(X, (0.4, reach, rounds), Given(*offsets), exchange), [theirs(image, [each[index] for each in offsets]) for index, image in enumerate(hwc(X))])


def test_plasma_is_the_published_diamond_square():
    def theirs(size, decay, uniform):
        field, step, wibble = np.zeros((size, size)), size, 100.0

        def noisy(total):
            return total / 4 + wibble * (-wibble + 2 * wibble * uniform(total.shape))

        while step >= 2:
            half = step // 2
            corners = field[0:size:step, 0:size:step]
            square = corners + np.roll(corners, -1, 0)
            field[half:size:step, half:size:step] = noisy(square + np.roll(square, -1, 1))
            middles = field[half:size:step, half:size:step]
            field[0:size:step, half:size:step] = noisy(middles + np.roll(middles, 1, 0) + corners + np.roll(corners, -1, 1))
            field[half:size:step, 0:size:step] = noisy(middles + np.roll(middles, 1, 1) + corners + np.roll(corners, -1, 0))
            step, wibble = half, wibble / decay
        field -= field.min()
        return field / field.max()

    stream = Streams(0, [5])
    expected = theirs(32, 2.0, lambda shape: stream.uniform(shape)[0].double().numpy())
    ours = weather.plasma(32, 2.0, Draws(Streams(0, [5]), torch.zeros(1, 3, 32, 32)))
    np.testing.assert_allclose(ours[0].numpy(), expected, atol=1e-5)


def test_motion_runs_along_its_angle_and_goes_on_at_the_edge():
    x = torch.zeros(1, 1, 33, 33)
    x[..., 16, 16] = 1
    across = blur.moved_along(x, 6, 2, torch.tensor([0.0]))[0, 0]
    assert across[16].nonzero().flatten().tolist() == list(range(4, 17)) and across.sum() == pytest.approx(1, abs=1e-6)
    assert across[16, 16] > across[16, 15] > across[16, 14]
    assert blur.moved_along(x, 6, 2, torch.tensor([-90.0]))[0, 0][:, 16].nonzero().flatten().tolist() == list(range(16, 29))
    assert torch.allclose(blur.moved_along(torch.ones(1, 1, 9, 9), 12, 8, torch.tensor([33.0])), torch.ones(1, 1, 9, 9))


def test_noise_has_its_moments():
    x, draws = torch.full((4, 3, 64, 64), 0.5), Draws(Streams(0, range(4)), torch.zeros(4, 1, 1, 1))
    assert (noise.gaussian_noise(x, 0.1, draws) - x).std() == pytest.approx(0.1, rel=0.02)
    assert (noise.speckle_noise(x, 0.2, draws) - x).std() == pytest.approx(0.1, rel=0.02)
    shot = noise.shot_noise(x, 60, draws)
    assert shot.mean() == pytest.approx(0.5, rel=0.01) and shot.var() == pytest.approx(0.5 / 60, rel=0.03)
    salt = noise.impulse_noise(x, 0.2, draws)
    assert [(salt == value).float().mean().item() for value in (0.0, 1.0)] == pytest.approx([0.1, 0.1], abs=0.005)


def test_the_spatters_image_operations_are_opencvs():
    cv2 = pytest.importorskip("cv2")
    liquid = ndimage.gaussian_filter(np.random.default_rng(0).normal(0.65, 0.3, (20, 32, 32)), (0, 1, 1), mode="nearest").clip(0, 1)
    bytes_ = np.uint8(np.where(liquid < 0.69, 0, liquid) * 255)
    edges = np.stack([cv2.Canny(each, 50, 150) for each in bytes_])
    assert (spatter.canny(torch.from_numpy(bytes_).float()).numpy() == (edges > 0)).all()
    distance = np.stack([np.minimum(cv2.distanceTransform(255 - each, cv2.DIST_L2, 5), 20) for each in edges])
    np.testing.assert_allclose(spatter.distance_to(torch.from_numpy(edges > 0)).clamp(max=20).numpy(), distance, atol=1e-4)
    coarse = np.stack([cv2.blur(each, (3, 3)).astype(np.uint8) for each in distance])
    equal = np.stack([cv2.equalizeHist(each) for each in coarse])
    assert (spatter.equalised(torch.from_numpy(coarse)[:, None].float())[:, 0].numpy() == equal).all()


def test_the_defocus_disk_is_opencvs():
    cv2 = pytest.importorskip("cv2")
    for radius, alias in ((0.3, 0.4), (1.5, 0.1), (10, 0.5)):
        places, smooth = (np.arange(-8, 9), 3) if radius <= 8 else (np.arange(-radius, radius + 1), 5)
        inside = np.float32(places[:, None] ** 2 + places**2 <= radius**2)
        expected = cv2.GaussianBlur(inside / inside.sum(), (smooth, smooth), alias)
        np.testing.assert_allclose(blur.disk(radius, alias, X).numpy(), expected, atol=1e-6)


def test_distances_are_shortest_ways():
    edges = torch.zeros(1, 9, 9, dtype=torch.bool)
    edges[0, 0, 0] = True
    distance = spatter.distance_to(edges)[0]
    assert (distance[0, 3], distance[2, 2], distance[1, 2], distance[2, 5]) == pytest.approx((3.0, 2.8, 2.1969, 2 * 2.1969 + 1.0))


def test_equalised_bytes_have_shares_of_the_pixels_above_the_darkest():
    x = torch.tensor([10.0, 10, 20, 30, 30, 30]).view(1, 1, 2, 3)
    assert spatter.equalised(x).flatten().tolist() == [0, 0, 64, 255, 255, 255]
    assert spatter.equalised(torch.full((1, 1, 2, 2), 7.0)).unique().tolist() == [7.0]
