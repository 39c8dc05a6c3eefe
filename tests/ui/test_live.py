"""The WebSocket route behind dragging, over a real connection to a server on the loopback."""

import base64
import json
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
import torch
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from torch import nn
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from explorer.errors import InvalidInput
from explorer.models import build_model
from explorer.sets import L2Ball, LatentBall, Perturbations
from explorer.ui import live as route
from explorer.ui.live_inference import HEADER
from explorer.ui.live_scenes import SCENES, Scene, SceneExpired, SceneStore

LATENT = 6


@pytest.fixture(scope="module")
def port():
    """A server of nothing but the route, as `streamlit run` serves it: uvicorn, without compression."""
    app = Starlette(routes=[WebSocketRoute("/live", route.live)])
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off", ws_per_message_deflate=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def page(port):
    with opened(port) as websocket:
        yield websocket


@contextmanager
def opened(port, origin="same"):
    origin = f"http://127.0.0.1:{port}" if origin == "same" else origin
    with connect(f"ws://127.0.0.1:{port}/live", origin=origin, proxy=None, max_size=2**26) as websocket:
        yield websocket


@pytest.fixture(scope="module")
def scene():
    torch.manual_seed(0)
    config = {"height": 12, "width": 12, "latent_dim": LATENT, "localization_widths": [8, 4], "transformers": 2}
    model = build_model("rts_cvae", config).eval()
    for transformer in model.generator.transformers:
        nn.init.normal_(transformer.affine.weight, std=0.3)
    images = torch.rand(5, 1, 12, 12)
    members = nn.functional.normalize(torch.randn(4, LATENT)) * 0.9
    ball = LatentBall(model, 9.0)
    return Scene(
        one=ball.at(images[:1]), latent_dim=LATENT, images=ball.at(images), image_count=5,
        members=members, perturb_members=ball.at(images[:1].expand(4, -1, -1, -1)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def token(scene):
    return SCENES.register("test scene", lambda: scene)


def fake_scene(perturb):
    """A scene of 1×2×2 images, whose decoder is any function of δ."""
    one = Perturbations(L2Ball(torch.tensor([1.0]), (LATENT,)), perturb)
    return SCENES.register(object(), lambda: Scene(one=one, latent_dim=LATENT))


def ask(websocket, token, delta=(0.0,) * LATENT, radius=5.0, view="one", id=1, **others):
    fields = {"id": id, "scene": token, "view": view, "delta": delta if isinstance(delta, str) else list(delta), "radius": radius, **others}
    websocket.send(json.dumps(fields))
    return receive(websocket)


def receive(websocket):
    """Header fields and pixels of a frame, or the error's dictionary."""
    reply = websocket.recv(timeout=20)
    if isinstance(reply, str):
        return json.loads(reply)
    names = ("id", "count", "height", "width", "channels", "norm", "projected", "milliseconds")
    header = dict(zip(names, HEADER.unpack_from(reply)))
    shape = [header[name] for name in ("count", "height", "width", "channels")]
    return {**header, "pixels": np.frombuffer(reply, np.uint8, offset=HEADER.size).reshape(shape)}


def expected(perturb, delta):
    with torch.no_grad():
        return perturb(torch.tensor(delta)).permute(0, 2, 3, 1).numpy() * 255


def close_code(websocket):
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            websocket.recv(timeout=20)
    return closed.value.rcvd.code


DELTA = [0.5, -1.0, 0.25, 2.0, 0.0, -0.75]


def test_a_frame_is_the_models_decode_within_rounding(page, scene, token):
    frame = ask(page, token, DELTA)
    assert np.abs(frame["pixels"] - expected(scene.one.perturb, [DELTA])).max() <= 0.501


def test_a_reply_carries_the_requests_id(page, token):
    assert ask(page, token, DELTA, id=4_000_000_000)["id"] == 4_000_000_000


def test_a_point_inside_is_not_projected(page, token):
    frame = ask(page, token, DELTA)
    assert (frame["projected"], frame["norm"]) == (0, pytest.approx(np.linalg.norm(DELTA), rel=1e-6))


def test_a_point_outside_is_shown_at_its_projection(page, scene, token):
    frame = ask(page, token, [30.0, 40.0, 0, 0, 0, 0], radius=2.5)
    assert (frame["projected"], frame["norm"]) == (1, 2.5)
    assert np.abs(frame["pixels"] - expected(scene.one.perturb, [[1.5, 2.0, 0, 0, 0, 0]])).max() <= 0.501


def test_radius_zero_shows_the_centre(page, scene, token):
    frame = ask(page, token, DELTA, radius=0.0)
    assert np.abs(frame["pixels"] - expected(scene.one.perturb, [[0.0] * LATENT])).max() <= 0.501


def test_one_u_perturbs_many_images(page, scene, token):
    frame = ask(page, token, DELTA, view="images")
    assert np.abs(frame["pixels"] - expected(scene.images.perturb, [DELTA] * 5)).max() <= 0.501


def test_members_grow_with_the_radius(page, scene, token):
    frame = ask(page, token, DELTA, view="members", radius=3.0)
    assert np.abs(frame["pixels"] - expected(scene.perturb_members.perturb, (3 * scene.members).tolist())).max() <= 0.501


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "http://127.0.0.1:1", "null", None])
def test_a_foreign_or_missing_origin_is_refused(port, origin):
    with pytest.raises(InvalidStatus, match="403"), opened(port, origin):
        pass


def test_a_default_port_may_be_left_out_of_the_origin():
    assert route.same_origin("https://lab.example", "lab.example:443")


MALFORMED = {
    "not JSON": "{",
    "not an object": "[1]",
    "nested beyond reading": "[" * 60_000,
    "NaN": '{"id": 1, "scene": "", "view": "one", "delta": [NaN], "radius": 1}',
    "infinite": '{"id": 1, "scene": "", "view": "one", "delta": [1e999], "radius": 1}',
    "huge": '{"id": 1, "scene": "", "view": "one", "delta": [1], "radius": 1' + "0" * 4000 + "}",
    "negative radius": '{"id": 1, "scene": "", "view": "one", "delta": [1], "radius": -1}',
    "boolean": '{"id": 1, "scene": "", "view": "one", "delta": [true], "radius": 1}',
    "unknown view": '{"id": 1, "scene": "", "view": "all", "delta": [1], "radius": 1}',
    "unhashable view": '{"id": 1, "scene": "", "view": [], "delta": [1], "radius": 1}',
    "too many fields": '{"id": 1, "scene": "", "view": "one", "delta": [1], "radius": 1, "more": 1}',
    "an id that is no number": '{"id": "1", "scene": "", "view": "one", "delta": [1], "radius": 1}',
    "bytes": b"\x00",
}


@pytest.mark.parametrize("message", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_message_gets_one_error_and_the_connection_stays(page, token, message):
    page.send(message)
    assert set(receive(page)) == {"error", "id"}
    assert ask(page, token, DELTA, id=7)["id"] == 7


def test_a_wrong_length_is_named(page, token):
    assert ask(page, token, [1.0])["error"] == f"delta has 1 numbers, this model takes {LATENT}"
    assert ask(page, token, DELTA, id=7)["id"] == 7


def test_an_unknown_scene_is_expired_and_the_connection_stays(page, token):
    reply = ask(page, "no such token", DELTA, id=3)
    assert (reply["expired"], reply["id"]) == (True, 3)
    assert ask(page, token, DELTA, id=7)["id"] == 7


def test_a_view_that_the_scene_lacks_is_named(page):
    reply = ask(page, fake_scene(lambda delta: torch.zeros(1, 1, 2, 2)), view="members")
    assert reply["error"] == "this scene has no view 'members'; it has one"


def test_many_malformed_messages_close_the_connection(page):
    for _ in range(route.MAX_MALFORMED):
        page.send("{")
    assert close_code(page) == 1008


def test_an_oversized_message_closes_the_connection(page):
    page.send(" " * (route.MAX_MESSAGE_BYTES + 1))
    assert close_code(page) == 1009


def test_a_flood_closes_the_connection(page, token, monkeypatch):
    monkeypatch.setattr(route, "MAX_MESSAGES", 100)
    message = json.dumps({"id": 1, "scene": token, "view": "one", "delta": DELTA, "radius": 1})
    with pytest.raises(ConnectionClosed) as closed:
        for _ in range(200):
            page.send(message)
        while True:
            page.recv(timeout=20)
    assert closed.value.rcvd.code == 1008


def test_one_connection_too_many_is_told_so(port, page, monkeypatch):
    monkeypatch.setattr(route, "MAX_CONNECTIONS", 1)
    with opened(port) as second:
        assert close_code(second) == 1013


def test_a_closed_connection_makes_room(port, token):
    for _ in range(3):
        with opened(port) as websocket:
            ask(websocket, token, DELTA)
    deadline = time.monotonic() + 5
    while route._connections and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not route._connections


def test_the_latest_request_wins(page):
    decoded, started, go_on = [], threading.Event(), threading.Event()

    def slow(delta):
        decoded.append(round(delta[0, 0].item(), 2))
        started.set()
        go_on.wait(20)
        return torch.zeros(1, 1, 2, 2)

    def send(i):
        page.send(json.dumps({"id": i, "scene": token, "view": "one", "delta": [i / 100] * LATENT, "radius": 5.0}))

    token = fake_scene(slow)
    send(1)
    started.wait(20)
    for i in range(2, 51):
        send(i)
    page.send("{")  # read in order: once it is refused, all requests before it have arrived
    assert "error" in receive(page)
    go_on.set()
    assert ([receive(page)["id"], receive(page)["id"]], decoded) == ([1, 50], [0.01, 0.5])


def test_many_coordinates_can_come_as_base64(page, token):
    as_text = base64.b64encode(np.asarray(DELTA, "<f4").tobytes()).decode()
    first, second = ask(page, token, DELTA, id=1), ask(page, token, as_text, id=2)
    assert (first["pixels"] == second["pixels"]).all() and second["norm"] == pytest.approx(first["norm"])


@pytest.mark.parametrize("text", ["???", "AAA", base64.b64encode(np.asarray([np.nan] * LATENT, "<f4").tobytes()).decode()], ids=str)
def test_base64_that_is_no_point_is_a_message(page, token, text):
    assert "delta" in ask(page, token, text, id=1)["error"]


def test_connections_take_turns(port, page, token):
    """A slow page that always has a request waiting does not keep another from its frames."""
    slow = fake_scene(lambda delta: time.sleep(0.05) or torch.zeros(1, 1, 2, 2))
    answered = threading.Event()

    def drag_without_end():
        for i in range(2000):
            if answered.wait(0.01):
                return
            page.send(json.dumps({"id": i, "scene": slow, "view": "one", "delta": [0.0] * LATENT, "radius": 1.0}))

    dragging = threading.Thread(target=drag_without_end)
    dragging.start()
    try:
        with opened(port) as other:
            assert [ask(other, token, DELTA, id=i)["id"] for i in range(3)] == [0, 1, 2]
            assert dragging.is_alive(), "the slow page was still asking"
    finally:
        answered.set()
        dragging.join()


def test_an_exception_while_decoding_is_a_message(page, token):
    def broken(delta):
        raise RuntimeError("out of memory")

    reply = ask(page, fake_scene(broken), id=2)
    assert reply == {"id": 2, "error": "the model failed at this point (RuntimeError: out of memory)"}
    assert ask(page, token, DELTA, id=7)["id"] == 7


def test_output_that_is_not_finite_is_a_message(page):
    reply = ask(page, fake_scene(lambda delta: torch.full((1, 1, 2, 2), torch.nan)))
    assert "not finite" in reply["error"]


def test_all_frames_come_from_one_long_lived_thread(page):
    threads = set()

    def decode(delta):
        threads.add(threading.get_ident())
        return torch.zeros(1, 1, 2, 2)

    token = fake_scene(decode)
    for i in range(5):
        ask(page, token, id=i)
    assert len(threads) == 1


def test_the_same_key_gives_the_same_token_and_makes_once(scene):
    store, made = SceneStore(), []
    tokens = {store.register("key", lambda: made.append(1) or scene) for _ in range(3)}
    assert (len(tokens), made) == (1, [1])


def test_simultaneous_registrations_make_once(scene):
    store, made = SceneStore(), []
    slow = lambda: time.sleep(0.05) or made.append(1) or scene  # noqa: E731
    threads = [threading.Thread(target=store.register, args=("key", slow)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_a_full_store_drops_the_least_recently_used(scene):
    store = SceneStore(capacity=2)
    first, second = store.register(1, lambda: scene), store.register(2, lambda: scene)
    store.find(first)
    store.register(3, lambda: scene)
    assert store.find(first) is scene
    with pytest.raises(SceneExpired):
        store.find(second)


def test_a_scene_says_what_is_missing(scene):
    with pytest.raises(InvalidInput, match="image_count=0"):
        Scene(one=scene.one, latent_dim=LATENT, images=scene.images)
