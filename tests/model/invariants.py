"""The invariants of the design, each under its name. Those of `AT_EVERY_STEP` hold always, the rest at rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from tests.model.client import Client, View
from tests.model.reference import Chronicle, Reference
from tests.model.system import (
    CONVERSATIONS,
    PEOPLE,
    PROCESSES,
    SHARED,
    Answer,
    Emit,
    Message,
    Question,
    Reading,
    Refused,
    System,
)


class Broken(AssertionError):
    """An invariant does not hold; `invariant` is its name in the design."""

    def __init__(self, invariant: str, what: str) -> None:
        super().__init__(f"{invariant}: {what}")
        self.invariant = invariant


class World(Protocol):
    """What an invariant looks at."""

    system: System
    reference: Reference
    clients: list[Client]


def require(invariant: str, holds: bool, what: str, *shown: object) -> None:
    if not holds:
        raise Broken(invariant, " ".join([what, *map(repr, shown)]))


def content_of(row: Message) -> Message:
    """Only what a person has written or done."""
    return Message(
        row.id, row.conversation, row.sender, row.content, row.reply_to, deleted=row.deleted, reactions=row.reactions
    )


# At every step: the database.


def i1_what_is_committed_stays_as_it_was_promised(world: World) -> None:
    """I1: in the database exactly once, for good, as its author last left it."""
    for conversation, chronicle in world.reference.chronicles.items():
        rows = world.system.committed(conversation).rows
        for row in chronicle.rows.values():
            require("I1", row.id in rows and rows[row.id].seq == row.seq, "a committed message is gone or moved", row)
        counts = Counter(row.reply_to for row in rows.values() if not row.deleted)
        for row in rows.values():
            wanted = world.reference.wanted.get(row.id)
            require("I1", wanted == content_of(row), "the database holds what nobody asked for", row, wanted)
            require("I1", row.reply_count == counts[row.id], "the replies are miscounted", row, counts[row.id])


def i2_what_is_accepted_is_held(world: World) -> None:
    """I2, at every moment: an accepted message is in the log or in the database."""
    held = world.system.logged()
    for conversation in CONVERSATIONS:
        held |= world.system.committed(conversation).rows.keys()
    lost = world.reference.accepted.keys() - held
    require("I2", not lost, "accepted and lost", lost)


def i3_positions_have_no_hole(world: World) -> None:
    """I3: the positions are exactly 1..headSeq, and no two messages share a place."""
    for conversation, chronicle in world.reference.chronicles.items():
        snapshot = world.system.committed(conversation)
        chronicle.observe(snapshot)
        require("I3", not chronicle.unaccounted, "a hole at", conversation, chronicle.unaccounted)
        places = [row.seq for row in snapshot.rows.values()]
        require("I3", len(set(places)) == len(places), "two messages in one place", conversation, places)
        newest = max((row.changed_seq for row in snapshot.rows.values()), default=0)
        require("I3", newest == snapshot.head, "the head is not the newest position", conversation, newest)


def i4_one_device_keeps_its_order(world: World) -> None:
    """I4: for one sender and device, seq order is sending order."""
    for chronicle in world.reference.chronicles.values():
        last: dict[str, int] = {}
        for row in sorted(chronicle.rows.values(), key=lambda row: row.seq or 0):
            send = world.reference.sent[row.id]
            require("I4", last.get(send.device, 0) < send.number, "overtaken", row, last)
            last[send.device] = send.number


def i6_no_view_lacks_what_its_position_covers(world: World) -> None:
    """I6: a message whose latest change is at or below a client's position is on that client's screen, so changed."""
    for client in world.clients:
        for conversation, view in client.views.items():
            check_view(client, view, world.reference.chronicles[conversation])


def check_view(client: Client, view: View, chronicle: Chronicle) -> None:
    require("I6", view.position <= chronicle.head, "ahead of the head", client.device, view.position, chronicle.head)
    for row in chronicle.rows.values():
        if row.changed_seq <= view.position:
            shown = view.messages.get(row.id)
            require("I6", shown == row, "not shown", client.device, view.position, row, shown)


def i7_every_copy_is_a_true_state(world: World) -> None:
    """I7: what a client shows as final is what the database held at that position."""
    for client in world.clients:
        for conversation, view in client.views.items():
            states = world.reference.chronicles[conversation].states
            for shown in view.messages.values():
                state = states.get((shown.id, shown.changed_seq))
                require("I7", state is None or shown == state, "never was so", client.device, shown, state)


def i8_only_members_are_joined(world: World) -> None:
    """I8: no process that has heard of a removal keeps the removed one's sockets in the conversation."""
    for process in PROCESSES:
        for conversation in CONVERSATIONS:
            for person in world.system.audience(process, conversation):
                allowed = world.reference.may_reach(process, person, conversation)
                require("I8", allowed, "still hears", process, person, conversation)


def i8_the_removed_are_shut_out(world: World) -> None:
    """I8: nobody removed is believed by a shared cache that has heard of it, nor by a process that has as well: one with a
    socket of theirs believes that until then.
    """
    for person in PEOPLE:
        for conversation in CONVERSATIONS:
            if not any(world.reference.may_reach(holder, person, conversation) for holder in (SHARED, PROCESSES[0])):
                require("I8", is_refused(world.system, person, conversation), "still served", person, conversation)


def is_refused(system: System, person: str, conversation: str) -> bool:
    try:
        system.finish_read(system.begin_read(Question(Reading.SYNC, PROCESSES[0], person, conversation, limit=200)))
    except Refused:
        return True
    return False


# At every event and answer.


def i5_no_event_is_ahead_of_its_commit(world: World, emit: Emit) -> None:
    """I5: no event carries a position that is not committed."""
    event = emit.event
    chronicle = world.reference.chronicles[event.conversation]
    if not isinstance(event, Message):
        require("I5", event.position <= chronicle.head, "a head ahead of the database", event)
    elif event.persisted:
        row = chronicle.rows.get(event.id)
        true = row is not None and row.seq == event.seq and row.changed_seq >= event.changed_seq
        require("I5", true, "not committed", event, row)


def i6_an_answer_denies_nothing_announced(question: Question, answer: Answer, announced: int) -> None:
    """I6: a catch-up asked after an emit reaches at least as far as that emit, or says there is more."""
    far_enough = answer.has_more or answer.up_to >= announced
    require("I6", far_enough, "said to be all there is", question, answer, announced)
    progress = not answer.has_more or answer.up_to > question.after
    require("I6", progress, "there is more, but this did not come nearer", question, answer)


def i6_an_answer_is_complete(world: World, question: Question, answer: Answer) -> None:
    """I6: every message whose latest change lies between the two positions is in the answer, so changed."""
    after = 0 if question.reading is Reading.HISTORY else question.after
    for row in world.reference.chronicles[question.conversation].rows.values():
        covered = after < row.changed_seq <= answer.up_to
        require("I6", not covered or row in answer.messages, "left out", question, answer, row)


def i6_a_page_holds_each_message_once(question: Question, answer: Answer) -> None:
    """I6: once on screen; and only the newest page of history may end with provisional ones."""
    ids = [message.id for message in answer.messages]
    require("I6", len(set(ids)) == len(ids), "twice in one answer", answer)
    finals = [message.persisted for message in answer.messages]
    in_order = finals == sorted(finals, reverse=True) and (question.reading is Reading.HISTORY or all(finals))
    require("I6", in_order, "a provisional message out of its place", answer)


def i7_a_page_shows_finals_as_final(world: World, answer: Answer) -> None:
    """I7: a page never shows as provisional what its own position covers."""
    for message in answer.messages:
        row = world.reference.chronicles[message.conversation].rows.get(message.id)
        covered = row is not None and row.seq is not None and row.seq <= answer.up_to
        require("I7", message.persisted or not covered, "shown as provisional", message, row)


def i8_only_members_are_served(world: World, holder: str, person: str, conversation: str) -> None:
    """I8: a removed person is served nothing by one who has heard of the removal."""
    allowed = world.reference.may_reach(holder, person, conversation)
    require("I8", allowed, "served", holder, person, conversation)


# At rest.


def i2_everything_accepted_is_persisted(world: World) -> None:
    """I2: after the last fault has healed, every accepted message is in the database and the log is empty."""
    persisted = {row for c in CONVERSATIONS for row in world.system.committed(c).rows}
    missing = world.reference.accepted.keys() - persisted
    require("I2", not missing, "accepted and never persisted", missing)
    require("I2", not world.system.logged(), "left in the log", world.system.logged())


def i2_every_outbox_is_empty(world: World) -> None:
    """I2: each member's client has seen each of its sends persisted."""
    for client in members(world):
        for conversation, outbox in client.outboxes.items():
            if (client.person, conversation) in world.reference.members:
                require("I2", not outbox.waiting, "still in the outbox", client.device, outbox.waiting)


def i7_every_members_view_is_the_database(world: World) -> None:
    """I7: each member sees each message once, in order, as the database has it."""
    for client in members(world):
        for conversation, view in client.views.items():
            if (client.person, conversation) in world.reference.members:
                rows = world.system.committed(conversation).rows.values()
                wanted = sorted(rows, key=lambda row: row.seq or 0)
                shown = view.on_screen()
                require("I7", shown == wanted, "differs from the database", client.device, shown, wanted)


def members(world: World) -> Iterable[Client]:
    return (client for client in world.clients if client.process)


AT_EVERY_STEP: tuple[Callable[[World], None], ...] = (
    i1_what_is_committed_stays_as_it_was_promised,
    i2_what_is_accepted_is_held,
    i3_positions_have_no_hole,
    i4_one_device_keeps_its_order,
    i6_no_view_lacks_what_its_position_covers,
    i7_every_copy_is_a_true_state,
    i8_only_members_are_joined,
    i8_the_removed_are_shut_out,
)
AT_REST: tuple[Callable[[World], None], ...] = (
    i2_everything_accepted_is_persisted,
    i2_every_outbox_is_empty,
    i7_every_members_view_is_the_database,
)
