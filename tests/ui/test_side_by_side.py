import pytest
import torch

from explorer.checkpoints import Header, save
from explorer.models import build_model
from explorer.papers.learned_sets import open_learned_set
from explorer.ui.learned_panels.side_by_side import both_radii, both_sides

POINT = (0.6, -0.8, 0.0, 0.0)
EPSILONS = {"first": (4, 2.0), "same": (4, 0.5), "wider": (6, 3.0), "flat": (6, 0.0)}


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    made = {}
    for number, (name, (latents, radius)) in enumerate(EPSILONS.items()):
        config = {"latent_dim": latents, "localization_widths": [8], "transformers": 1}
        header = Header(
            kind="learned_set", name=name, model="rts_cvae", model_config=config, dataset={"name": "digits", "pairs": "rts"},
            training={}, metrics={}, seed=0, radius=radius, percentile_radii={"100": radius},
        )  # fmt: skip
        torch.manual_seed(number)
        path = tmp_path_factory.mktemp("sets") / f"{name}.safetensors"
        save(path, build_model("rts_cvae", config), header)
        made[name] = open_learned_set(path)
    return made


def sides(sets, other, delta=POINT, radius=1.0):
    image = sets["first"].images.images[:1]
    chosen = (sets["first"], sets[other])
    return both_sides(*chosen, image, tuple(each.real_pairs(image, 0) for each in chosen), delta, radius)


def test_sets_of_as_many_latents_share_the_point(sets):
    one, two = sides(sets, "first")
    assert torch.allclose(one.member.delta, torch.tensor(POINT)) and torch.equal(one.member.delta, two.member.delta)


def test_a_set_is_never_shown_beyond_its_own_radius(sets):
    one, two = sides(sets, "same")
    assert two.radius == 0.5 and (one.member.norm, two.member.norm) == pytest.approx((1.0, 0.5))


def test_sets_of_other_latents_are_shown_at_the_same_share_of_their_radius(sets):
    assert both_radii(sets["first"], sets["wider"], 1.0) == (1.0, 1.5)


def test_sets_of_other_latents_are_shown_at_the_real_pairs_encoding(sets):
    for side in sides(sets, "wider"):
        encoding = side.real.delta[0]
        expected = encoding * min(1.0, side.radius / float(encoding.norm()))
        assert torch.allclose(side.member.delta, expected, atol=1e-5)


def test_both_sets_see_the_same_real_pair(sets):
    one, two = sides(sets, "wider")
    assert torch.equal(one.real.perturbed, two.real.perturbed)


def test_the_centre_does_not_depend_on_the_point(sets):
    one, _ = sides(sets, "same")
    elsewhere, _ = sides(sets, "same", delta=(0.0, 0.1, 0.2, 0.0))
    assert torch.equal(one.centre.perturbed, elsewhere.centre.perturbed) and not one.centre.delta.any()


def test_the_error_is_that_of_the_encoding(sets):
    one, _ = sides(sets, "same")
    assert one.error == pytest.approx(float((one.encoded.perturbed - one.real.perturbed[0]).square().mean()))


def test_a_set_of_radius_zero_has_its_centre_alone(sets):
    assert sides(sets, "flat")[1].member.norm == 0


def test_beside_a_set_of_radius_zero_the_other_is_shown_whole(sets):
    assert both_radii(sets["flat"], sets["same"], 0.0) == (0.0, 0.5)
