"""What a client may listen to, and where."""

from __future__ import annotations

from typing import Any

from flask import request

from app.api.endpoint import endpoint
from app.domain import subscriptions
from app.kernel import requests as wire
from app.kernel.actor import Actor

PATH = "/messages/realtime/subscribe"
SOCKET_PATH = "/socket.io"


@endpoint("POST", PATH, body=wire.Grant, data="Granted", customers=True)
def grant(*, actor: Actor, body: wire.Grant) -> dict[str, Any]:
    """Name the channels that one may hold, and the socket to hold them on."""
    where = {"socketUrl": request.host_url.rstrip("/"), "socketPath": SOCKET_PATH}
    return {**where, **subscriptions.grant(actor, request=body)}


@endpoint("DELETE", PATH, body=wire.EndGrant, data="GrantEnded", customers=True)
def end(*, actor: Actor, body: wire.EndGrant) -> dict[str, Any]:
    """Take one's sockets out of channels."""
    ended = subscriptions.end(actor, names=body.channels)
    return {"message": f"Unsubscribed from {len(ended)} channels.", "channels": ended}
