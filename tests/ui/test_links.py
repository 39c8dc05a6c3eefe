import pytest

from explorer.errors import InvalidInput
from explorer.ui.learned_sets_link import Link, decode_point, encode_point
from explorer.ui.links import read, write


def test_settings_survive_the_url():
    link = Link(model="digits-rts", image=7, radius=2.5, u=encode_point((1.0, -0.5)), stops=(2, 0, 5), law="uniform", panel="Interpolation")
    assert read(Link, write(link)) == (link, [])


def test_defaults_stay_out_of_the_url():
    assert write(Link()) == {}


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"image": "first"}, "image"),
        ({"radius": "nan"}, "radius"),
        ({"radius": "1e999"}, "radius"),
        ({"view": "all"}, "view"),
        ({"stops": "1,x"}, "stops"),
        ({"colour": "red"}, "not known"),
        ({"u": "x" * 20_000}, "too long"),
    ],
    ids=str,
)
def test_a_bad_parameter_is_named_and_the_default_kept(query, word):
    link, problems = read(Link, query)
    assert link == Link() and len(problems) == 1 and word in problems[0]


def test_a_good_parameter_survives_a_bad_neighbour():
    link, problems = read(Link, {"image": "5", "seed": "many"})
    assert link.image == 5 and len(problems) == 1


def test_a_point_survives_the_url_exactly():
    point = (0.1, -3.25, 1e-7)
    assert decode_point(encode_point(point), 3) == pytest.approx(point, rel=1e-6)


def test_the_centre_is_the_empty_text():
    assert encode_point((0.0, 0.0)) == "" and decode_point("", 2) == (0.0, 0.0)


@pytest.mark.parametrize("text", ["ÄÖ", "AAAA", encode_point((float("nan"), 1.0)), encode_point((1.0, 2.0, 3.0)), "%%%"])
def test_text_that_is_no_point_is_refused(text):
    with pytest.raises(InvalidInput, match="centre is shown"):
        decode_point(text, 2)
