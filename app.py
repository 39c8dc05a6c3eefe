"""The explorer in the browser: `streamlit run app.py`."""

import streamlit as st
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from explorer.ui import warm_up


async def live(websocket: WebSocket) -> None:
    """The route behind dragging, imported when it is first asked for: torch would delay the server's start."""
    from explorer.ui.live import live as answer

    await answer(websocket)


warm_up.begin()
app = st.App("explorer/ui/main.py", routes=[WebSocketRoute("/live", live)])
