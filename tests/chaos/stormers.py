"""The clients of a reconnect storm, many in one process of its own: `python -m tests.chaos.stormers < plan.json`.

A plan is {"urls": [[host, port], …], "clients": [[token, conversation id, position], …], "acknowledges": …}. All lose their
connection at once and come back with the contract's full jitter; each reads `ready`, asks `sync` and is done when it has the
answer. The result has of each the "seconds", "messages" and "attempts", and the "failures".
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import struct
import sys
import time
from typing import Any

HANDSHAKE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: a2tra2tra2tra2tra2tra2s=\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
NO_MASK = b"\0\0\0\0"  # a mask of zeros leaves the text as it is
PATIENCE_S = 120.0
FIRST_S, MOST_S = 0.5, 10.0  # as app/static/js/realtime/backoff.js has it
AFTERWARDS_S = 1.0


def frame(text: str) -> bytes:
    """Make a client's text frame (RFC 6455, section 5.2)."""
    body = text.encode()
    head = struct.pack("!BB", 0x81, 0x80 | len(body)) if len(body) < 126 else struct.pack("!BBH", 0x81, 0xFE, len(body))
    return head + NO_MASK + body


async def read(reader: asyncio.StreamReader) -> str:
    """Read a server's frame."""
    _, size = await reader.readexactly(2)
    if size == 126:
        (size,) = struct.unpack("!H", await reader.readexactly(2))
    elif size == 127:
        (size,) = struct.unpack("!Q", await reader.readexactly(8))
    return (await reader.readexactly(size)).decode()


async def until(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, beginning: str) -> str:
    """Read until a packet that begins so; pings are answered meanwhile."""
    while True:
        packet = await read(reader)
        if packet.startswith(beginning):
            return packet
        if packet == "2":
            writer.write(frame("3"))
        if packet.startswith("44"):
            raise ConnectionError(packet)


async def come_back(
    host: str, port: int, client: list[Any], began: float, *, acknowledges: bool
) -> tuple[float, int, int, Any]:
    """Connect, by the contract's manners, and catch up; gives when it was done, how many messages came, how many attempts
    it took, and the connection, which stays open.
    """
    for attempt in itertools.count():
        await asyncio.sleep(random.uniform(0, min(MOST_S, FIRST_S * 2**attempt)))
        try:
            reader, writer = await connect(host, port, client[0])
            count = await catch_up(reader, writer, client[1], client[2], acknowledges=acknowledges)
        except (OSError, EOFError):
            continue
        return time.monotonic() - began, count, attempt + 1, writer
    raise AssertionError


async def connect(host: str, port: int, token: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect and wait for `ready`."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(HANDSHAKE.format(host=host, port=port).encode())
    await reader.readuntil(b"\r\n\r\n")
    await until(reader, writer, "0")
    writer.write(frame("40" + json.dumps({"token": token})))
    await until(reader, writer, '42["ready"')
    return reader, writer


async def catch_up(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    conversation: str,
    position: int,
    *,
    acknowledges: bool,
) -> int:
    """Fetch what was missed, and say that it has arrived where that is wanted; gives how much it was."""
    writer.write(frame("420" + json.dumps(["sync", {"conversationId": conversation, "after": position}])))
    answer = json.loads((await until(reader, writer, "430"))[3:])[0]
    if not answer["ok"]:
        raise ConnectionError(str(answer["error"]))
    found = answer["data"]
    if acknowledges:
        received = {"conversationId": conversation, "seq": found["upToSeq"]}
        writer.write(frame("421" + json.dumps(["message:received", received])))
        await until(reader, writer, "431")
    return len(found["messages"])


async def storm(plan: dict[str, Any]) -> dict[str, Any]:
    """Have all come back at once."""
    began, urls = time.monotonic(), plan["urls"]
    tasks = [
        come_back(*urls[n % len(urls)], client, began, acknowledges=plan["acknowledges"])
        for n, client in enumerate(plan["clients"])
    ]
    done = await asyncio.gather(*(asyncio.wait_for(task, PATIENCE_S) for task in tasks), return_exceptions=True)
    good = [one for one in done if not isinstance(one, BaseException)]
    await asyncio.sleep(AFTERWARDS_S)
    return {
        "seconds": [seconds for seconds, _, _, _ in good],
        "messages": [count for _, count, _, _ in good],
        "attempts": [attempts for _, _, attempts, _ in good],
        "failures": [repr(one) for one in done if isinstance(one, BaseException)],
    }


if __name__ == "__main__":
    json.dump(asyncio.run(storm(json.load(sys.stdin))), sys.stdout)
