"""Where connections come in: a WebSocket is let in at once, and everything else is left to the HTTP server.

The server has a greenlet, two buffers and a request of its own for each connection, to find out in the end that its
WebSocket is to be left alone: a fifth of what connecting costs, when after a restart everybody comes at the same moment.
Here the event loop calls when something has come, and a request is looked at before it is taken. Only the plain first
request of a WebSocket of Socket.IO's is answered here, by the same application; any other, also one that the application
refuses, is still unread when the server gets it. ``CHAT_FAST_PATH=off`` takes the door away.
"""

from __future__ import annotations

import logging
import queue
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from app.sockets import http, loop

log = logging.getLogger(__name__)
AT_ONCE = 64  # connections accepted before others have their turn
WAITING_MAX = 512  # connections that wait for the server; then no more are accepted
SILENT_S, SILENT_MAX = 60, 10_000  # for the first byte of a request, and connections that have not sent it
PAUSE_S = 0.1  # where the system has no descriptor left
LET_IN = "parley.let_in"
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
Address = tuple[Any, ...]


class Visitor:
    """A connection of which nothing is known yet, or the first request of a WebSocket."""

    __slots__ = ("address", "head", "is_taken", "listener", "raw")

    def __init__(self, raw: Any, address: Address) -> None:
        self.raw, self.address = raw, address
        self.head: http.Head | None = None
        self.listener: Any = None  # of the loop, while nothing has come
        self.is_taken = False

    def take(self) -> Any:
        """Take the connection, its request read; gives the kernel's socket."""
        assert self.head is not None
        with suppress(OSError):  # it is gone, which its reader finds out
            self.raw.recv(self.head.size)
        self.head, self.is_taken = None, True
        return self.raw


def visitor(environ: dict[str, Any]) -> Visitor | None:
    """Give who came through the door with a request; None for any other."""
    found: Visitor | None = environ.pop(LET_IN, None)
    return found


class Door:
    """A listening socket for the HTTP server: ``accept`` gives it what is not let in here."""

    def __init__(self, listener: Any, application: Application, *, wrap: Callable[[Any], Any]) -> None:
        self._listener, self._application, self._wrap = listener, application, wrap
        self._for_server: queue.Queue[tuple[Any, Address] | None] = queue.Queue()
        self._reading: Any = None
        self._silent = 0
        self._is_closed = False
        listener.setblocking(False)
        self._listen()

    # for the HTTP server ----------------------------------------------------------------------------------------------
    def accept(self) -> tuple[Any, Address] | None:
        """Wait for a connection that is the server's; None once the door is closed."""
        found = self._for_server.get()
        if self._reading is None and not self._is_closed and self._for_server.qsize() < WAITING_MAX:
            self._listen()
        return None if found is None else (self._wrap(found[0]), found[1])

    def close(self) -> None:
        """Let nobody in any more."""
        self._is_closed = True
        self._ignore()
        self._listener.close()
        self._for_server.put_nowait(None)

    # who comes --------------------------------------------------------------------------------------------------------
    def _listen(self) -> None:
        if not self._is_closed and self._reading is None:
            self._reading = loop.when_readable(self._listener, self._come)

    def _ignore(self) -> None:
        if self._reading is not None:
            loop.ignore(self._reading)
            self._reading = None

    def _come(self, _: int) -> None:
        for _ in range(AT_ONCE):
            if self._for_server.qsize() >= WAITING_MAX:
                self._ignore()
                return
            try:
                raw, address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                log.warning("no connection can be accepted just now: %s", error)
                self._ignore()
                loop.later(PAUSE_S, self._listen)
                return
            raw.setblocking(False)
            self._look(Visitor(raw, address))

    def _look(self, visitor: Visitor) -> None:
        """See what a visitor wants, without reading it."""
        try:
            seen = visitor.raw.recv(http.HEAD_MAX_BYTES, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            self._await(visitor)
            return
        except OSError:
            seen = b""
        self._await_no_more(visitor)
        if not seen:
            visitor.raw.close()
            return
        visitor.head = http.upgrade(seen)
        if visitor.head is None:
            self._leave(visitor)
        else:
            loop.start(partial(self._let_in, visitor))

    def _await(self, visitor: Visitor) -> None:
        if visitor.listener is not None:
            return
        if self._silent >= SILENT_MAX:
            visitor.raw.close()
            return
        self._silent += 1
        visitor.listener = loop.when_readable(visitor.raw, lambda _: self._look(visitor))
        loop.later(SILENT_S, partial(self._give_up, visitor))

    def _await_no_more(self, visitor: Visitor) -> bool:
        if visitor.listener is None:
            return False
        loop.ignore(visitor.listener)
        visitor.listener = None
        self._silent -= 1
        return True

    def _give_up(self, visitor: Visitor) -> None:
        if self._await_no_more(visitor):
            visitor.raw.close()

    def _leave(self, visitor: Visitor) -> None:
        self._for_server.put_nowait((visitor.raw, visitor.address))

    def _let_in(self, visitor: Visitor) -> None:
        assert visitor.head is not None
        try:
            environ = http.environ(visitor.head, own=visitor.raw.getsockname(), peer=visitor.address)
            environ[LET_IN] = visitor
            self._application(environ, _refuse)
        except OSError as error:
            log.debug("a WebSocket went away at the door: %s", error)
        except Exception:
            log.exception("a WebSocket could not be let in")
        else:
            if visitor.is_taken:
                return
        if visitor.is_taken:
            with suppress(OSError):  # it was half let in: its reader, if it has one, finds its end and closes it
                visitor.raw.shutdown(socket.SHUT_RDWR)
        else:
            self._leave(visitor)  # it was refused, and the server says so


def _refuse(*_: Any) -> Callable[[bytes], None]:
    return lambda _: None
