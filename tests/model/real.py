"""The machine's `System` made of the real parts: PostgreSQL, two Redis, and a child process for each web and drainer.

Nothing is imitated but the network between a web process and its clients, which the machine holds in its own hands.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg2
import redis

from app.kernel import ids
from tests.model.part import Plan, serve
from tests.model.system import (
    CONVERSATIONS,
    DRAINERS,
    PEOPLE,
    PROCESSES,
    SHARED,
    Aftermath,
    Answer,
    Change,
    Emit,
    Event,
    Head,
    Message,
    Question,
    Reading,
    Refused,
    Send,
    Snapshot,
    Stage,
    System,
)
from tests.model.wording import ROWS, Wording

OWNER = "owner"
STREAM = "messages:log"
READS = ("sync", "history", "join_rooms", "load_shared")
GATES = {
    Stage.READ: "sql",
    Stage.INSERTED: "commit",
    Stage.COMMITTED: "hot_append",
    Stage.REFRESHED: "emit",
    Stage.EMITTED: "settle",
}
PLANS = {
    Aftermath.COMPLETE: Plan(),
    Aftermath.DIED_AT_ONCE: Plan(die_at="hot_append"),
    Aftermath.DIED_BEFORE_EMIT: Plan(die_at="emit"),
    Aftermath.CACHE_UNREACHABLE: Plan(cache_is_away=True),
}


@dataclass(frozen=True)
class Begun:
    """A verb that stands at a gate of a child, unless it has ended there already."""

    holder: str
    child: Child
    life: int
    number: int
    ended: tuple[Any, str] | None


class Child:
    """The machine's side of one part."""

    def __init__(self, name: str, environ: dict[str, str]) -> None:
        self.name, self.environ = name, environ
        self.rooms: dict[str, set[UUID]] = {}
        self.emitted: list[tuple[str, Any, str, bool]] = []
        self.life = 0
        self.start()

    def start(self) -> None:
        context = multiprocessing.get_context("forkserver")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, self.environ), daemon=True)
        self.process.start()
        theirs.close()
        self.is_ready = False
        self.life += 1

    def ask(self, name: str, *arguments: Any) -> Any:
        if not self.is_ready:
            self.is_ready = bool(self.pipe.recv())
        self.pipe.send((name, arguments))
        answer, failure, emitted, self.rooms = self.pipe.recv()
        self.emitted += emitted
        assert not failure, failure
        return answer

    def kill(self) -> None:
        """Kill -9; what it had emitted before is on its way already."""
        self.process.kill()
        self.process.join()
        self.pipe.close()
        self.rooms = {}
        self.start()


class Parts:
    """The children, the servers and the people, kept from one history to the next."""

    def __init__(self, environ: dict[str, str], superuser_url: str) -> None:
        multiprocessing.get_context("forkserver").set_forkserver_preload(["tests.model.part"])
        self.children = {name: Child(name, environ) for name in (*PROCESSES, *DRAINERS)}
        self.looker = psycopg2.connect(superuser_url)
        self.looker.autocommit = True
        self.cache = redis.Redis.from_url(environ["REDIS_URL"])
        self.log = redis.Redis.from_url(environ["MESSAGE_LOG_REDIS_URL"])
        self.people = {name: self._make_person(name) for name in (*PEOPLE, OWNER)}
        self.query("LISTEN parley")

    def _make_person(self, name: str) -> UUID:
        found = uuid.uuid4()
        self.query(
            "INSERT INTO profiles (id, kind, username, display_name, created_at) VALUES (%s, 'user', %s, %s, now())",
            [str(found), name, name],
        )
        return found

    def query(self, statement: str, values: list[Any] | None = None) -> list[Any]:
        with self.looker.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall()) if cursor.description else []

    def notices(self) -> list[dict[str, Any]]:
        """What the database has announced since the last call."""
        self.query("SELECT 1")
        self.looker.poll()
        heard = [json.loads(notice.payload) for notice in self.looker.notifies]
        self.looker.notifies.clear()
        return heard

    def close(self) -> None:
        for child in self.children.values():
            child.process.kill()
            child.process.join()
        self.looker.close()


class RealSystem(System):
    """Two fresh conversations on the real parts."""

    def __init__(self, parts: Parts, mode: str) -> None:
        self.parts = parts
        self.numbers = itertools.count(1)
        self.told: dict[str, list[dict[str, Any]]] = {holder: [] for holder in (*PROCESSES, SHARED)}
        self.drains: dict[str, int | None] = dict.fromkeys(DRAINERS)
        self.stages = dict.fromkeys(DRAINERS, Stage.IDLE)
        self.emits: list[Emit] = []
        self.words = Wording()
        self.dies = itertools.cycle([True, False])
        self.mode = mode
        self._begin()

    def _begin(self) -> None:
        self.parts.log.flushdb()
        self.parts.cache.flushdb()
        self.parts.notices()
        for child in self.parts.children.values():
            child.ask("reset", self.mode, self.parts.people)
        self.rooms = {name: self._make_room() for name in CONVERSATIONS}
        self.words.conversations = {str(found): name for name, found in self.rooms.items()}
        self.words.people = {str(found): name for name, found in self.parts.people.items()}
        self.parts.notices()
        self.run("worker", Plan(), "repair")
        self.forget_what_was_said()

    def _make_room(self) -> UUID:
        return UUID(self.run("web-1", Plan(), "make_room", OWNER, f"r{uuid.uuid4().hex[:12]}", list(PEOPLE)))

    def forget_what_was_said(self) -> None:
        for child in self.parts.children.values():
            child.emitted.clear()
        for told in self.told.values():
            told.clear()
        self.emits.clear()

    def look_again(self) -> None:
        """Something may have changed: what was seen of the database and the log is old."""
        self.seen: dict[str, Snapshot] | None = None
        self.seen_log: set[str] | None = None

    # Running verbs in the children.

    def run(self, child: str, plan: Plan, name: str, *arguments: Any) -> Any:
        """Run a verb to its end; raises Refused where it was refused or died."""
        begun = self.begin(child, plan, name, *arguments)
        return self.finish(begun)

    def begin(self, name: str, plan: Plan, verb: str, *arguments: Any) -> Begun:
        number, child = next(self.numbers), self.parts.children[name]
        where, result, error = child.ask("begin", number, plan, verb, *arguments)
        if verb not in READS:
            self.after_verb()
        return Begun(name, child, child.life, number, (result, error) if where == "end" else None)

    def finish(self, begun: Begun) -> Any:
        ended = begun.ended
        if begun.life != begun.child.life:
            raise Refused("unavailable")  # it has been killed meanwhile
        if ended is None:
            _, *ended = begun.child.ask("go_on", begun.number, Plan())
        result, error = ended
        if error.startswith("crashed"):
            raise AssertionError(error)
        if error:
            raise Refused(error)
        return result

    def after_verb(self) -> None:
        """Take in what was emitted, and pass on what the database announced."""
        self.look_again()
        self.gather()
        heard = self.parts.notices()
        for told in self.told.values():
            told += [notice for notice in heard if notice["kind"] == "member"]
        heads = [notice for notice in heard if notice["kind"] == "head"]
        for process in PROCESSES if heads else ():
            self.parts.children[process].ask("carry_out", heads)
        self.gather()

    def gather(self) -> None:
        for child in self.parts.children.values():
            for name, body, room, here_only in child.emitted:
                if room.startswith("conversation:") and room.partition(":")[2] in self.words.conversations:
                    self.emits += [
                        Emit(child.name, e, child.name if here_only else None) for e in self.read(name, body)
                    ]
            child.emitted.clear()

    def read(self, name: str, body: Any) -> Iterable[Event]:
        if name in ("message", "message:changed"):
            yield self.words.message(body)
        elif name == "heads":
            for conversation, head in body["heads"].items():
                yield Head(self.words.conversations[conversation], head["headSeq"])

    # The words of one side in those of the other.

    def client_id(self, number_or_id: str) -> UUID:
        return uuid.uuid5(self.rooms[CONVERSATIONS[0]], number_or_id)

    def real_id(self, model_id: str) -> UUID:
        return ids.message_id(self.parts.people[model_id.partition(":")[0]], self.client_id(model_id))

    # What people do.

    def accept(self, process: str, send: Send, aftermath: Aftermath) -> Message:
        self.words.messages[str(self.real_id(send.id))] = send.id
        wire = {
            "conversationId": str(self.rooms[send.conversation]),
            "content": send.content,
            "clientMessageId": str(self.client_id(send.id)),
        }
        if send.reply_to:
            wire["replyToId"] = str(self.real_id(send.reply_to))
        if send.after:
            wire["afterClientMessageId"] = str(self.client_id(send.after))
        try:
            body = self.run(process, PLANS[aftermath], "send", send.sender, wire)
        except Refused as refusal:
            if refusal.code != "died":
                raise
            body = self.run(process, Plan(), "send", send.sender, wire)
        return self.words.message(body)

    def change(self, process: str, person: str, change: Change, aftermath: Aftermath) -> None:
        target = self.real_id(change.message_id)
        try:
            self.run(process, PLANS[aftermath], "change", change.kind.value, person, target, change.value)
        except Refused as refusal:
            if refusal.code != "died":
                raise

    def add_member(self, person: str, conversation: str) -> None:
        self.change_members("add", person, conversation)

    def remove_member(self, person: str, conversation: str) -> None:
        self.change_members("remove", person, conversation)

    def change_members(self, verb: str, person: str, conversation: str) -> None:
        """Every other time the process dies right after the commit: the rest must follow from the notice alone."""
        plan = Plan(die_at="committed") if next(self.dies) else Plan()
        try:
            self.run(PROCESSES[0], plan, verb, OWNER, person, self.rooms[conversation])
        except Refused as refusal:
            if refusal.code != "died":
                raise

    def begin_read(self, question: Question) -> object:
        """Stop before one of its statements: which one, the question's limit decides."""
        plan = Plan(wait_at_statement=question.limit + 1)
        target = self.rooms[question.conversation]
        if question.reading is Reading.HISTORY:
            return self.begin(question.process, plan, "history", question.person, target)
        return self.begin(question.process, plan, "sync", question.person, target, question.after, question.limit)

    def finish_read(self, begun: object) -> Answer:
        assert isinstance(begun, Begun)
        items, up_to, more = self.finish(begun)
        return Answer(tuple(map(self.words.message, items)), up_to, more)

    # What the parts do.

    def advance(self, drainer: str) -> Stage:
        plan = Plan(wait_at=frozenset(gate for stage, gate in GATES.items() if stage > self.stages[drainer] % 6))
        number = self.drains[drainer]
        child = self.parts.children[drainer]
        if number is None:
            number = self.drains[drainer] = next(self.numbers)
            where, _, error = child.ask("begin", number, plan, "drain")
        else:
            where, _, error = child.ask("go_on", number, plan)
        self.after_verb()
        self.stages[drainer] = self.stage_at(where, error)
        if where == "end":
            self.drains[drainer] = None
        return self.stages[drainer]

    def stage_at(self, where: str, error: str) -> Stage:
        if where != "end":
            return next(stage for stage, gate in GATES.items() if gate == where)
        return Stage.IDLE if error else Stage.DELETED

    def show_provisionals(self, process: str) -> None:
        self.run(process, Plan(), "show_provisionals")

    def repair(self) -> None:
        self.run("worker", Plan(), "repair")

    def begin_load(self, holder: str, person: str, conversation: str) -> object:
        """Stop where the rows have been read, before anything is stored."""
        plan = Plan(wait_at=frozenset({"commit"}))
        if holder == SHARED:
            return self.begin("worker", plan, "load_shared", person, self.rooms[conversation])
        return self.begin(holder, plan, "join_rooms", person)

    def finish_load(self, begun: object) -> None:
        assert isinstance(begun, Begun)
        try:
            self.finish(begun)
        except Refused:
            pass  # no member any more, or the process is gone

    def hear(self, holder: str) -> None:
        child = self.parts.children["worker" if holder == SHARED else holder]
        if self.told[holder]:
            child.ask("carry_out", self.told[holder])
            self.told[holder].clear()
            self.gather()

    def drain_once(self, drainer: str) -> Stage:
        """Without a stop on the way, where it stands at the beginning."""
        if self.drains[drainer] is not None:
            return super().drain_once(drainer)
        try:
            self.run(drainer, Plan(), "drain")
        except Refused:
            return Stage.IDLE
        return Stage.DELETED

    def load(self, holder: str, person: str, conversation: str) -> None:
        self.run(holder, Plan(), "join_rooms", person)

    # What goes wrong.

    def kill_drainer(self, drainer: str) -> None:
        self.kill(drainer)
        self.drains[drainer], self.stages[drainer] = None, Stage.IDLE

    def crash(self, process: str) -> None:
        self.kill(process)
        self.told[process].clear()

    def kill(self, name: str) -> None:
        child = self.parts.children[name]
        child.kill()
        child.ask("reset", self.mode, self.parts.people)
        self.look_again()

    def cut_log(self, process: str) -> None:
        self.parts.children[process].ask("cut_log")

    def reach_log(self, process: str) -> None:
        self.parts.children[process].ask("reach_log")

    def copy_log(self) -> None:
        self.kept = self.parts.log.xrange(STREAM)

    def restore_log(self) -> None:
        """As if an older copy had been loaded, without what it does not know being lost: each entry in its old place."""
        log = self.parts.log
        entries = dict([*self.kept, *log.xrange(STREAM)])
        log.delete(STREAM)
        for place in sorted(entries, key=lambda place: tuple(map(int, place.split(b"-")))):
            event = json.loads(entries[place][b"e"])
            log.xadd(STREAM, entries[place], id=place)
            log.hset(f"pending:{event['conversationId']}", event["id"], place)
            log.set(f"accepted:{event['id']}", event["conversationId"])
        self.look_again()

    def forget_sends(self) -> None:
        """Their keys expire; and the filter that knows them all for ever is not complete until the healer has been."""
        log = self.parts.log
        waiting = {str(self.real_id(found)) for found in self.logged()}
        known = [key for key in log.scan_iter("accepted:*") if key.decode().partition(":")[2] not in waiting]
        log.delete("seen:complete", *known)

    def lose_cache(self) -> None:
        self.parts.cache.flushdb()
        self.parts.log.delete("-", *self.parts.log.scan_iter("member*"))

    def evict_hot(self, conversation: str, position: int) -> None:
        """The hot history of a conversation is one key: it is lost as a whole or not at all."""
        self.parts.cache.delete(f"chat:{self.rooms[conversation]}:messages:active")

    def heal(self) -> None:
        for process in PROCESSES:
            self.reach_log(process)
        for drainer, number in self.drains.items():
            if number is not None:
                self.parts.children[drainer].ask("end_verb", number)
            self.drains[drainer], self.stages[drainer] = None, Stage.IDLE
        for holder in self.told:
            self.hear(holder)

    # Looking on.

    def take_emits(self) -> list[Emit]:
        emits, self.emits = self.emits, []
        return emits

    def audience(self, process: str, conversation: str) -> set[str]:
        here = self.parts.children[process].rooms
        return {person for person in PEOPLE if self.rooms[conversation] in here.get(person, ())}

    def committed(self, conversation: str) -> Snapshot:
        if self.seen is None:
            found = self.parts.query(ROWS, [[str(room) for room in self.rooms.values()]])
            self.seen = self.words.snapshots(found)
        return self.seen[conversation]

    def logged(self) -> set[str]:
        if self.seen_log is None:
            entries = [json.loads(fields[b"e"]) for _, fields in self.parts.log.xrange(STREAM)]
            self.seen_log = {self.words.messages[entry["id"]] for entry in entries}
        return set(self.seen_log)

    def hot_positions(self, conversation: str) -> list[int]:
        return [1]

    def close(self) -> None:
        for child in self.parts.children.values():
            child.ask("end_verbs")
