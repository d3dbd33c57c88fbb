"""Which rooms have a socket here: their topics are heard. And which rooms a socket is in, so that none is looked for."""

from __future__ import annotations

from typing import Any

from socketio.pubsub_manager import PubSubManager

from app.outbound.ear import Ear, topic_of


class Occupied(PubSubManager):  # type: ignore[misc]
    """The library's manager of rooms, with an ear for those that are occupied."""

    def __init__(self, ear: Ear, **library: Any) -> None:
        super().__init__(**library)
        self.ear = ear
        self._entered: dict[
            str, list[Any]
        ] = {}  # what the library puts each socket into (its own, and None) is left out

    def basic_enter_room(self, sid: str, namespace: str, room: Any, eio_sid: Any = None) -> None:
        """Put a socket into a room, whose topic is then heard."""
        there = self.rooms.get(namespace, {}).get(room)
        if there is not None and sid in there:
            return
        super().basic_enter_room(sid, namespace, room, eio_sid=eio_sid)
        if room is not None and room != sid:
            self._entered.setdefault(sid, []).append(room)
        topic = topic_of(room)
        if topic is not None and there is None:
            self.ear.enter(topic)

    def basic_leave_room(self, sid: str, namespace: str, room: Any) -> None:
        """Take a socket out of a room."""
        there = self.rooms.get(namespace, {}).get(room)
        if there is None or sid not in there:
            return
        super().basic_leave_room(sid, namespace, room)
        if room is not None and room != sid:
            self._entered[sid].remove(room)
        topic = topic_of(room)
        if topic is not None and not there:
            self.ear.leave(topic)

    def basic_disconnect(self, sid: str, namespace: str, **_: Any) -> None:
        """Forget a socket. The library looks through the rooms of all; only its own are looked at here."""
        for room in [*self._entered.get(sid, ()), sid, None]:
            self.basic_leave_room(sid, namespace, room)
        self._entered.pop(sid, None)
        self.callbacks.pop(sid, None)
        for pending in (self.pending_connect, self.pending_disconnect):
            if sid in pending.get(namespace, ()):
                pending[namespace].remove(sid)
                if not pending[namespace]:
                    del pending[namespace]
