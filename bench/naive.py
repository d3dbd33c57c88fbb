"""The yardstick: a chat server as Flask-SocketIO's tutorials have it. `python -m bench.naive PORT`.

One process, eventlet, SQLAlchemy, the Redis message queue; committed before the ack, as ours. No accounts, no memberships,
no limits, no retries without duplicates, no catching up of changes, no recovery: what is compared is the path of a message.
"""

# ruff: noqa: E402 - the patches come first

from __future__ import annotations

import os
import sys

import eventlet

eventlet.monkey_patch()

from datetime import datetime, timezone
from typing import Any

from flask import Flask, request
from flask_socketio import ConnectionRefusedError as Refused, SocketIO, emit, join_room, rooms
from sqlalchemy import BigInteger, Index, Text, create_engine, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

engine = create_engine(os.environ["NAIVE_DATABASE_URL"], pool_size=10, max_overflow=0, pool_timeout=60)
Session = sessionmaker(engine)


class Base(DeclarativeBase):
    """The tables."""


class Message(Base):
    """A message."""

    __tablename__ = "naive_messages"
    __table_args__ = (Index("naive_messages_room", "room", "id"), {"schema": "naive"})

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    room: Mapped[str] = mapped_column(Text)
    sender: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(timezone.utc).replace(tzinfo=None))

    def wire(self) -> dict[str, Any]:
        """Give what clients get."""
        return {
            "id": self.id, "room": self.room, "sender": self.sender, "text": self.body,
            "created_at": self.created_at.isoformat(),
        }  # fmt: skip


with engine.begin() as connection:
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS naive"))  # its own: what is in ours, our migrations look after
Base.metadata.create_all(engine)
app = Flask(__name__)
app.config["SECRET_KEY"] = "a yardstick has no secrets"  # noqa: S105
socketio = SocketIO(app, async_mode="eventlet", message_queue=os.environ["REDIS_URL"], channel="naive")
users: dict[str, str] = {}


@socketio.on("connect")
def connect(auth: Any) -> None:
    """Let a user in."""
    token = (auth or {}).get("token")
    if not token:
        raise Refused("unauthorized")
    users[request.sid] = token[-12:]  # type: ignore[attr-defined]


@socketio.on("disconnect")
def disconnect(*_: Any) -> None:
    """Forget a user."""
    users.pop(request.sid, None)  # type: ignore[attr-defined]


@socketio.on("join")
def join(body: Any) -> dict[str, Any]:
    """Put a user into a room."""
    join_room(body["room"])
    return {"ok": True}


@socketio.on("message")
def message(body: Any) -> dict[str, Any]:
    """Store a message and tell the room."""
    room, text = body["room"], body["text"]
    if room not in rooms():
        return {"error": "not a member"}
    if not isinstance(text, str) or not text or len(text) > 4000:
        return {"error": "bad text"}
    with Session() as database:
        stored = Message(room=room, sender=users[request.sid], body=text)  # type: ignore[attr-defined]
        database.add(stored)
        database.commit()
        wire = stored.wire()
    emit("message", wire, to=room, include_self=False)
    return {"ok": True, "id": wire["id"]}


@socketio.on("history")
def history(body: Any) -> dict[str, Any]:
    """Give what a room said after an id."""
    if body["room"] not in rooms():
        return {"error": "not a member"}
    with Session() as database:
        wanted = select(Message).where(Message.room == body["room"], Message.id > body["after"]).order_by(Message.id)
        return {"messages": [found.wire() for found in database.scalars(wanted.limit(min(body["limit"], 500)))]}


if __name__ == "__main__":
    socketio.run(app, host="127.0.0.1", port=int(sys.argv[1]), max_size=10_000)
