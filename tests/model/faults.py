"""Planted faults: each is the simulated system (or the client) with one defect, and the invariants it breaks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import ClassVar

from tests.model.client import Client, View
from tests.model.simulated import (
    Cache,
    Database,
    Drain,
    Load,
    Memberships,
    SimulatedSystem,
    Transaction,
)
from tests.model.system import Aftermath, Answer, Message, Question, Reading, Refused, Send, System


@dataclass(frozen=True)
class Fault:
    """A defect, the invariants that may show it first, and the corner to look in first (only to be quick)."""

    name: str
    breaks: set[str]
    system: type[System] = SimulatedSystem
    client: type[Client] = Client
    corner: str = "fresh"

    def __str__(self) -> str:
        return self.name


# Catching up.


class TornCatchUp(SimulatedSystem):
    """Reads the rows, and the position that should describe them a moment later."""

    def begin_read(self, question: Question) -> object:
        self.torn = getattr(self, "torn", {})
        begun = super().begin_read(question)
        self.torn[question] = self.database.changed_since(question.conversation, question.after)
        return begun

    def snapshot(self, question: Question) -> tuple[list[Message], int]:
        return self.torn[question], self.database.heads[question.conversation]


class TornHistory(SimulatedSystem):
    """The same of a page of history: rows first, upToSeq later."""

    def begin_read(self, question: Question) -> object:
        begun = super().begin_read(question)
        rows = self.database.changed_since(question.conversation, 0)
        return (begun, rows) if question.reading is Reading.HISTORY else begun

    def finish_read(self, begun: object) -> Answer:
        if not isinstance(begun, tuple):
            return super().finish_read(begun)
        answer = super().finish_read(begun[0])
        return replace(answer, messages=tuple(begun[1]))


class BackwardHead(Cache):
    """Lets a drainer that comes late set the head back."""

    def advance_head(self, conversation: str, position: int) -> None:
        self.heads[conversation] = position


class StaleHead(SimulatedSystem):
    """A stale head answers "caught up"."""

    cache_class = BackwardHead


class HeadForTheDistrusted(SimulatedSystem):
    """A write that could not tell the cache says nothing of it."""

    def distrust(self, conversations: set[str]) -> None:
        pass


class OldEpochCache(Cache):
    """Stores what was known before the cache was lost: "only forward" has nothing left to compare it with."""

    def refresh(self, events: list[Message], heads: dict[str, int], epoch: int, database: Database) -> None:
        super().refresh(events, heads, self.epoch, database)


class HeadFromBeforeTheLoss(SimulatedSystem):
    """A drainer that comes late seeds the emptied cache with its old head."""

    cache_class = OldEpochCache


class HeadOfTheRepeated(SimulatedSystem):
    """A drain run twice tells the cache the position of what it found there, as if that were the newest."""

    def commit(self, drainer: str, drain: Drain) -> None:
        super().commit(drainer, drain)
        drain.heads = {event.conversation: event.changed_seq for event in drain.events}


class EmitBeforeRefresh(SimulatedSystem):
    """Tells the clients first and the cache later."""

    def refresh(self, drainer: str, drain: Drain) -> None:
        super().publish(drainer, drain)

    def publish(self, drainer: str, drain: Drain) -> None:
        super().refresh(drainer, drain)


class GapBlindCache(Cache):
    """Takes the hot history for complete if it reaches far enough back."""

    def hot_since(self, conversation: str, after: int, head: int) -> list[Message] | None:
        hot = self.hot[conversation]
        if head > after and min(hot, default=head + 1) > after + 1:
            return None
        newest = {row.id: row for position in sorted(hot) if position > after for row in hot[position]}
        return sorted(newest.values(), key=lambda row: (row.changed_seq, row.seq or 0))


class EvictedHotHistory(SimulatedSystem):
    """An eviction in the middle of the hot history goes unseen."""

    cache_class = GapBlindCache


class RootlessCache(Cache):
    """Keeps only the event of a position, so a later edit of a reply hides its root's new count."""

    def add_hot(self, event: Message, rows: list[Message]) -> None:
        super().add_hot(event, [event])


class HotHistoryWithoutRoots(SimulatedSystem):
    """The hot history forgets that a reply moves its root."""

    cache_class = RootlessCache


class SplitPosition(SimulatedSystem):
    """A page ends between a root and the reply that shares its position."""

    def missed(self, question: Question, messages: list[Message], head: int) -> Answer:
        if len(messages) <= question.limit:
            return Answer(tuple(messages), head)
        page = tuple(messages[: question.limit])
        return Answer(page, page[-1].changed_seq, has_more=True)


class RootSpeaks(SimulatedSystem):
    """A root drained again is emitted at the position of its reply, which then looks like a repeat."""

    def events_of(self, ids: list[str]) -> list[Message]:
        rows = [row for row in map(self.database.find, ids) if row]
        return sorted(rows, key=lambda row: (row.changed_seq, row.seq or 0))


class ProvisionalPage(SimulatedSystem):
    """The log's tail wins over the rows in a page of history."""

    def page(self, conversation: str, tail: tuple[Message, ...]) -> Answer:
        waiting = {message.id for message in tail}
        rows = [row for row in self.database.changed_since(conversation, 0) if row.id not in waiting]
        return Answer((*rows, *tail), self.database.heads[conversation])


# Writing.


class OvertakingDirectWrite(SimulatedSystem):
    """Takes its own acceptance for enough, and writes the next send before what the log still holds."""

    def write_directly(self, process: str, send: Send, aftermath: Aftermath) -> None:
        mine = {own.id for own in self.uncommitted(process)}
        super().write_directly(process, replace(send, after=None) if send.after in mine else send, aftermath)

    def insert_own(self, transaction: Transaction, own: list[Send]) -> None:
        pass


class OwnSendsWithoutPredecessors(SimulatedSystem):
    """Writes all its own sends, also one whose predecessor another process put into the log."""

    def insert_own(self, transaction: Transaction, own: list[Send]) -> None:
        for send in own:
            transaction.insert(send)


class RefusedForGood(SimulatedSystem):
    """Without the log, tells one who was removed that the send is refused, though the log holds it."""

    def authorise_by_database(self, send: Send) -> None:
        if (send.sender, send.conversation) not in self.database.members:
            raise Refused("not_found")


class CarelessTransaction(Transaction):
    """Inserts without looking whether it is there."""

    def insert(self, send: Send) -> None:
        if self.database.find(send.id):
            self.rows[send.id] = replace(self.database.rows[send.conversation].pop(send.id))
        position = self.next_position(send.conversation)
        self.rows[send.id] = Message(
            send.id, send.conversation, send.sender, send.content, send.reply_to, position, position
        )


class RetryDoubles(SimulatedSystem):
    """Dedupes in the log only, which forgets what has been drained."""

    transaction_class = CarelessTransaction

    def is_accepted(self, process: str, send: Send) -> bool:
        return process not in self.log.out_of_reach_of and send.id in self.log.seen


class HalfCommit(SimulatedSystem):
    """A drainer stopped in mid-transaction leaves its first row behind."""

    def kill_drainer(self, drainer: str) -> None:
        transaction = self.drains[drainer].transaction
        for row in list(transaction.rows.values())[:1] if transaction else []:
            self.database.rows[row.conversation][row.id] = row
        super().kill_drainer(drainer)


class SequenceTransaction(Transaction):
    """Takes positions from a sequence, which no rollback takes back."""

    taken: ClassVar[Counter[tuple[int, str]]] = Counter()

    def next_position(self, conversation: str) -> int:
        key = (id(self.database), conversation)
        self.taken[key] = max(self.taken[key], self.database.heads[conversation]) + 1
        self.heads[conversation] = self.taken[key]
        return self.heads[conversation]


class HoleAfterRollback(SimulatedSystem):
    """A drainer stopped in mid-transaction leaves a hole."""

    transaction_class = SequenceTransaction


class DeleteBeforeCommit(SimulatedSystem):
    """Takes the entries off the log when it reads them."""

    def read(self, drainer: str, drain: Drain) -> None:
        super().read(drainer, drain)
        self.log.delete(drain.batch)


class EmitBeforeCommit(SimulatedSystem):
    """Emits finals out of the open transaction."""

    def insert(self, drainer: str, drain: Drain) -> None:
        super().insert(drainer, drain)
        if drain.transaction:
            self.emit(drainer, [row for row in drain.transaction.rows.values() if row.seq == row.changed_seq])


class ReservedTransaction(Transaction):
    """Gives a send the position it was promised when it was accepted."""

    promised: ClassVar[dict[str, int]] = {}

    def insert(self, send: Send) -> None:
        promised = self.promised.get(send.id)
        if promised is not None and not self.find(send.id):
            self.heads[send.conversation] = max(promised, self.database.heads[send.conversation]) - 1
        super().insert(send)


class PositionAtAccept(SimulatedSystem):
    """Takes the position from a counter when it accepts."""

    transaction_class = ReservedTransaction

    def write_behind(self, process: str, send: Send) -> None:
        super().write_behind(process, send)
        waiting = sum(entry.conversation == send.conversation for entry in self.log.entries)
        ReservedTransaction.promised[send.id] = self.database.heads[send.conversation] + waiting

    def copy_of(self, send: Send) -> Message:
        copy = super().copy_of(send)
        promised = ReservedTransaction.promised.get(send.id)
        self.emit("web", [] if copy.persisted else [replace(copy, seq=promised, changed_seq=promised or 0)])
        return copy


# Memberships.


class Gullible(Memberships):
    """Stores what a load has read, whatever has been evicted since."""

    def store(self, load: Load) -> None:
        super().store(replace(load, mark=self.generation))


class StoredAfterEviction(SimulatedSystem):
    """A membership loaded before its eviction is stored after it."""

    memberships_class = Gullible


class Counting(Memberships):
    """Counts evictions, and loses the count with the cache: a load from before finds its old number again."""

    def lose(self) -> None:
        super().lose()
        self.generation = 0

    def hear(self, joins: bool) -> None:
        count, told = self.generation, bool(self.told)
        super().hear(joins)
        self.generation = count + 1 if told and isinstance(count, int) else count


class GenerationLostWithTheCache(SimulatedSystem):
    """A load begun before the cache was lost takes the count that began anew for its own."""

    memberships_class = Counting


class Deaf(Memberships):
    """Does not evict one who was removed."""

    def hear(self, joins: bool) -> None:
        kept = set(self.present)
        super().hear(joins)
        self.present |= kept


class RemovalUnheard(SimulatedSystem):
    """A removal is never acted upon."""

    memberships_class = Deaf


class OldCopyBringsMembersBack(SimulatedSystem):
    """The memberships of an old copy of the log's Redis are believed."""

    def copy_log(self) -> None:
        super().copy_log()
        self.kept_members = set(self.shared.present)

    def restore_log(self) -> None:
        super().restore_log()
        self.shared.present = getattr(self, "kept_members", set())


# Clients.


class ForgetfulView(View):
    """Lets a provisional copy replace a final one."""

    def show_provisional(self, message: Message) -> None:
        self.messages[message.id] = message


class ForgetfulClient(Client):
    view_class = ForgetfulView


class HastyView(View):
    """Applies live events between two pages of a catch-up."""

    def catch_up(self, answer: Answer) -> None:
        super().catch_up(answer)
        self.paging = False
        self.apply_early()


class HastyClient(Client):
    view_class = HastyView


class CredulousView(View):
    """Takes an ack for an event."""

    def show_ack(self, message: Message) -> None:
        self.hear(message)


class CredulousClient(Client):
    view_class = CredulousView


FAULTS = (
    Fault("torn catch-up read", {"I6"}, TornCatchUp),
    Fault("torn history page", {"I6", "I7"}, TornHistory),
    Fault("stale head answers caught up", {"I6"}, StaleHead, corner="stalled_drainer"),
    Fault("stale head is not distrusted", {"I6"}, HeadForTheDistrusted),
    Fault("head from before the cache was lost", {"I6"}, HeadFromBeforeTheLoss, corner="late_for_the_cache"),
    Fault("head of what is drained again", {"I6"}, HeadOfTheRepeated, corner="late_for_the_cache"),
    Fault("emit before the cache is refreshed", {"I6"}, EmitBeforeRefresh, corner="stalled_drainer"),
    Fault("hole in the hot history taken for complete", {"I6"}, EvictedHotHistory, corner="small_talk"),
    Fault("hot history without roots", {"I6"}, HotHistoryWithoutRoots),
    Fault("page splits a shared position", {"I6"}, SplitPosition),
    Fault("root speaks for its reply's position", {"I6"}, RootSpeaks, corner="small_talk"),
    Fault("provisional in place of a final in a page", {"I6", "I7"}, ProvisionalPage),
    Fault("direct write overtakes the log", {"I4"}, OvertakingDirectWrite, corner="no_log"),
    Fault(
        "own sends without their predecessors",
        {"I4"},
        OwnSendsWithoutPredecessors,
        corner="wanderer_without_log",
    ),
    Fault("refused for good without asking the log", {"I4"}, RefusedForGood, corner="in_and_out_in_mid_send"),
    Fault("retry doubles after the drain", {"I1"}, RetryDoubles),
    Fault("half a transaction stays", {"I1", "I3"}, HalfCommit, corner="open_transaction"),
    Fault("a rollback leaves a hole", {"I3"}, HoleAfterRollback, corner="open_transaction"),
    Fault("taken off the log before the commit", {"I2"}, DeleteBeforeCommit),
    Fault("emit before the commit", {"I5", "I6"}, EmitBeforeCommit),
    Fault("position taken at accept", {"I3", "I5"}, PositionAtAccept),
    Fault("membership stored after its eviction", {"I8"}, StoredAfterEviction),
    Fault("generation lost with the cache", {"I8"}, GenerationLostWithTheCache, corner="loads_under_way"),
    Fault("removal not acted upon", {"I8"}, RemovalUnheard),
    Fault("old copy of the log brings members back", {"I8"}, OldCopyBringsMembersBack, corner="old_copy"),
    Fault("client lets a provisional replace a final", {"I6"}, client=ForgetfulClient, corner="late_provisional"),
    Fault("client applies live events between pages", {"I6"}, client=HastyClient, corner="between_pages"),
    Fault("client takes an ack for an event", {"I6"}, client=CredulousClient),
)
