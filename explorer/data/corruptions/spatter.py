"""Drops of water or mud on the lens, with the image operations of the published code (OpenCV's Canny, distance transform and equalisation)."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from .draws import Draws
from .filters import correlated, eight_bits, filtered, gaussian_blur

WATER, MUD = (175 / 255, 238 / 255, 238 / 255), (63 / 255, 42 / 255, 20 / 255)
LOW, HIGH = 50, 150  # thresholds of Canny's hysteresis
FARTHEST = 20.0
STRAIGHT, DIAGONAL, KNIGHT = 1.0, 1.4, 2.1969  # lengths of steps in OpenCV's 5 × 5 distance transform
RELIEF = ((-2.0, -1.0, 0.0), (-1.0, 1.0, 1.0), (0.0, 1.0, 2.0))


def spatter(x: Float[Tensor, "batch 3 h w"], constants: tuple[float, float, float, float, float, bool], draws: Draws) -> Float[Tensor, "batch 3 h w"]:
    """Smoothed normal noise (mean, deviation, σ) above a threshold: translucent drops of that strength, or mud with edges of that σ."""
    mean, deviation, sigma, threshold, strength, mud = constants
    liquid = gaussian_blur(mean + deviation * draws.normal((1, *x.shape[2:])), sigma)
    liquid = torch.where(liquid < threshold, 0.0, liquid)
    if mud:
        cover = gaussian_blur((liquid > threshold).to(x), strength)
        cover = torch.where(cover < 0.8, 0.0, cover)
        return x * (1 - cover) + cover * x.new_tensor(MUD)[:, None, None]
    drops = _drops(eight_bits(liquid) * 255)
    return x + strength * drops * x.new_tensor(WATER)[:, None, None]


def _drops(liquid: Float[Tensor, "batch 1 h w"]) -> Float[Tensor, "batch 1 h w"]:
    """A relief of the distance to the drops' edges, times the liquid, largest value 1. Inputs are bytes from 0 to 255, as floats."""
    distance = distance_to(canny(liquid[:, 0]))[:, None].clamp(max=FARTHEST)
    distance = equalised(_mean3(distance).floor())
    relief = filtered(distance, distance.new_tensor(RELIEF)).clamp(0, 255).round()
    lit = liquid * _mean3(relief).round()
    return lit / lit.amax((1, 2, 3), keepdim=True).clamp(min=1e-12)


def _mean3(x: Float[Tensor, "batch 1 h w"]) -> Float[Tensor, "batch 1 h w"]:
    return filtered(x, x.new_full((3, 3), 1 / 9))


def canny(x: Float[Tensor, "batch h w"]) -> Bool[Tensor, "batch h w"]:
    """Edges of images of bytes: Sobel, |dx| + |dy|, largest across the edge, hysteresis from the high threshold down to the low one."""
    sobel = x.new_tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    padded = F.pad(x[:, None], (1, 1, 1, 1), mode="replicate")
    dx, dy = correlated(padded, sobel)[:, 0], correlated(padded, sobel.T)[:, 0]
    size = dx.abs() + dy.abs()
    around = F.pad(size, (1, 1, 1, 1))

    def beside(row: int, column: int) -> Tensor:
        return around[:, 1 + row : around.shape[1] - 1 + row, 1 + column : around.shape[2] - 1 + column]

    across, steep = dy.abs() < 0.41421356 * dx.abs(), dy.abs() > 2.41421356 * dx.abs()
    falling = dx * dy < 0
    peak = torch.where(falling, (size > beside(-1, 1)) & (size > beside(1, -1)), (size > beside(-1, -1)) & (size > beside(1, 1)))
    peak = torch.where(steep, (size > beside(-1, 0)) & (size >= beside(1, 0)), peak)
    peak = torch.where(across, (size > beside(0, -1)) & (size >= beside(0, 1)), peak)
    weak = peak & (size > LOW)
    edges = weak & (size > HIGH)
    while True:
        grown = weak & (F.max_pool2d(edges.float()[:, None], 3, 1, 1)[:, 0] > 0)
        if grown.equal(edges):
            return edges
        edges = grown


def distance_to(edges: Bool[Tensor, "batch h w"]) -> Float[Tensor, "batch h w"]:
    """The length of the shortest way to an edge in steps of 1, 1.4 and 2.1969 (Borgefors, 1986), exact up to FARTHEST, infinite beyond."""
    distance = torch.where(edges, 0.0, torch.inf)
    moves = [(a, b) for a in range(-2, 3) for b in range(-2, 3) if (abs(a), abs(b)) in {(0, 1), (1, 0), (1, 1), (1, 2), (2, 1)}]
    lengths = {1: STRAIGHT, 2: DIAGONAL, 3: KNIGHT}
    for _ in range(int(FARTHEST) + 1):
        around = F.pad(distance, (2, 2, 2, 2), value=torch.inf)
        height, width = distance.shape[1:]
        nearer = distance
        for a, b in moves:
            nearer = torch.minimum(nearer, around[:, 2 + a : 2 + a + height, 2 + b : 2 + b + width] + lengths[abs(a) + abs(b)])
        if nearer.equal(distance):
            break
        distance = nearer
    return distance


def equalised(x: Float[Tensor, "batch 1 h w"]) -> Float[Tensor, "batch 1 h w"]:
    """Histogram equalisation of bytes: the darkest value becomes 0, the others their share of the pixels that are not the darkest."""
    flat = x.flatten(1).long()
    counts = torch.zeros(len(x), 256, device=x.device).scatter_add_(1, flat, torch.ones_like(flat, dtype=torch.float32))
    darkest = flat.amin(1, keepdim=True)
    first = counts.gather(1, darkest)
    rest = flat.shape[1] - first
    table = ((counts.cumsum(1) - first) * 255 / rest.clamp(min=1)).round().clamp(0, 255)
    table = torch.where(rest == 0, darkest.to(table), table)
    return table.gather(1, flat).view_as(x).to(x)
