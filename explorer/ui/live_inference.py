"""One long-lived inference thread per device, and what it answers.

A thread that lives on keeps torch's thread pool: decoding in fresh threads costs a hundred times the decoding itself. Each
connection has at most one job in the thread's queue, so connections take turns; the job takes its connection's newest request
only when it starts, so a slow model skips frames instead of queueing them.
"""

import logging
import math
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

from explorer.errors import ExplorerError

from .live_scenes import NUMBERS, SCENES, NumberScene, Scene, SceneExpired

LOG = logging.getLogger(__name__)

# The reply, little-endian and unpadded, 21 bytes, then uint8 pixels as count × height × width × channels:
#   offset 0   uint32   id of the request it answers
#          4   uint16   count, height (6), width (8), channels (10)
#         12   float32  ‖δ‖ after projection
#         16   uint8    1 where δ lay outside and was projected
#         17   float32  milliseconds spent decoding
# Read by live_control/socket.js.
HEADER = struct.Struct("<IHHHHfBf")


@dataclass(frozen=True)
class Request:
    """A point, and which of a scene's pictures to show there."""

    id: int
    scene: str
    view: str
    delta: tuple[float, ...]
    radius: float


class Mailbox:
    """Room for one request: a newer one replaces the one that waits."""

    def __init__(self):
        self._lock, self._waiting = threading.Lock(), None

    def put(self, request: Request) -> None:
        with self._lock:
            self._waiting = request

    def take(self) -> Request | None:
        with self._lock:
            request, self._waiting = self._waiting, None
            return request

    def peek(self) -> Request | None:
        return self._waiting


def thread_for(mailbox: Mailbox) -> ThreadPoolExecutor:
    """The thread of the device that holds the waiting request's model."""
    request = mailbox.peek()
    try:
        return _inference_thread(SCENES.find(request.scene).device if request else "cpu")
    except SceneExpired:
        return _inference_thread("cpu")


@cache
def _inference_thread(device: str) -> ThreadPoolExecutor:
    """The device's one thread, a first-in first-out queue before it."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"live-{device}")


def answer_newest(mailbox: Mailbox) -> bytes | dict | None:
    """Runs in the inference thread: a binary frame, or an error to be sent as JSON; None where nothing waits any more."""
    request = mailbox.take()
    return None if request is None else answer(request)


def answer(request: Request) -> bytes | dict:
    """Never raises: an exception becomes a message, and the thread lives on."""
    try:
        scene = SCENES.find(request.scene)
        if isinstance(scene, NumberScene) != (request.view == NUMBERS):
            return {"id": request.id, "error": f"this scene has no view {request.view!r}"}
        if isinstance(scene, NumberScene):
            return _numbers(scene, request)
        if len(request.delta) != scene.latent_dim:
            return {"id": request.id, "error": f"delta has {len(request.delta)} numbers, this model takes {scene.latent_dim}"}
        return _frame(scene, request)
    except SceneExpired as error:
        return {"id": request.id, "error": str(error), "expired": True}
    except ExplorerError as error:
        return {"id": request.id, "error": str(error)}
    except Exception as error:
        LOG.exception("decoding failed")
        return {"id": request.id, "error": f"the model failed at this point ({type(error).__name__}: {str(error)[:200]})"}


def _frame(scene: Scene, request: Request) -> bytes:
    started = time.perf_counter()
    pixels = scene.frames(request.view, request.delta, request.radius)
    milliseconds = (time.perf_counter() - started) * 1e3
    norm = math.hypot(*request.delta)
    projected = norm > request.radius * (1 + 1e-6)
    header = HEADER.pack(request.id, *pixels.shape, min(norm, request.radius), projected, milliseconds)
    return header + pixels.tobytes()


def _numbers(scene: NumberScene, request: Request) -> dict:
    least, most = scene.further
    if not least <= len(request.delta) <= most:
        return {"id": request.id, "error": f"delta has {len(request.delta)} numbers, this scene takes {least} to {most}"}
    started = time.perf_counter()
    values = scene.compute(request.radius, *request.delta)
    return {"id": request.id, "values": values, "milliseconds": (time.perf_counter() - started) * 1e3}
