"""Figure 1 of Manifold directions as a drawing: where attacks off and on the manifold of a two-dimensional Gaussian go, and what training
against them learns."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from explorer.evaluation.gaussian_plane import Plane, Side

SIZE, GAP, HEAD = 300, 24, 46  # pixels of a panel, between panels, and above one
POINTS, ARROWS = 60, 12  # of an ellipse
FRAMES = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0)  # half edges of a panel: it does not jump with every step
STYLE = """<style>
.plane text { font: 13px sans-serif; fill: currentColor; }
.plane .small { font-size: 11.5px; opacity: .75; }
.plane .edge { fill: none; stroke: currentColor; stroke-opacity: .25; }
.plane .data { fill: none; stroke: var(--data, #17828a); stroke-width: 2; }
.plane .limit { fill: currentColor; fill-opacity: .07; stroke: currentColor; stroke-opacity: .55; }
.plane .arrow { fill: none; stroke: var(--found, #c2410c); stroke-width: 1.8; }
.plane .head { fill: var(--found, #c2410c); }
.plane .saddle { fill: var(--found, #c2410c); fill-opacity: .1; stroke: var(--found, #c2410c); stroke-width: 2; stroke-dasharray: 6 4; }
</style>"""
Point = tuple[float, float]


@dataclass(frozen=True)
class Panel:
    """One of the four: what it shows, in words and numbers, and the drawing, an SVG of a square."""

    title: str
    caption: str
    svg: str


def panels(plane: Plane) -> tuple[Panel, ...]:
    """(a) attacks off the manifold, (b) what training against them learns, (c) and (d) the same on the manifold, all on one scale. Ellipses
    are at one standard deviation."""
    half = frame(plane)
    drawn = (
        ("(a) attack off the manifold", plane.off, False), ("(b) trained against it", plane.off, True),
        ("(c) attack on the manifold", plane.on, False), ("(d) trained against it", plane.on, True),
    )  # fmt: skip
    return tuple(Panel(title, _caption(side, saddle), _square(title, (_saddle if saddle else _attack)(plane, side, half), half)) for title, side, saddle in drawn)


def figure1(plane: Plane) -> str:
    """All four beside each other as one SVG."""
    found = panels(plane)
    width = len(found) * (SIZE + GAP) - GAP
    drawn = [
        f'<g transform="translate({number * (SIZE + GAP)} 0)"><text x="0" y="15">{panel.title}</text><text class="small" x="0" y="33">{panel.caption}</text>'
        f'<g transform="translate(0 {HEAD})">{panel.svg.replace("<svg ", f"<svg width={chr(34)}{SIZE}{chr(34)} height={chr(34)}{SIZE}{chr(34)} ", 1)}</g></g>'
        for number, panel in enumerate(found)
    ]
    return f'<svg class="plane" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {SIZE + HEAD}">{"".join(drawn)}</svg>'


def frame(plane: Plane) -> float:
    """Half an edge of all panels: the same scale, so that they can be compared."""
    needed = [math.sqrt(max(plane.variances))]
    for side in (plane.off, plane.on):
        needed.append(math.sqrt(max(side.saddle)))
        needed += [math.sqrt(variance) * (1 + grown) for variance, grown in zip(plane.variances, side.growth or (0.0, 0.0))]
        needed += [math.sqrt(variance) + limit for variance, limit in zip(plane.variances, side.constraint)]
    return next((each for each in FRAMES if each >= 1.08 * max(needed)), FRAMES[-1])


def _attack(plane: Plane, side: Side, half: float) -> str:
    """The data's ellipse, at points of it what may be added, and where the best perturbation takes them."""
    spread = [math.sqrt(each) for each in plane.variances]
    parts = [_closed("data", _ellipse(spread), plane, half)]
    for number in range(ARROWS):
        turn = 2 * math.pi * number / ARROWS
        start = (spread[0] * math.cos(turn), spread[1] * math.sin(turn))
        if number % 3 == 0:
            parts.append(_closed("limit", [(start[0] + dx, start[1] + dy) for dx, dy in _ellipse(side.constraint)], plane, half))
        if side.growth is not None:
            parts.append(_arrow(start, (start[0] * (1 + side.growth[0]), start[1] * (1 + side.growth[1])), plane, half))
    return "".join(parts)


def _saddle(plane: Plane, side: Side, half: float) -> str:
    """What adversarial training learns, around the data's ellipse."""
    return _closed("saddle", _ellipse([math.sqrt(each) for each in side.saddle]), plane, half) + _closed("data", _ellipse([math.sqrt(each) for each in plane.variances]), plane, half)


def _caption(side: Side, saddle: bool) -> str:
    if saddle:
        return f"L = {side.saddle_multiplier:.3g}: variances {side.saddle[0]:.3g} and {side.saddle[1]:.3g}"
    if side.growth is None:
        return f"L = {side.multiplier:.3g} is too small: the loss has no maximum"
    return f"radius {side.radius:.3g}, L = {side.multiplier:.3g}: {100 * side.share[0]:.0f} % along the first direction"


def _square(title: str, inner: str, half: float) -> str:
    return (
        f'<svg class="plane" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" role="img" aria-label="{title}">{STYLE}'
        f'<rect class="edge" x="0.5" y="0.5" width="{SIZE - 1}" height="{SIZE - 1}"/>{inner}<text class="small" x="{SIZE - 6}" y="{SIZE - 8}" text-anchor="end">± {half:g}</text></svg>'
    )


def _ellipse(axes: Sequence[float]) -> list[Point]:
    turns = [2 * math.pi * number / POINTS for number in range(POINTS)]
    return [(axes[0] * math.cos(turn), axes[1] * math.sin(turn)) for turn in turns]


def _placed(point: Point, plane: Plane, half: float) -> Point:
    """In the pixels of a panel."""
    angle = math.radians(plane.settings.angle)
    x, y = point[0] * math.cos(angle) - point[1] * math.sin(angle), point[0] * math.sin(angle) + point[1] * math.cos(angle)
    return SIZE / 2 * (1 + x / half), SIZE / 2 * (1 - y / half)


def _closed(kind: str, points: Sequence[Point], plane: Plane, half: float) -> str:
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in (_placed(point, plane, half) for point in points))
    return f'<polygon class="{kind}" points="{text}"/>'


def _arrow(start: Point, end: Point, plane: Plane, half: float) -> str:
    (x0, y0), (x1, y1) = (_placed(point, plane, half) for point in (start, end))
    length = math.hypot(x1 - x0, y1 - y0)
    if length < 0.5:
        return ""
    ux, uy, size = (x1 - x0) / length, (y1 - y0) / length, min(7.0, 0.6 * length + 1)
    wings = " ".join(f"{x1 - size * (ux + sign * 0.5 * uy):.1f},{y1 - size * (uy - sign * 0.5 * ux):.1f}" for sign in (1, -1))
    return f'<line class="arrow" x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1 - size * 0.7 * ux:.1f}" y2="{y1 - size * 0.7 * uy:.1f}"/><polygon class="head" points="{x1:.1f},{y1:.1f} {wings}"/>'
