"""Only the app's own pages may use the live connection."""

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

pytestmark = pytest.mark.browser


@pytest.fixture
def live(address) -> str:
    return address.replace("http", "ws") + "/live"


def test_the_apps_own_page_can_open_the_live_connection(live, address):
    with connect(live, origin=address, proxy=None) as socket:
        socket.send("{}")
        assert "error" in socket.recv(timeout=60)


def test_a_foreign_page_cannot_open_the_live_connection(live):
    with pytest.raises(InvalidStatus, match="403"), connect(live, origin="http://evil.example", proxy=None):
        pass
