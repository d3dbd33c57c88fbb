"""The sockets of this process: whose they are, and which conversations each is in."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.kernel.actor import Actor


@dataclass(slots=True)
class Connection:
    """One socket. ``memberships`` maps a conversation to the position after which its history may be read; ``support``
    are those of them in which customers are served.
    """

    sid: str
    actor: Actor
    address: str = ""
    memberships: dict[UUID, int] = field(default_factory=dict)
    support: set[UUID] = field(default_factory=set)
    channels: set[str] = field(default_factory=set)
    is_settled: bool = False  # its memberships have been put in
    expires_at: datetime | None = None  # when the credential ends, as far as is known; a session may be extended


_connections: dict[str, Connection] = {}
_by_profile: dict[UUID, set[str]] = defaultdict(set)
_addresses: Counter[str] = Counter()
_notices: dict[UUID, int] = defaultdict(int)
_heard = [0]
_floors: dict[str, dict[str, int]] = defaultdict(dict)  # conversation: socket: the position after which it may read


def add(connection: Connection) -> None:
    """Remember a socket that has been let in."""
    _connections[connection.sid] = connection
    _by_profile[connection.actor.id].add(connection.sid)
    _addresses[connection.address] += 1


def drop(sid: str) -> Connection | None:
    """Forget a socket that is gone."""
    connection = _connections.pop(sid, None)
    if connection is not None:
        for conversation_id in list(connection.memberships):
            left(connection, conversation_id)
        sids = _by_profile[connection.actor.id]
        sids.discard(sid)
        _addresses[connection.address] -= 1
        if _addresses[connection.address] <= 0:
            del _addresses[connection.address]
        if not sids:
            _by_profile.pop(connection.actor.id, None)
            _notices.pop(connection.actor.id, None)
    return connection


def entered(connection: Connection, conversation_id: UUID, history_from_seq: int) -> None:
    """Note that a socket is in a conversation, of which it may read what comes after a position."""
    connection.memberships[conversation_id] = history_from_seq
    if history_from_seq > 0:
        _floors[str(conversation_id)][connection.sid] = history_from_seq


def left(connection: Connection, conversation_id: UUID) -> None:
    """Note that a socket is no longer in a conversation."""
    connection.memberships.pop(conversation_id, None)
    connection.support.discard(conversation_id)
    floors = _floors.get(str(conversation_id))
    if floors is not None:
        floors.pop(connection.sid, None)
        if not floors:
            _floors.pop(str(conversation_id), None)


def too_new_for(conversation_id: str, seq: int) -> list[str]:
    """List the sockets of this process that are in a conversation and may not read a message of this position."""
    return [sid for sid, floor in _floors.get(conversation_id, {}).items() if floor >= seq]


def get(sid: str) -> Connection | None:
    """Find a socket."""
    return _connections.get(sid)


def everyone() -> list[Connection]:
    """List all sockets."""
    return list(_connections.values())


def of_profile(profile_id: UUID) -> list[Connection]:
    """List a principal's sockets."""
    return [_connections[sid] for sid in list(_by_profile.get(profile_id, ())) if sid in _connections]


def from_address(address: str) -> int:
    """Count the sockets from an address."""
    return _addresses[address]


def of_session(session_id: UUID) -> list[Connection]:
    """List the sockets that hang on a session."""
    return [connection for connection in everyone() if connection.actor.session_id == session_id]


def note_change(profile_id: UUID) -> None:
    """Count a change of someone's memberships, so that a read begun before it is known to be old."""
    _heard[0] += 1
    if profile_id in _by_profile:
        _notices[profile_id] += 1


def changes_of_anyone() -> int:
    """Give how many changes of anyone's memberships have been counted, also of people who are not here yet."""
    return _heard[0]


def changes(profile_id: UUID) -> int:
    """Give how many changes have been counted."""
    return _notices.get(profile_id, 0)
