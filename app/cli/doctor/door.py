"""The public address, as a client finds it: the web process, the proxies before it, and a message over a WebSocket."""

from __future__ import annotations

import json
import queue
import ssl
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

import requests
import socketio
import websocket
from socketio.exceptions import SocketIOError

from app.cli.doctor.findings import Doubt, Sick, first_line
from app.cli.doctor.machine import is_here
from app.cli.doctor.visit import Visit
from app.domain.checkup import Patient
from config import Config

TIMEOUT_S = 3.0
SEEN_S = 4.0
SLOW_S = 1.5
CERTIFICATE_DAYS = 14


def public_url(config: Config) -> str:
    """Give the address that people open: the first of CHAT_ORIGINS, else this machine's port."""
    return next((origin for origin in config.origins if origin != "*"), f"http://127.0.0.1:{config.port}")


def answers(config: Config, url: str) -> str:
    """Ask for readiness over the public address; where that fails, find out on which side of the proxy."""
    try:
        response = requests.get(f"{url}/readyz", timeout=(TIMEOUT_S, 6))
    except requests.exceptions.SSLError as error:
        raise Sick(f"The certificate of {url} is not to be trusted ({first_line(error)[-120:]}): renew it.") from error
    except requests.RequestException as error:
        raise Sick(_nobody(config, url)) from error
    body = _body(response)
    if body.get("error", {}).get("fields"):
        parts = ", ".join(body["error"]["fields"])
        raise Sick(f"The web process is not ready; it cannot reach: {parts}. Compare its settings with these.")
    if "ready" not in body.get("data", {}):
        raise Sick(
            f"Something else than Parley answers at {url} ({response.status_code}): see the proxy, or CHAT_ORIGINS."
        )
    return f"{url} answers and is ready{_certificate(url)}"


def _body(response: requests.Response) -> dict[str, Any]:
    try:
        return dict(response.json())
    except (ValueError, TypeError):
        return {}


def _nobody(config: Config, url: str) -> str:
    local = f"http://127.0.0.1:{config.port}"
    try:
        if url != local and requests.get(f"{local}/healthz", timeout=TIMEOUT_S).ok:
            return f"The web process answers at {local} and {url} does not: see the proxy in between, or correct CHAT_ORIGINS."
    except requests.RequestException:
        pass
    return f"Nothing answers at {url}: start Parley (`make run`), or name where it is (PORT=…, CHAT_ORIGINS, or --url)."


def _certificate(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https":
        return ""
    pem = ssl.create_default_context()
    with pem.wrap_socket(_connect(parts.hostname or "", parts.port or 443), server_hostname=parts.hostname) as secured:
        found = secured.getpeercert() or {}
    days = (ssl.cert_time_to_seconds(str(found["notAfter"])) - time.time()) / 86_400
    if days < CERTIFICATE_DAYS:
        raise Doubt(f"The certificate of {url} ends in {days:.0f} days: renew it.")
    return f"; its certificate is good for {days:.0f} days"


def _connect(host: str, port: int) -> Any:
    import socket  # noqa: PLC0415

    return socket.create_connection((host, port), timeout=TIMEOUT_S)


def forwarded(config: Config, url: str, visit: Visit) -> str:
    """Compare how a request arrives with how it was made: address, scheme and host."""
    headers = {"Authorization": f"Bearer {visit.patient().token}"}
    response = requests.get(f"{url}/api/connection", headers=headers, timeout=TIMEOUT_S)
    if response.status_code == 401:
        raise Sick(_UNKNOWN)
    seen, asked = _body(response).get("data", {}), urlsplit(url)
    if not seen:
        raise Sick(f"GET {url}/api/connection answers {response.status_code}: the proxy must pass all of /api/ on.")
    hops, trusted = seen["forwarded"]["for"], config.trusted_proxies
    if hops > trusted:
        raise Sick(f"{hops} proxies add X-Forwarded-For and CHAT_TRUSTED_PROXIES is {trusted}: set it to {hops}.")
    if hops < trusted and not is_here(asked.hostname or ""):
        raise Sick(
            f"CHAT_TRUSTED_PROXIES is {trusted} and {hops} add X-Forwarded-For: anybody may forge an address; set {hops}."
        )
    if seen["scheme"] != asked.scheme:
        raise Sick(
            f"{url} arrives as {seen['scheme']}: have the proxy set X-Forwarded-Proto, and set CHAT_TRUSTED_PROXIES."
        )
    if seen["host"].partition(":")[0] != asked.hostname:
        raise Sick(f"{url} arrives for the host {seen['host']}: have the proxy pass Host, or X-Forwarded-Host.")
    return f"{hops} proxies; it arrives as {seen['scheme']}://{seen['host']} from {seen['address']}"


_UNKNOWN = (
    "The web process does not know this installation's SECRET_KEY or database: give it and the doctor the same ones."
)


def spoken(url: str, visit: Visit) -> str:
    """Connect a WebSocket, say something, and see it come back live and stored."""
    _upgrade(url)
    patient = visit.patient()
    heard: queue.Queue[tuple[float, dict[str, Any]]] = queue.Queue()
    client = socketio.Client(reconnection=False, json=json)
    client.on("message", lambda event: heard.put((time.monotonic(), event)))
    ready: queue.Queue[bool] = queue.Queue()
    client.on("ready", lambda _: ready.put(True))
    try:
        client.connect(url, auth={"token": patient.token}, transports=["websocket"], wait_timeout=TIMEOUT_S)
        ready.get(timeout=TIMEOUT_S)
        return _say(client, patient, heard)
    except queue.Empty:
        raise Sick(
            "The socket connects and is not welcomed: the web process's log says what it could not read."
        ) from None
    except (SocketIOError, OSError) as error:
        raise Sick(
            _UNKNOWN if "credential" in str(error) else f"The socket cannot be used ({first_line(error)})."
        ) from error
    finally:
        client.disconnect()


def _say(client: Any, patient: Patient, heard: queue.Queue[tuple[float, dict[str, Any]]]) -> str:
    body = {"conversationId": str(patient.conversation_id), "content": "socket", "clientMessageId": str(uuid.uuid4())}
    began = time.monotonic()
    ack = client.call("message:send", body, timeout=TIMEOUT_S)
    acked_s = time.monotonic() - began
    if not ack.get("ok"):
        raise Sick(f"The socket refuses a message ({ack['error']['message']}): see the lines of the servers.")
    live_s = None
    while True:
        try:
            at, event = heard.get(timeout=max(0.01, began + SEEN_S - time.monotonic()))
        except queue.Empty:
            what = (
                "comes live only as provisional: see the drain"
                if live_s
                else "does not come back: see the cache's Redis"
            )
            raise Sick(f"A message is accepted over the socket and {what}.") from None
        if event["id"] == ack["data"]["message"]["id"]:
            live_s = live_s or at - began
            if event["persisted"]:
                break
    words = f"accepted in {acked_s * 1000:.0f} ms, seen live after {live_s * 1000:.0f} ms, stored {(at - began) * 1000:.0f} ms"
    if max(acked_s, live_s) > SLOW_S:
        raise Doubt(f"{words}: slow; a proxy that buffers (nginx: proxy_buffering off) or a machine without breath.")
    return words


def _upgrade(url: str) -> None:
    """Open a bare WebSocket first: its refusal says more than the library's."""
    address = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    try:
        websocket.create_connection(address, timeout=TIMEOUT_S).close()  # it names the origin by itself
    except websocket.WebSocketBadStatusException as error:
        said = str(error.resp_body or "")
        if "origin" in said:
            raise Sick(f"The web process does not let pages of {url} connect: add it to CHAT_ORIGINS.") from error
        raise Sick(
            f"The WebSocket is not let through (status {error.status_code}): have the proxy pass Upgrade and Connection."
        ) from error
    except (websocket.WebSocketException, OSError) as error:
        raise Sick(
            f"The WebSocket does not open ({first_line(error)}): have the proxy pass Upgrade and Connection."
        ) from error
