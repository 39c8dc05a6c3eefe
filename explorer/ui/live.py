"""The WebSocket route behind dragging: `st.App("explorer/ui/main.py", routes=[WebSocketRoute("/live", live)])`.

The page sends {"id", "scene", "view", "delta", "radius"} as JSON text. The answer is a binary frame (layout in
`live_inference.py`), for a scene in numbers {"values", "milliseconds", "id"} as JSON text, or {"error", "id"}, with "expired": true where
the scene is no longer held. Streamlit does not guard custom routes, so origin, size, shape and rate are checked here.
"""

import asyncio
import base64
import json
import time

import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

from explorer.errors import InvalidInput

from .live_inference import Mailbox, Request, answer_newest, thread_for
from .live_scenes import NUMBERS, VIEWS

MAX_MESSAGE_BYTES = 64 * 1024
MAX_MESSAGES, WINDOW_SECONDS = 2000, 2.0
MAX_MALFORMED = 20
MAX_CONNECTIONS = 64
MAX_RADIUS = 1e4
FIELDS = {"id", "scene", "view", "delta", "radius"}

POLICY, TOO_BIG, TRY_LATER = 1008, 1009, 1013
_connections: set[WebSocket] = set()


class _Closed(Exception):
    """The server ends the connection, with a code and a reason."""

    def __init__(self, code: int, reason: str):
        super().__init__(reason)
        self.code, self.reason = code, reason


async def live(websocket: WebSocket) -> None:
    """One page's connection: frames out for points in, until either side closes."""
    if not same_origin(websocket.headers.get("origin"), websocket.headers.get("host")):
        await websocket.close(POLICY)
        return
    if len(_connections) >= MAX_CONNECTIONS:
        await websocket.accept()
        await websocket.close(TRY_LATER, f"{MAX_CONNECTIONS} pages are being dragged already; try again later")
        return
    _connections.add(websocket)
    try:
        await websocket.accept()
        await _Connection(websocket).serve()
    finally:
        _connections.discard(websocket)


def same_origin(origin: str | None, host: str | None) -> bool:
    """Whether a page of this very server asks. A browser always sends Origin; who sends none is refused, too."""
    scheme, separator, asking = (origin or "").lower().partition("://")
    if not (separator and asking and host):
        return False
    default = {"http": ":80", "https": ":443"}.get(scheme, "")
    return asking.removesuffix(default) == host.lower().removesuffix(default)


def read_request(text: str) -> Request:
    """Raises InvalidInput, in the user's words, for anything but exactly the expected fields."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput("expected one JSON object") from None
    if not isinstance(fields, dict) or set(fields) != FIELDS:
        raise InvalidInput(f"expected a JSON object with exactly the fields {', '.join(sorted(FIELDS))}")
    if _request_id(fields) is None:
        raise InvalidInput("id is a whole number from 0 to 4294967295")
    if not isinstance(fields["scene"], str):
        raise InvalidInput("scene is a token, a string")
    if fields["view"] not in (*VIEWS, NUMBERS):
        raise InvalidInput(f"view is one of {', '.join((*VIEWS, NUMBERS))}")
    delta = _unpacked(fields["delta"]) if isinstance(fields["delta"], str) else fields["delta"]
    if not isinstance(delta, list) or not all(map(_is_number, delta)):
        raise InvalidInput("delta is a list of finite numbers, each of magnitude at most 1e6, or float32 numbers in base64")
    if not _is_number(fields["radius"]) or not 0 <= fields["radius"] <= MAX_RADIUS:
        raise InvalidInput(f"radius is a finite number from 0 to {MAX_RADIUS:g}")
    return Request(fields["id"], fields["scene"], fields["view"], tuple(map(float, delta)), float(fields["radius"]))


def _unpacked(text: str) -> list[float] | None:
    """Little-endian float32 numbers in base64: many coordinates in a third of their JSON. None for anything else."""
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), "<f4").tolist()
    except ValueError:
        return None


def _is_number(value) -> bool:
    return type(value) in (int, float) and abs(value) <= 1e6  # false for NaN


def _request_id(fields) -> int | None:
    value = fields.get("id") if isinstance(fields, dict) else None
    return value if type(value) is int and 0 <= value < 2**32 else None


class _Connection:
    """Two tasks: one reads requests into the mailbox, one has the newest answered and sends the answer. A reader that is
    slow to take its frames holds up only its own."""

    def __init__(self, websocket: WebSocket):
        self.websocket, self.mailbox = websocket, Mailbox()
        self.arrived, self.sending = asyncio.Event(), asyncio.Lock()
        self.malformed, self.counted, self.window_start = 0, 0, time.monotonic()

    async def serve(self) -> None:
        tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._answer())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except _Closed as closed:
            await self._close(closed)
        except (WebSocketDisconnect, RuntimeError, OSError):
            pass  # the page went away, perhaps while an answer was being sent
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self) -> None:
        while True:
            message = await self.websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            self._count()
            text = message.get("text")
            if len(message.get("bytes") or b"") > MAX_MESSAGE_BYTES or len((text or "").encode()) > MAX_MESSAGE_BYTES:
                raise _Closed(TOO_BIG, f"a message is at most {MAX_MESSAGE_BYTES} bytes")
            await self._accept(text)

    async def _accept(self, text: str | None) -> None:
        try:
            request = read_request(text or "")
        except InvalidInput as error:
            await self._refuse(text, error)
            return
        self.mailbox.put(request)
        self.arrived.set()

    async def _refuse(self, text: str | None, error: InvalidInput) -> None:
        self.malformed += 1
        if self.malformed >= MAX_MALFORMED:
            raise _Closed(POLICY, f"{MAX_MALFORMED} malformed messages")
        await self._send({"error": str(error), "id": _id_of(text)})

    def _count(self) -> None:
        now = time.monotonic()
        if now - self.window_start > WINDOW_SECONDS:
            self.window_start, self.counted = now, 0
        self.counted += 1
        if self.counted > MAX_MESSAGES:
            raise _Closed(POLICY, f"more than {MAX_MESSAGES} messages in {WINDOW_SECONDS:g} seconds")

    async def _answer(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self.arrived.wait()
            self.arrived.clear()
            reply = await loop.run_in_executor(thread_for(self.mailbox), answer_newest, self.mailbox)
            if reply is not None:
                await self._send(reply)

    async def _send(self, reply: bytes | dict) -> None:
        async with self.sending:
            if isinstance(reply, bytes):
                await self.websocket.send_bytes(reply)
            else:
                await self.websocket.send_text(json.dumps(reply))

    async def _close(self, closed: _Closed) -> None:
        try:
            async with asyncio.timeout(2):
                await self.websocket.close(closed.code, closed.reason)
        except (RuntimeError, OSError, TimeoutError):
            pass


def _id_of(text: str | None) -> int | None:
    """The malformed request's id, where it has a readable one, so that the page can tell what was refused."""
    try:
        return _request_id(json.loads(text or ""))
    except (ValueError, RecursionError):
        return None
