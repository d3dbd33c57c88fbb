"""A small TCP proxy that misbehaves on demand, put in front of one server for one process.

So a server can be dead, hung, slow or half gone for one process while the others reach it: real servers need not be killed,
and one-sided partitions can be had.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

NO_LINGER = struct.pack("ii", 1, 0)  # close() then sends a reset, not an end


@dataclass(eq=False)
class Link:
    """One client's connection and the one that was opened to the server for it."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    is_orphan: bool = False  # its server's side is gone, and nobody has told the client


class Loop:
    """The thread in which all proxies of a test run move bytes."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, task: Coroutine[Any, Any, Any]) -> Any:
        """Run something in the thread and give its result."""
        return asyncio.run_coroutine_threadsafe(task, self.loop).result(10)

    def close(self) -> None:
        """End the thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)


class Proxy:
    """Stands in front of a server. Faults last until ``heal``; ``reset`` and ``half_open`` hit what is connected now."""

    def __init__(self, loop: Loop, host: str, port: int) -> None:
        self._loop, self._target = loop, (host, port)
        self._links: set[Link] = set()
        self._gate = asyncio.Event()
        self._gate.set()
        self._server: asyncio.Server | None = None
        self.delay_s = 0.0
        self.asked: list[bytes] | None = None  # what clients send, once this is a list
        self.port = 0
        loop.run(self._listen())

    def address(self, url: str) -> str:
        """Give a server's address with this proxy in its place."""
        parts = urlsplit(url)
        account, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{account}{at}127.0.0.1:{self.port}"))

    # faults

    def cut(self) -> None:
        """Be dead: reset every connection and refuse new ones."""
        self._loop.run(self._cut())

    def silence(self) -> None:
        """Be hung, or black-holed: connections stand, nothing comes through. What is sent meanwhile arrives at the end."""
        self._loop.run(self._do(self._gate.clear))

    def slow(self, delay_s: float) -> None:
        """Let every piece of data wait."""
        self.delay_s = delay_s

    def reset(self) -> None:
        """Reset the connections there are; new ones are let through."""
        self._loop.run(self._do(self._reset))

    def half_open(self) -> None:
        """Let the server's end of every connection be gone, without telling the client; new ones are let through."""
        self._loop.run(self._do(self._orphan))

    def lead_to(self, url: str) -> None:
        """Lead to another server from now on, as if this one had been exchanged; connections are reset."""
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 0)
        self.reset()

    def heal(self) -> None:
        """Be a plain wire again."""
        self.delay_s = 0.0
        self._loop.run(self._heal())

    def close(self) -> None:
        """End it."""
        self._loop.run(self._cut())

    # in the loop's thread

    @staticmethod
    async def _do(step: Callable[[], None]) -> None:
        step()

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, backlog=256)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self._reset()
        self._gate.set()

    async def _heal(self) -> None:
        self._gate.set()
        await self._listen()

    def _reset(self) -> None:
        for link in list(self._links):
            for writer in (link.near, link.far):
                _abort(writer)

    def _orphan(self) -> None:
        for link in list(self._links):
            link.is_orphan = True
            _abort(link.far)

    async def _accept(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        await self._gate.wait()  # the kernel of a stopped server accepts as well
        try:
            far_reader, far = await asyncio.open_connection(*self._target)
        except OSError:
            _abort(near)
            return
        link = Link(near, far)
        self._links.add(link)
        there = asyncio.ensure_future(self._pump(reader, far, link))
        back = asyncio.ensure_future(self._pump(far_reader, near, link))
        await asyncio.wait([there, back])
        self._links.discard(link)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: Link) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await self._gate.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if self.asked is not None and writer is link.far:
                    self.asked.append(data)
                if not link.is_orphan:
                    writer.write(data)
                    await writer.drain()
        await self._gate.wait()
        if not (link.is_orphan and writer is link.near):
            writer.close()


def _abort(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    writer.transport.abort()


@contextlib.contextmanager
def proxies() -> Iterator[Callable[[str], Proxy]]:
    """Give what makes a proxy for a server's address; all of them end with the block."""
    loop, made = Loop(), []

    def make(url: str) -> Proxy:
        parts = urlsplit(url)
        made.append(Proxy(loop, parts.hostname or "127.0.0.1", parts.port or 0))
        return made[-1]

    try:
        yield make
    finally:
        for proxy in made:
            proxy.close()
        loop.close()
