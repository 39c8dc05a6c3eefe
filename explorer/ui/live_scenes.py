"""What can be dragged: a perturbation set at fixed clean images, or numbers over a radius, kept on the server under an unguessable token."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from explorer.errors import ExplorerError, InvalidInput
from explorer.sets import L2Ball, Perturbations

VIEWS = ("one", "members", "images")
NUMBERS = "numbers"  # the view of a scene without pictures
MAX_TILES = 64


class SceneExpired(ExplorerError):
    """A token that the store does not know, or no longer."""


@dataclass(frozen=True)
class Scene:
    """One image's perturbation set, and what its grids show.

    `members` are points of the unit ball, drawn once: at radius r the grid shows decode(r·member), so that the same members
    grow with the radius. `images` is S at `image_count` clean images, all perturbed by the same u."""

    one: Perturbations
    latent_dim: int
    images: Perturbations | None = None
    image_count: int = 0
    members: Float[Tensor, "members latent"] | None = None
    perturb_members: Perturbations | None = None
    device: str = "cpu"

    def __post_init__(self):
        if self.images is not None and not 1 <= self.image_count <= MAX_TILES:
            raise InvalidInput(f"a grid shows 1 to {MAX_TILES} images, got image_count={self.image_count}")
        if (self.members is None) != (self.perturb_members is None):
            raise InvalidInput("members and perturb_members come together: points, and the set that decodes them")
        if self.members is not None and not (1 <= len(self.members) <= MAX_TILES and self.members.shape[1] == self.latent_dim):
            expected = f"1 to {MAX_TILES} members × {self.latent_dim}"
            raise InvalidInput(f"expected {expected}, got {tuple(self.members.shape)}")

    @property
    def tiles(self) -> dict[str, int]:
        """How many images each view shows; 0 where it has nothing to show."""
        members = 0 if self.members is None else len(self.members)
        return {"one": 1, "members": members, "images": self.image_count if self.images is not None else 0}

    def frames(self, view: str, delta, radius: float) -> UInt8[np.ndarray, "tiles height width channels"]:
        """The view's images at the point of the ball of that radius that is nearest to `delta`, rounded to 8 bits."""
        point = nearest_in_ball(delta, radius)
        if not self.tiles.get(view):
            raise InvalidInput(f"this scene has no view {view!r}; it has {', '.join(v for v in VIEWS if self.tiles[v])}")
        with torch.inference_mode():
            images = self._decode(view, point.to(self.device), radius)
            if not images.isfinite().all():
                raise InvalidInput("the model's output is not finite at this point; try a smaller radius")
            pixels = (images.clamp(0, 1) * 255).round().to(torch.uint8)
            return pixels.permute(0, 2, 3, 1).contiguous().cpu().numpy()

    def _decode(self, view: str, point: Float[Tensor, "1 latent"], radius: float) -> Float[Tensor, "tiles c h w"]:
        if view == "one":
            return self.one.perturb(point)
        if view == "images":
            return self.images.perturb(point.expand(self.image_count, -1))
        return self.perturb_members.perturb(radius * self.members.to(self.device))


@dataclass(frozen=True)
class NumberScene:
    """What follows a radius in numbers: `compute(radius, *delta)` gives them as plain JSON values. `further` is how many numbers δ may hold,
    at least and at most: other controls beside the radius."""

    compute: Callable[..., dict]
    device: str = "cpu"
    further: tuple[int, int] = (0, 0)


def nearest_in_ball(delta, radius: float) -> Float[Tensor, "1 latent"]:
    """The projection onto the ℓ2 ball of that radius: a frame shows exactly this point."""
    point = torch.as_tensor(delta, dtype=torch.float32)[None]
    return L2Ball(torch.tensor([float(radius)]), tuple(point.shape[1:])).project(point)


class SceneStore:
    """A bounded store, least recently used out; safe to use from several threads."""

    def __init__(self, capacity: int = 256):
        self.capacity = capacity
        self._scenes: OrderedDict[str, Scene | NumberScene] = OrderedDict()
        self._tokens: dict[Hashable, str] = {}
        self._keys: dict[str, Hashable] = {}
        self._lock, self._making = threading.Lock(), threading.RLock()

    def register(self, key: Hashable, make: Callable[[], Scene | NumberScene]) -> str:
        """The token of that key's scene, which is made only where the store has none. Simultaneous calls make it once."""
        with self._making:
            with self._lock:
                token = self._tokens.get(key)
                if token is not None:
                    self._scenes.move_to_end(token)
                    return token
            scene, token = make(), secrets.token_urlsafe(18)
            with self._lock:
                self._scenes[token], self._tokens[key], self._keys[token] = scene, token, key
                while len(self._scenes) > self.capacity:
                    oldest, _ = self._scenes.popitem(last=False)
                    del self._tokens[self._keys.pop(oldest)]
            return token

    def find(self, token: str) -> Scene | NumberScene:
        """Raises SceneExpired for a token that is unknown, or was dropped to make room."""
        with self._lock:
            if token not in self._scenes:
                raise SceneExpired("this picture's model is no longer held by the server; it is being prepared again")
            self._scenes.move_to_end(token)
            return self._scenes[token]


SCENES = SceneStore()
