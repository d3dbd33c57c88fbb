"""Long polling, whose requests several web processes on one port would tear apart, unless a proxy keeps them together."""

from __future__ import annotations

import pytest

from tests.support.wired import environ_for, inside

pytestmark = pytest.mark.fast
POLL, WEBSOCKET = "/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=4&transport=websocket"


@pytest.mark.parametrize(
    ("processes", "sticky", "polls"),
    [("1", "false", True), ("2", "false", False), ("2", "true", True), ("1", "true", True)],
)
def test_long_polling_needs_one_process_or_a_sticky_proxy(processes: str, sticky: str, polls: bool) -> None:
    nowhere = environ_for("postgresql://nobody@127.0.0.1:1/none")
    with inside({**nowhere, "WEB_CONCURRENCY": processes, "CHAT_STICKY_PROXY": sticky}) as app:
        answer = app.test_client().get(POLL)
        assert (answer.status_code == 200) is polls, answer.text
        if polls:
            assert answer.text.startswith("0{"), "an open packet"
        else:
            assert "transport" in answer.text.lower()
