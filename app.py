"""The explorer in the browser: `streamlit run app.py`."""

import streamlit as st
from starlette.routing import WebSocketRoute

from explorer.ui.live import live
from explorer.ui.warm_up import warm_up

app = st.App("explorer/ui/main.py", routes=[WebSocketRoute("/live", live)], lifespan=warm_up)
