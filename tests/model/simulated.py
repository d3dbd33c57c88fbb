"""Design section 2 in memory: an executable specification. Each method is one atomic step of the real thing.

The four parts come first (database, log, cache, web process), then the system that joins them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import ClassVar

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
    Kind,
    Message,
    Question,
    Reading,
    Refused,
    Send,
    Snapshot,
    Stage,
    System,
    provisional,
)

BATCH = 3
HOT_LENGTH = 4


class Database:
    """PostgreSQL: rows, heads, memberships, and one lock per conversation that a transaction holds to its end."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Message]] = {c: {} for c in CONVERSATIONS}
        self.heads = dict.fromkeys(CONVERSATIONS, 0)
        self.members = {(person, c) for person in PEOPLE for c in CONVERSATIONS}
        self.locks: dict[str, Transaction] = {}

    def find(self, message_id: str) -> Message | None:
        return next((rows[message_id] for rows in self.rows.values() if message_id in rows), None)

    def rows_at(self, conversation: str, position: int) -> list[Message]:
        """What a position's change has left: one row, or a root and the reply that moved it."""
        rows = [row for row in self.rows[conversation].values() if row.changed_seq == position]
        return sorted(rows, key=by_position)

    def event_at(self, conversation: str, position: int) -> Message:
        """The one event of a position. A root never speaks for it alone: its reply would look like a repeat."""
        rows = self.rows_at(conversation, position)
        return rows[-1] if len(rows) == 1 else replace(rows[-1], root_reply_count=rows[0].reply_count)

    def changed_since(self, conversation: str, after: int) -> list[Message]:
        rows = [row for row in self.rows[conversation].values() if row.changed_seq > after]
        return sorted(rows, key=by_position)


class Transaction:
    """Sees the database and its own writes; holds its conversations' locks; nobody sees it before its commit."""

    def __init__(self, database: Database, conversations: Iterable[str]) -> None:
        self.database = database
        self.heads: dict[str, int] = {}
        self.rows: dict[str, Message] = {}
        self._lock(sorted(set(conversations)))

    def _lock(self, conversations: list[str]) -> None:
        if any(c in self.database.locks for c in conversations):
            raise Refused("unavailable")
        self.database.locks.update(dict.fromkeys(conversations, self))

    def find(self, message_id: str) -> Message | None:
        return self.rows.get(message_id) or self.database.find(message_id)

    def insert(self, send: Send) -> None:
        """Write a send at the next position, unless it is there already."""
        if self.find(send.id):
            return
        position = self.next_position(send.conversation)
        self.rows[send.id] = replace(provisional(send), seq=position, changed_seq=position)
        self.count_reply(self.rows[send.id], 1)

    def update(self, old: Message, new: Message) -> None:
        self.rows[new.id] = replace(new, changed_seq=self.next_position(new.conversation))
        if new.deleted and not old.deleted:
            self.count_reply(self.rows[new.id], -1)

    def count_reply(self, reply: Message, by: int) -> None:
        """Move the root with its reply, at the reply's position."""
        root = self.find(reply.reply_to) if reply.reply_to else None
        if root:
            count = root.reply_count + by
            self.rows[root.id] = replace(root, reply_count=count, changed_seq=reply.changed_seq)

    def next_position(self, conversation: str) -> int:
        self.heads[conversation] = self.heads.get(conversation, self.database.heads[conversation]) + 1
        return self.heads[conversation]

    def commit(self) -> dict[str, int]:
        """Make it so; gives the heads as they are under its locks, of what it changed and of what was there before."""
        for row in self.rows.values():
            self.database.rows[row.conversation][row.id] = row
        self.database.heads.update(self.heads)
        heads = {c: self.database.heads[c] for c, holder in self.database.locks.items() if holder is self}
        self._unlock()
        return heads

    def rollback(self) -> None:
        self._unlock()

    def _unlock(self) -> None:
        self.database.locks = {c: holder for c, holder in self.database.locks.items() if holder is not self}


@dataclass
class Log:
    """The message log's Redis: the stream, and the sends it has seen (for dedupe, and for who comes after whom)."""

    entries: list[Send] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    out_of_reach_of: set[str] = field(default_factory=set)
    kept: list[Send] = field(default_factory=list)

    def add(self, send: Send) -> None:
        self.entries.append(send)
        self.seen.add(send.id)

    def delete(self, sends: list[Send]) -> None:
        self.entries = [entry for entry in self.entries if entry not in sends]

    def restore(self) -> None:
        ids = {entry.id for entry in self.kept}
        self.entries = [*self.kept, *(entry for entry in self.entries if entry.id not in ids)]
        self.seen |= ids


class Cache:
    """The other Redis: heads and hot history, each only forward. All of it may be lost at any moment.

    `epoch` is a random mark that is lost with the rest: a position read before a loss must not be stored after it,
    for then there is no newer head left to refuse it.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self.lose()

    def lose(self) -> None:
        self.epoch += 1
        self.heads: dict[str, int] = {}
        self.hot: dict[str, dict[int, list[Message]]] = {c: {} for c in CONVERSATIONS}
        self.distrusted: set[str] = set()

    def refresh(self, events: list[Message], heads: dict[str, int], epoch: int, database: Database) -> None:
        """Take in what has been committed, and the heads seen under its locks, by one who knew of `epoch` before."""
        for conversation, head in heads.items():
            self.advance_head(conversation, head if epoch == self.epoch else database.heads[conversation])
        for event in events:
            self.add_hot(event, database.rows_at(event.conversation, event.changed_seq))

    def advance_head(self, conversation: str, position: int) -> None:
        self.heads[conversation] = max(position, self.heads.get(conversation, 0))

    def add_hot(self, event: Message, rows: list[Message]) -> None:
        """Keep a position's rows whole: the root's too, lest a later edit of the reply hide the root's new count."""
        hot = self.hot[event.conversation]
        hot.setdefault(event.changed_seq, rows or [event])
        self.hot[event.conversation] = {position: hot[position] for position in sorted(hot)[-HOT_LENGTH:]}

    def changed_since(self, conversation: str, after: int) -> list[Message] | None:
        """What has changed since, each message once; None where the cache does not know."""
        head = self.heads.get(conversation)
        if head is None or after > head or conversation in self.distrusted:
            return None
        return self.hot_since(conversation, after, head)

    def hot_since(self, conversation: str, after: int, head: int) -> list[Message] | None:
        """All events of the positions after `after` up to `head`, or None if even one is missing."""
        hot, wanted = self.hot[conversation], range(after + 1, head + 1)
        if any(position not in hot for position in wanted):
            return None
        newest = {row.id: row for position in wanted for row in hot[position]}
        return sorted(newest.values(), key=by_position)


@dataclass(frozen=True)
class Load:
    """A membership on its way from the database into a cache; `mark` is what an eviction changes."""

    holder: str
    person: str
    conversation: str
    found: bool
    mark: object


class Memberships:
    """What one holder believes of who is a member, and the changes it has been told of but not yet heard."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.told: list[tuple[str, str]] = []
        self.generation: object = object()
        self.lose()

    def lose(self) -> None:
        """Forget all, the generation too: a counter that began again could equal the one a load began with."""
        self.generation = object()
        self.present: set[tuple[str, str]] = set()

    def hear(self, joins: bool) -> None:
        """Evict what has changed; a web process then joins those who are members now."""
        changed, self.told = set(self.told), []
        if changed:
            self.generation = object()
            self.present -= changed
            self.present |= changed & self.database.members if joins else set()

    def store(self, load: Load) -> None:
        """Keep what was read, unless an eviction came in between: then read again."""
        pair = (load.person, load.conversation)
        found = load.found if load.mark is self.generation else pair in self.database.members
        if found:
            self.present.add(pair)


@dataclass
class Web:
    """A web process: what it has accepted and not seen committed, and the rooms its sockets have joined."""

    rooms: Memberships
    accepted: list[Send] = field(default_factory=list)


@dataclass
class Drain:
    """A drainer and where it stands."""

    stage: Stage = Stage.IDLE
    batch: list[Send] = field(default_factory=list)
    epoch: int = 0
    transaction: Transaction | None = None
    heads: dict[str, int] = field(default_factory=dict)
    events: list[Message] = field(default_factory=list)


@dataclass(frozen=True)
class Read:
    """A read under way: the log's tail is read first, then (at the end) the rows, so nothing slips between."""

    question: Question
    tail: tuple[Message, ...]


class SimulatedSystem(System):
    """The parts joined as the design says. A planted fault overrides one small method of this, or of a part."""

    database_class: ClassVar[type[Database]] = Database
    transaction_class: ClassVar[type[Transaction]] = Transaction
    cache_class: ClassVar[type[Cache]] = Cache
    memberships_class: ClassVar[type[Memberships]] = Memberships

    def __init__(self, mode: str = "behind") -> None:
        self.mode = mode
        self.database, self.log, self.cache = self.database_class(), Log(), self.cache_class()
        self.shared = self.memberships_class(self.database)
        self.webs = {process: self.new_web() for process in PROCESSES}
        self.drains = {drainer: Drain() for drainer in DRAINERS}
        self.emits: list[Emit] = []

    def new_web(self) -> Web:
        return Web(self.memberships_class(self.database))

    # Accepting.

    def accept(self, process: str, send: Send, aftermath: Aftermath) -> Message:
        if not self.is_accepted(process, send):
            if self.mode == "through" or process in self.log.out_of_reach_of:
                self.write_directly(process, send, aftermath)
            else:
                self.write_behind(process, send)
        return self.copy_of(send)

    def is_accepted(self, process: str, send: Send) -> bool:
        reachable = process not in self.log.out_of_reach_of
        return (reachable and send.id in self.log.seen) or self.database.find(send.id) is not None

    def write_behind(self, process: str, send: Send) -> None:
        self.authorise(send.sender, send.conversation)
        if send.after and send.after not in self.log.seen and not self.database.find(send.after):
            raise Refused("out_of_order")
        self.log.add(send)
        self.webs[process].accepted.append(send)

    def write_directly(self, process: str, send: Send, aftermath: Aftermath) -> None:
        """Write this process's own accepted sends first, then this one, all in one transaction."""
        self.authorise_by_database(send)
        own = self.uncommitted(process)
        epoch = self.cache.epoch
        transaction = self.transaction_class(self.database, [s.conversation for s in [*own, send]])
        self.insert_own(transaction, own)
        if send.after and not transaction.find(send.after):
            transaction.rollback()
            raise Refused("out_of_order")
        transaction.insert(send)
        heads = transaction.commit()
        self.tell(process, self.events_of([s.id for s in [*own, send]]), heads, aftermath, epoch)

    def insert_own(self, transaction: Transaction, own: list[Send]) -> None:
        """A send whose predecessor was accepted by another process waits in the log for it."""
        for send in own:
            if send.after is None or transaction.find(send.after):
                transaction.insert(send)

    def uncommitted(self, process: str) -> list[Send]:
        web = self.webs[process]
        web.accepted = [send for send in web.accepted if not self.database.find(send.id)]
        return web.accepted

    def authorise(self, person: str, conversation: str) -> None:
        """Ask the shared cache; what it does not hold, it loads."""
        if (person, conversation) not in self.shared.present:
            self.finish_load(self.begin_load(SHARED, person, conversation))
        if (person, conversation) not in self.shared.present:
            raise Refused("not_found")

    def authorise_by_database(self, send: Send) -> None:
        """One removed may be retrying what the log holds: while it cannot be asked, nothing is refused for good."""
        if (send.sender, send.conversation) not in self.database.members:
            raise Refused("not_found" if self.mode == "through" else "unavailable")

    def copy_of(self, send: Send) -> Message:
        row = self.database.find(send.id)
        return row or provisional(send)

    def show_provisionals(self, process: str) -> None:
        self.emit(process, [provisional(send) for send in self.uncommitted(process)])

    # Changing.

    def change(self, process: str, person: str, change: Change, aftermath: Aftermath) -> None:
        row = self.database.find(change.message_id)
        if row is None:
            raise Refused("unavailable")
        if (person, row.conversation) not in self.database.members:
            raise Refused("not_found")
        epoch = self.cache.epoch
        transaction = self.transaction_class(self.database, [row.conversation])
        after = changed(row, person, change)
        if after != row:
            transaction.update(row, after)
        heads = transaction.commit()
        if after != row:
            self.tell(process, self.events_of([row.id]), heads, aftermath, epoch)

    def tell(
        self, process: str, events: list[Message], heads: dict[str, int], aftermath: Aftermath, epoch: int
    ) -> None:
        """The cache first, then the clients: one who missed the emit must not hear "caught up" from an old head."""
        if aftermath is Aftermath.DIED_AT_ONCE:
            return
        if aftermath is Aftermath.CACHE_UNREACHABLE:
            self.distrust({event.conversation for event in events})
        else:
            self.cache.refresh(events, heads, epoch, self.database)
        if aftermath is not Aftermath.DIED_BEFORE_EMIT:
            self.emit(process, events)

    def distrust(self, conversations: set[str]) -> None:
        self.cache.distrusted |= conversations

    def emit(self, origin: str, events: Iterable[Event]) -> None:
        self.emits.extend(Emit(origin, event) for event in events)

    def events_of(self, ids: list[str]) -> list[Message]:
        """The events of the positions these messages have now, in order."""
        rows = [row for row in map(self.database.find, ids) if row]
        positions = sorted({(row.changed_seq, row.conversation) for row in rows})
        return [self.database.event_at(conversation, position) for position, conversation in positions]

    # Draining.

    def advance(self, drainer: str) -> Stage:
        drain = self.drains[drainer]
        steps = (self.read, self.insert, self.commit, self.refresh, self.publish, self.delete)
        try:
            steps[drain.stage % len(steps)](drainer, drain)
        except Refused:
            return drain.stage
        drain.stage = Stage(drain.stage % len(steps) + 1)
        return drain.stage

    def read(self, drainer: str, drain: Drain) -> None:
        drain.epoch, drain.batch = self.cache.epoch, self.log.entries[:BATCH]

    def insert(self, drainer: str, drain: Drain) -> None:
        drain.transaction = self.transaction_class(self.database, [send.conversation for send in drain.batch])
        for send in drain.batch:
            drain.transaction.insert(send)

    def commit(self, drainer: str, drain: Drain) -> None:
        assert drain.transaction
        drain.heads = drain.transaction.commit()
        drain.transaction = None
        drain.events = self.events_of([send.id for send in drain.batch])

    def refresh(self, drainer: str, drain: Drain) -> None:
        self.cache.refresh(drain.events, drain.heads, drain.epoch, self.database)

    def publish(self, drainer: str, drain: Drain) -> None:
        self.emit(drainer, drain.events)

    def delete(self, drainer: str, drain: Drain) -> None:
        self.log.delete(drain.batch)

    def kill_drainer(self, drainer: str) -> None:
        transaction = self.drains[drainer].transaction
        if transaction:
            transaction.rollback()
        self.drains[drainer] = Drain()

    def repair(self) -> None:
        self.cache.distrusted.clear()
        for conversation, head in self.database.heads.items():
            self.cache.advance_head(conversation, head)
            self.emit("healer", [Head(conversation, head)])

    # Memberships.

    def add_member(self, person: str, conversation: str) -> None:
        self.database.members.add((person, conversation))
        self.tell_holders(person, conversation)

    def remove_member(self, person: str, conversation: str) -> None:
        self.database.members.discard((person, conversation))
        self.tell_holders(person, conversation)

    def tell_holders(self, person: str, conversation: str) -> None:
        for memberships in (self.shared, *(web.rooms for web in self.webs.values())):
            memberships.told.append((person, conversation))

    def hear(self, holder: str) -> None:
        self.holding(holder).hear(joins=holder != SHARED)

    def begin_load(self, holder: str, person: str, conversation: str) -> Load:
        found = (person, conversation) in self.database.members
        return Load(holder, person, conversation, found, self.holding(holder).generation)

    def finish_load(self, begun: object) -> None:
        assert isinstance(begun, Load)
        self.holding(begun.holder).store(begun)

    def holding(self, holder: str) -> Memberships:
        return self.shared if holder == SHARED else self.webs[holder].rooms

    def audience(self, process: str, conversation: str) -> set[str]:
        return {person for person, c in self.webs[process].rooms.present if c == conversation}

    # Reading.

    def begin_read(self, question: Question) -> object:
        reachable = question.process not in self.log.out_of_reach_of
        tail = [e for e in self.log.entries if e.conversation == question.conversation] if reachable else []
        return Read(question, tuple(provisional(entry) for entry in tail))

    def finish_read(self, begun: object) -> Answer:
        assert isinstance(begun, Read)
        question = begun.question
        self.authorise(question.person, question.conversation)
        if question.reading is Reading.HISTORY:
            return self.page(question.conversation, begun.tail)
        hot = self.cache.changed_since(question.conversation, question.after)
        if hot is None:
            return self.missed(question, *self.snapshot(question))
        return self.missed(question, hot, self.cache.heads[question.conversation])

    def page(self, conversation: str, tail: tuple[Message, ...]) -> Answer:
        """The tail may hold what has been committed since it was read: the final copy counts."""
        rows = self.database.changed_since(conversation, 0)
        finals = {row.id for row in rows}
        waiting = [message for message in tail if message.id not in finals]
        return Answer((*rows, *waiting), self.database.heads[conversation])

    def snapshot(self, question: Question) -> tuple[list[Message], int]:
        """Rows and the position that describes them, in one statement."""
        rows = self.database.changed_since(question.conversation, question.after)
        return rows, self.database.heads[question.conversation]

    def missed(self, question: Question, messages: list[Message], head: int) -> Answer:
        """One page of it; a position that a reply shares with its root is never split between two pages."""
        if len(messages) <= question.limit:
            return Answer(tuple(messages), head)
        last = messages[question.limit - 1].changed_seq
        page = tuple(message for message in messages if message.changed_seq <= last)
        return Answer(page, last, len(page) < len(messages)) if len(page) < len(messages) else Answer(page, head)

    # Faults.

    def crash(self, process: str) -> None:
        self.webs[process] = self.new_web()

    def cut_log(self, process: str) -> None:
        self.log.out_of_reach_of.add(process)

    def reach_log(self, process: str) -> None:
        self.log.out_of_reach_of.discard(process)

    def copy_log(self) -> None:
        self.log.kept = list(self.log.entries)

    def restore_log(self) -> None:
        """The memberships live beside the log, for one round trip; those of an old copy are not to be believed."""
        self.log.restore()
        self.shared.lose()

    def forget_sends(self) -> None:
        self.log.seen = {entry.id for entry in self.log.entries}

    def lose_cache(self) -> None:
        self.cache.lose()
        self.shared.lose()

    def evict_hot(self, conversation: str, position: int) -> None:
        self.cache.hot[conversation].pop(position, None)

    def heal(self) -> None:
        self.log.out_of_reach_of.clear()
        for drainer in DRAINERS:
            self.kill_drainer(drainer)
        for holder in (*PROCESSES, SHARED):
            self.hear(holder)

    def close(self) -> None:
        """Nothing is held."""

    # Looking on.

    def take_emits(self) -> list[Emit]:
        emits, self.emits = self.emits, []
        return emits

    def committed(self, conversation: str) -> Snapshot:
        return Snapshot(self.database.heads[conversation], self.database.rows[conversation])

    def logged(self) -> set[str]:
        return {entry.id for entry in self.log.entries}

    def hot_positions(self, conversation: str) -> list[int]:
        return list(self.cache.hot[conversation])


def by_position(row: Message) -> tuple[int, int]:
    """The order of an answer: by changedSeq, a root before the reply that moved it."""
    return row.changed_seq, row.seq or 0


def changed(row: Message, person: str, change: Change) -> Message:
    """What a change makes of a row; a tombstone, or somebody else's message, can no longer be written to."""
    if change.kind is Kind.EDIT and person == row.sender and not row.deleted:
        return replace(row, content=change.value, edited=True)
    if change.kind is Kind.DELETE and person == row.sender:
        return replace(row, content="", deleted=True, reactions=frozenset())
    mark = frozenset({f"{change.value}:{person}"})
    if change.kind is Kind.REACT and not row.deleted:
        return replace(row, reactions=row.reactions | mark)
    if change.kind is Kind.UNREACT:
        return replace(row, reactions=row.reactions - mark)
    return row
