"""A client's connection as bytes: frames are written to it at once, and messages taken from what arrives.

Nothing here waits, and an idle connection has neither a greenlet nor a timer nor a buffer of its own: the event loop calls
when something has come, and when a client that was behind takes more.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from app.kernel import limits
from app.sockets import frames, loop

log = logging.getLogger(__name__)
READ_BYTES = 16_384
INBOX_MAX = 64  # messages of one client that wait to be handled; then it is not read
Received = str | bytes | None  # None is the end


class Wire:
    """The connection of one client, once it was taken from the HTTP server."""

    # What most never need is not made for them: these are the class's until one does.
    _raw: Any = None
    _reading: Any = None  # listeners of the loop, while it looks
    _writing: Any = None
    _held = b""  # of a frame whose rest is still to come
    _assembly: frames.Assembly | None = None
    _inbox: list[Received] | None = None
    _behind: deque[bytes] | None = None
    _is_handling = False
    _is_ending = False  # nothing more will be written but what waits
    waiting_bytes: int
    most_bytes: int  # of a message

    def handle(self, received: str | bytes) -> bool:
        """Handle a message, which may wait; tells whether to go on."""
        raise NotImplementedError

    def ended(self) -> None:
        """Hear that there is no connection any more; may wait."""
        raise NotImplementedError

    def begin(self, raw: Any) -> None:
        """Read and write a connection from here on."""
        self._raw, self.waiting_bytes = raw, 0
        self._reading = loop.when_readable(raw, self._arrived)

    # writing ----------------------------------------------------------------------------------------------------------
    def write(self, frame: bytes) -> None:
        """Write a ready frame, or have what the kernel does not take wait, at most a megabyte."""
        if self._is_ending:
            return
        if self._behind is None:
            try:
                sent = self._raw.send(frame)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError:
                return  # gone; its reader finds out
            if sent == len(frame):
                return
            frame = frame[sent:]
        self._wait(frame)

    def _wait(self, frame: bytes) -> None:
        if self.waiting_bytes and self.waiting_bytes + len(frame) > limits.SEND_QUEUE_MAX_BYTES:
            log.info("a client that does not read is cut off with %d bytes waiting", self.waiting_bytes)
            self.hang_up(at_once=True)
            return
        if self._behind is None:
            self._behind = deque()
            self._writing = loop.when_writable(self._raw, self._write_behind)
        self.waiting_bytes += len(frame)
        self._behind.append(frame)

    def _write_behind(self, _: int) -> None:
        behind = self._behind
        assert behind is not None
        try:
            while behind:
                sent = self._raw.send(behind[0])
                self.waiting_bytes -= sent
                if sent < len(behind[0]):
                    behind[0] = behind[0][sent:]
                    return
                behind.popleft()
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            log.debug("writing to a client ended: %s", error)
        self._stop_writing()
        if self._is_ending:
            self._shut(1)

    def _stop_writing(self) -> None:
        if self._writing is not None:
            loop.ignore(self._writing)
        self._writing = self._behind = None
        self.waiting_bytes = 0

    def hang_up(self, *, at_once: bool) -> None:
        """Write nothing more, or nothing but what waits; the reader finds out and does the rest."""
        self._is_ending = True
        if at_once:
            self._shut(2)
        elif self._behind is None:
            self._shut(1)

    def _shut(self, what: int) -> None:
        try:
            self._raw.shutdown(what)
        except OSError:
            pass  # it is gone already

    # reading ----------------------------------------------------------------------------------------------------------
    def _arrived(self, _: int) -> None:
        try:
            received = self._raw.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            received = b""
        try:
            if not received:
                raise EOFError
            self._take_all(received)
        except frames.Broken as error:
            self.write(frames.closing(error.code))
            self._take_end()
        except EOFError:
            self._take_end()
        except Exception:
            log.exception("what a client sent could not be read")
            self._take_end()

    def _take_all(self, received: bytes) -> None:
        found, self._held = frames.split(self._held + received if self._held else received, most=self.most_bytes)
        for kind, is_last, body in found:
            if kind >= frames.CLOSE:
                self._take_control(kind, body)
            elif is_last and kind != frames.CONTINUATION and self._assembly is None:
                self._take_message(kind, body)
            else:
                self._take_piece(kind, is_last, body)

    def _take_control(self, kind: int, body: bytes) -> None:
        if kind == frames.PING:
            self.write(frames.make(frames.PONG, body))
        elif kind == frames.CLOSE:
            self.write(frames.make(frames.CLOSE, body[:2]))
            raise EOFError

    def _take_piece(self, kind: int, is_last: bool, body: bytes) -> None:
        if (kind == frames.CONTINUATION) != (self._assembly is not None):
            raise frames.Broken(frames.PROTOCOL_ERROR)
        if self._assembly is None:
            self._assembly = frames.Assembly(kind, body)
            return
        self._assembly.add(body, most=self.most_bytes)
        if is_last:
            whole, self._assembly = self._assembly.whole(), None
            self._take_message(*whole)

    def _take_message(self, kind: int, body: bytes) -> None:
        try:
            self._put(body.decode() if kind == frames.TEXT else body)
        except UnicodeDecodeError as error:
            raise frames.Broken(frames.NOT_TEXT) from error

    def _take_end(self) -> None:
        self._stop_reading()
        self._put(None)

    # handling ---------------------------------------------------------------------------------------------------------
    def _put(self, received: Received) -> None:
        """Have a message handled after those before it; a client that sends faster than that is not read meanwhile."""
        if self._inbox is None:
            self._inbox = [received]
        else:
            self._inbox.append(received)
            if len(self._inbox) > INBOX_MAX:
                self._stop_reading()
        if not self._is_handling:
            self._is_handling = True
            loop.start(self._handle_all)

    def _handle_all(self) -> None:
        try:
            while self._inbox:
                received = self._inbox.pop(0)
                if received is None or not self.handle(received):
                    self._end()
                    return
        finally:
            self._is_handling, self._inbox = False, None
        if self._reading is None:
            self._reading = loop.when_readable(self._raw, self._arrived)

    def _stop_reading(self) -> None:
        if self._reading is not None:
            loop.ignore(self._reading)
            self._reading = None

    def _end(self) -> None:
        self._is_ending = True
        self._stop_reading()
        self._stop_writing()
        try:
            self.ended()
        finally:
            self._raw.close()
