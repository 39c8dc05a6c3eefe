import re
from xml.etree import ElementTree

import pytest

from explorer.evaluation.gaussian_plane import PlaneSettings, plane
from explorer.figures.gaussian_directions import SIZE, figure1, frame, panels


@pytest.mark.parametrize("settings", [PlaneSettings(), PlaneSettings(first=10.0, second=0.01, off=3.0, on=3.0), PlaneSettings(latents=1), PlaneSettings(given="multiplier", off=2.0, on=9.0)])
def test_all_that_is_drawn_lies_in_its_panel(settings):
    root = ElementTree.fromstring(figure1(plane(settings)))
    points = [float(each) for polygon in root.iter("{http://www.w3.org/2000/svg}polygon") for each in re.split("[ ,]", polygon.get("points"))]
    assert len(root.findall(".//{http://www.w3.org/2000/svg}rect")) == 4 and points and min(points) >= 0 and max(points) <= SIZE


def test_the_ellipse_ends_one_standard_deviation_from_the_middle():
    settings = PlaneSettings(first=1.0, second=0.25, angle=0.0)
    root = ElementTree.fromstring(panels(plane(settings))[0].svg)
    ellipse = next(each for each in root.iter("{http://www.w3.org/2000/svg}polygon") if each.get("class") == "data")
    x, y = zip(*(map(float, pair.split(",")) for pair in ellipse.get("points").split()))
    unit = SIZE / 2 / frame(plane(settings))
    assert max(x) - SIZE / 2 == pytest.approx(unit, abs=0.1) and max(y) - SIZE / 2 == pytest.approx(unit / 2, abs=0.1)
