"""One process of Parley (a web process or a drainer) in a child of its own, to be stopped, raced and killed.

The application runs unchanged. It is watched at the places where it does I/O: statements and commits (SQLAlchemy's
events), Lua scripts (`scripts.run`, the one way to them) and emits (the Socket.IO server). Each is a gate: the verb that
comes to it goes on, waits there until it is told to go on, dies there, or finds Redis away.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection as Pipe
from typing import Any
from uuid import UUID, uuid4

import redis as redis_py
from flask import Flask
from sqlalchemy import event as sql_events
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from app.domain import (
    accepting,
    changes,
    conversations,
    delivery,
    drain,
    groupcommit,
    healing,
    memberships,
    messages,
    missed,
    modes,
    notices,
    relay,
    remembering,
    telling,
    unsettled,
)
from app.domain.gate import Busy
from app.extensions import CACHE, DATABASE, LOG, db, redis, socketio
from app.factory import create_app
from app.kernel import clock, settings
from app.kernel.actor import Actor
from app.kernel.breaker import Down
from app.kernel.errors import DomainError
from app.kernel.requests import CreateConversation, SendMessage
from app.live import hot, scripts
from app.models import Transaction
from app.outbound import emits
from app.sockets import notices as sockets, registry, rooms
from config import load_config
from tests.model import planted

PLANT = "MODEL_PLANT"  # names a defect that this part is to have
NOWHERE = "redis://127.0.0.1:1/0"
SESSION = "SET lock_timeout = '60ms'; SET idle_in_transaction_session_timeout = 0"  # what waits here may wait long
PATIENCE_S = 20.0


class Died(BaseException):
    """The thread of a verb ends here, as if its process had been killed; nothing in the application catches it."""


@dataclass(frozen=True)
class Plan:
    """Where a verb is to wait, die, or find the cache away. `wait_at` counts: ("sql", 2) is the second statement."""

    wait_at: frozenset[str] = frozenset()
    wait_at_statement: int = 0
    die_at: str = ""
    cache_is_away: bool = False


class Verb(threading.Thread):
    """A verb under way in a thread of its own."""

    def __init__(self, call: Callable[[], Any], plan: Plan) -> None:
        super().__init__(daemon=True)
        self.call, self.plan = call, plan
        self.statements = 0
        self.stands_at = ""
        self.result: Any = None
        self.error = ""
        self.turn = threading.Semaphore(0)
        self.stands = threading.Semaphore(0)

    def run(self) -> None:
        try:
            self.result = self.call()
        except Died:
            self.error = "died"
        except DomainError as refusal:
            self.error = refusal.code
        except (Busy, Down):
            self.error = "unavailable"
        except Exception as error:  # noqa: BLE001 - told to the machine, which fails
            self.error = f"crashed: {error!r}"
        self.stands_at = "end"
        self.stands.release()

    def pass_gate(self, gate: str) -> None:
        if gate == "sql":
            self.statements += 1
        if gate == self.plan.die_at:
            raise Died
        if gate == "hot_append" and self.plan.cache_is_away:
            raise redis_py.ConnectionError("away, as planned")
        if gate in self.plan.wait_at or (gate == "sql" and self.statements == self.plan.wait_at_statement):
            self.stands_at = gate
            self.stands.release()
            self.turn.acquire()
            if gate == self.plan.die_at:
                raise Died

    def go_on(self, plan: Plan) -> None:
        """Let it go to its next stop or its end."""
        self.plan = plan
        self.turn.release()

    def wait(self) -> tuple[str, Any, str]:
        """Wait until it stands; gives (where, its result, why it failed)."""
        if not self.stands.acquire(timeout=PATIENCE_S):
            raise TimeoutError(f"a verb neither stops nor ends; it passed {self.statements} statements")
        return self.stands_at, self.result, self.error


def gate(name: str) -> None:
    verb = threading.current_thread()
    if isinstance(verb, Verb):
        verb.pass_gate(name)


class Part:
    """The child's side: the commands by name, and what was emitted meanwhile."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.config = settings.settings()
        self.verbs: dict[int, Verb] = {}
        self.emitted: list[tuple[str, Any, str, bool]] = []
        self.log_url = redis.log_url
        self.people: dict[str, Actor] = {}
        self._watch()

    def _watch(self) -> None:
        sql_events.listen(db.engine, "connect", lambda connection, _: connection.cursor().execute(SESSION))
        sql_events.listen(db.engine, "before_cursor_execute", lambda *_: gate("sql"))
        commit, run_hooks = Connection.commit, Transaction.run_hooks

        def commit_gated(connection: Connection) -> None:
            gate("commit")
            commit(connection)

        def run_hooks_gated(transaction: Transaction) -> None:
            gate("committed")
            run_hooks(transaction)

        Connection.commit, Transaction.run_hooks = commit_gated, run_hooks_gated
        missed._asking.ask = lambda asked: missed._read_all([asked])[0]  # who is stopped here would ask for others too,
        missed._standing.ask = lambda asked: missed._standings([asked])[0]  # and these then neither stop nor end
        run = scripts.run

        def run_gated(client: Any, name: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
            gate(name)
            return run(client, name, keys, arguments)

        scripts.run = run_gated
        socketio.server.emit = self._emit
        socketio.server.manager.emit_encoded = self._emit_encoded

    def _emit(self, name: str, body: Any, *, to: str, namespace: str, ignore_queue: bool = False) -> None:
        gate("emit")
        self.emitted.append((name, body, to, ignore_queue))

    def _emit_encoded(self, name: str, bodies: Iterable[tuple[Any, bytes, str]]) -> None:
        for body, _, room in bodies:
            self._emit(name, body, to=room, namespace="/")

    # What the machine's side asks for.

    def reset(self, mode: str, people: Mapping[str, UUID]) -> None:
        """Forget everything, as a process that has just started in this write mode."""
        self.end_verbs()
        for connection in registry.everyone():
            registry.drop(connection.sid)
        settings.use(replace(self.config, message_write_mode=mode))
        modes.forget()
        unsettled.clear()
        relay.forget()
        hot.forget_pages()
        missed.forget()
        self.people = {
            name: Actor(id=found, kind="user", username=name, display_name=name) for name, found in people.items()
        }
        self.reach_log()
        CACHE.succeeded()
        DATABASE.succeeded()

    def end_verbs(self) -> None:
        for number in list(self.verbs):
            self.end_verb(number)

    def end_verb(self, number: int) -> None:
        """Have a verb die where it stands."""
        verb = self.verbs.pop(number)
        verb.go_on(Plan(die_at=verb.stands_at))
        verb.wait()

    def begin(self, number: int, plan: Plan, name: str, *arguments: Any) -> tuple[str, Any, str]:
        """Start a verb and give where it stands; one that has not ended is kept under its number."""
        self.verbs[number] = Verb(lambda: getattr(self, name)(*arguments), plan)
        self.verbs[number].start()
        return self._stand(number)

    def go_on(self, number: int, plan: Plan) -> tuple[str, Any, str]:
        self.verbs[number].go_on(plan)
        return self._stand(number)

    def _stand(self, number: int) -> tuple[str, Any, str]:
        where, result, error = self.verbs[number].wait()
        if where == "end":
            del self.verbs[number]
            groupcommit._resting.wait(PATIENCE_S)
            telling.finish()
        CACHE.succeeded()
        DATABASE.succeeded()
        return where, result, error

    def cut_log(self) -> None:
        redis.bind(redis.url, NOWHERE, timeout_s=redis.timeout_s)

    def reach_log(self) -> None:
        redis.bind(redis.url, self.log_url, timeout_s=redis.timeout_s)
        LOG.succeeded()

    def rooms(self) -> dict[str, set[UUID]]:
        """Name who hears which conversations here."""
        return {
            name: set().union(*(connection.memberships for connection in registry.of_profile(actor.id)))
            for name, actor in self.people.items()
        }

    def carry_out(self, heard: list[dict[str, Any]]) -> None:
        for notice in heard:
            notices.carry_out(notice)
            sockets.on_notice(notice)

    # The verbs.

    def send(self, person: str, wire: dict[str, Any]) -> Any:
        return messages.send(self.people[person], request=SendMessage(**wire), now=clock.now()).message

    def change(self, kind: str, person: str, message_id: UUID, value: str) -> None:
        actor = self.people[person]
        if kind == "edit":
            changes.edit(actor, message_id=message_id, content=value, now=clock.now())
        elif kind == "delete":
            changes.delete(actor, message_id=message_id, now=clock.now())
        elif kind == "react":
            changes.react(actor, message_id=message_id, emoji=value, now=clock.now())
        else:
            changes.unreact(actor, message_id=message_id, emoji=value)

    def make_room(self, owner: str, slug: str, names: list[str]) -> str:
        wanted = CreateConversation(kind="room", slug=slug, title=slug, members=names, visibility="private")
        return str(conversations.create(self.people[owner], request=wanted, now=clock.now())[0]["id"])

    def add(self, owner: str, person: str, conversation_id: UUID) -> None:
        memberships.add(
            self.people[owner], conversation_id=conversation_id, username=person, role=None, now=clock.now()
        )

    def remove(self, owner: str, person: str, conversation_id: UUID) -> None:
        target = self.people[person].id
        memberships.remove(self.people[owner], conversation_id=conversation_id, profile_id=target, now=clock.now())

    def history(self, person: str, conversation_id: UUID) -> Any:
        page = messages.history(self.people[person], conversation_id=conversation_id, limit=200)
        return page["items"], page["upToSeq"], False

    def sync(self, person: str, conversation_id: UUID, after: int, limit: int) -> Any:
        """Ask as a socket does: one that is in the conversation's room is known to be a member."""
        actor = self.people[person]
        joined = any(conversation_id in found.memberships for found in registry.of_profile(actor.id))
        known = delivery.KnownMember(0) if joined else None
        found = delivery.catch_up(actor, conversation_id=conversation_id, after=after, limit=limit, known=known)
        return found["messages"], found["upToSeq"], found["hasMore"]

    def drain(self) -> int:
        return drain.drain_once()

    def repair(self) -> None:
        healing.heal_once()
        if modes.is_behind():
            remembering.tell_filter()
            remembering.fill()

    def show_provisionals(self) -> None:
        for waiting in unsettled.all_waiting():
            emits.provisional(waiting.event)

    def load_shared(self, person: str, conversation_id: UUID) -> None:
        accepting._load_membership(self.people[person], conversation_id)

    def join_rooms(self, person: str) -> None:
        """Connect a socket of this person, if none is here, and join it to the conversations of its memberships."""
        actor = self.people[person]
        found = registry.of_profile(actor.id)
        if not found:
            registry.add(registry.Connection(socketio.server.manager.connect(uuid4().hex, "/"), actor))
        for connection in registry.of_profile(actor.id):
            rooms.settle(connection)


class Mistakes(logging.Handler):
    """What the application caught, logged and lived with though no server was away: it would be healed and seen by nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.found = ""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, (OSError, redis_py.RedisError, SQLAlchemyError, DomainError)):
            self.found += "".join(traceback.format_exception(error))


def serve(pipe: Pipe, environ: dict[str, str]) -> None:
    """Answer commands until the pipe ends; each answer brings what was emitted and who hears what."""
    os.environ.update(environ)
    if environ.get(PLANT):
        planted.PLANTS[environ[PLANT]]()
    part = Part(create_app(load_config(environ)))
    mistakes = Mistakes()
    logging.getLogger("app").addHandler(mistakes)
    pipe.send("ready")
    while True:
        try:
            name, arguments = pipe.recv()
        except EOFError:
            sys.exit()
        try:
            answer, failure = getattr(part, name)(*arguments), mistakes.found
        except Exception:  # noqa: BLE001 - told to the machine, which fails
            answer, failure = None, traceback.format_exc()
        emitted, part.emitted = part.emitted, []
        pipe.send((answer, failure, emitted, part.rooms()))
