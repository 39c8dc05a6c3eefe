"""One scene under one of its lights, beside what a learned set makes of it; at the resolution of the set, and at others with the same weights
(Perturbation sets, §5.2 and Appendix F)."""

import re
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.attacks import pgd
from explorer.attacks.objectives import squared_distance
from explorer.data.illumination import FOLDER, SceneFolders, size_at
from explorer.data.illumination_pairs import NEUTRAL, LightPairs, open_lit_scenes
from explorer.data.scenes import light_directions, render_scenes
from explorer.data.scenes.lit import SEEDS, SIZE, RenderedScenes
from explorer.errors import DataNotFound, InvalidInput
from explorer.evaluation import encode_pairs
from explorer.models import ConditionalVAE, build_model
from explorer.models.unet_cvae import UNetGenerator
from explorer.randomness import Streams
from explorer.sets import LatentBall

from .exploration import LearnedSet

FACTORS = (1, 2, 4)  # of the set's own height and width
STEPS, STEP_SIZE = 20, 0.1  # of the search for the closest member, shares of the radius
GRID = 5


@dataclass(frozen=True, eq=False)
class Relit:
    """A scene under the neutral light and under another one; the member at the pair's encoding, projected onto the ball, and the closest member
    that PGD finds from there. Errors are squared, per pixel; norms are of u."""

    neutral: Float[Tensor, "1 c h w"]
    real: Float[Tensor, "1 c h w"]
    encoded: Float[Tensor, "1 c h w"]
    closest: Float[Tensor, "1 c h w"]
    encoding_norm: float
    closest_norm: float
    delta: Float[Tensor, "latent"]
    encoded_error: float
    closest_error: float
    unchanged_error: float


def lit(learned: LearnedSet) -> bool:
    """Whether it is a set of lights, of scenes that are at hand."""
    return isinstance(learned.pairs, LightPairs)


def light_places(learned: LearnedSet) -> Float[Tensor, "25 2"]:
    """Where the lights stand on a pad from −1 to 1: rendered scenes from above, the camera below; of published ones, whose directions are not
    published, in the rows of a square."""
    if isinstance(learned.pairs.scenes, RenderedScenes):
        x, y, z = light_directions().T
        return torch.stack([y, -x], 1) * (torch.acos(z.clamp(-1, 1)) / (torch.pi / 2) / (1 - z.square()).sqrt().clamp_min(1e-6))[:, None]
    rows = torch.arange(GRID * GRID)
    return torch.stack([(rows % GRID) / (GRID - 1) * 2 - 1, 1 - (rows // GRID) / (GRID - 1) * 2], 1)


def resolutions(learned: LearnedSet) -> dict[int, tuple[int, int]]:
    """Factors of the set's own height and width at which the same scenes are at hand; other networks than the U-Net have a single size."""
    height, width = learned.checkpoint.model.image_shape[1:]
    if not isinstance(learned.checkpoint.model.generator, UNetGenerator):
        return {1: (height, width)}
    if isinstance(learned.pairs.scenes, RenderedScenes):
        return {factor: (height * factor, width * factor) for factor in FACTORS}
    found = {1: (height, width)}
    for factor in FACTORS[1:]:
        try:
            found[factor] = _folders_at(learned, factor).image_shape[1:]
        except (DataNotFound, InvalidInput):
            pass
    return found


def relight(learned: LearnedSet, scene: int, light: int, radius: float, factor: int = 1) -> Relit:
    """Test scene number `scene`. Raises InvalidInput for a scene, light or size that there is not."""
    if not 0 <= scene < len(learned.images) or not 0 <= light < len(learned.pairs.type_names):
        raise InvalidInput(f"scene {scene} under light {light}: there are {len(learned.images)} scenes under {len(learned.pairs.type_names)} lights")
    if factor not in resolutions(learned):
        raise InvalidInput(f"factor {factor}: the scenes are at hand at {', '.join(map(str, resolutions(learned)))} times the set's size")
    neutral, real = (picture.to(learned.device) for picture in pictures_at(learned, scene, (NEUTRAL, light), factor).split(1))
    model = model_at(learned, factor)
    delta = encode_pairs(model, neutral, real).delta
    at = LatentBall(model, radius).at(neutral)
    start = at.region.project(delta)
    found = pgd(at, squared_distance(real), steps=STEPS, step_size=STEP_SIZE, maximise=False, start=start, streams=Streams(0, [scene]))
    with torch.no_grad():
        encoded = at.perturb(start)
    errors = [float((picture - real).square().mean()) for picture in (encoded, found.perturbed, neutral)]
    return Relit(neutral, real, encoded, found.perturbed, float(delta.norm()), float(found.delta.norm()), found.delta[0], *errors)


def pictures_at(learned: LearnedSet, scene: int, lights: tuple[int, ...], factor: int) -> Float[Tensor, "lights c h w"]:
    """A test scene under some lights, at that factor of the set's size."""
    scenes = learned.pairs.scenes
    if factor == 1:
        return scenes.pictures([scene] * len(lights), lights)
    if isinstance(scenes, RenderedScenes):
        return render_scenes([scene] * len(lights), SIZE * factor, light=lights, seed=SEEDS[scenes.split]).images
    return _folders_at(learned, factor).pictures([scene] * len(lights), lights)


def model_at(learned: LearnedSet, factor: int) -> ConditionalVAE:
    """The same weights for pictures of another size, which adaptive pooling brings to the same latents."""
    if factor == 1:
        return learned.checkpoint.model
    header = learned.checkpoint.header
    height, width = resolutions(learned)[factor]
    model = build_model(header.model, {**header.model_config, "height": height, "width": width})
    model.load_state_dict(learned.checkpoint.model.state_dict())
    return model.to(learned.device).eval()


def _folders_at(learned: LearnedSet, factor: int) -> SceneFolders:
    """The same scenes one or two levels finer. Raises DataNotFound, or InvalidInput where they are other scenes."""
    scenes = learned.pairs.scenes
    level = scenes.level - factor.bit_length() + 1
    found = open_lit_scenes(re.sub(r"\d$", str(level), f"{FOLDER}-mip{scenes.level}"), "test", learned.data.root)
    if found.names != scenes.names or found.image_shape[1:] != size_at(level):
        raise InvalidInput(f"other scenes are at hand at level {level}")
    return found
