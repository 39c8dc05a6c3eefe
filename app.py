"""The explorer in the browser: `streamlit run app.py`."""

import streamlit as st
from starlette.routing import WebSocketRoute

from explorer.hardware import use_all_cores
from explorer.ui.live import live

use_all_cores()
app = st.App("explorer/ui/main.py", routes=[WebSocketRoute("/live", live)])
