"""The adversary: a hypothesis state machine that does to Parley whatever people, processes and networks do.

It keeps the reference model beside the system, checks every invariant after every step, and at the end of each
history lets all heal and come to rest, drops every live event on the way, and compares what each member sees.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.model import invariants
from tests.model.client import Client
from tests.model.corners import CORNERS
from tests.model.network import Fate, Network
from tests.model.reference import Reference
from tests.model.simulated import SimulatedSystem
from tests.model.system import (
    CONVERSATIONS,
    DRAINERS,
    HOLDERS,
    PEOPLE,
    PROCESSES,
    SHARED,
    Aftermath,
    Change,
    Event,
    Head,
    Kind,
    Message,
    Question,
    Reading,
    Refused,
    Send,
    System,
)
from tests.model.turns import DEVICES, Mishap, Turn, modes, turns

ROUNDS = 6
FAR = 200


@dataclass(frozen=True)
class OpenRead:
    """A read under way: what had been announced when it was asked, and whether its reader might read then."""

    client: Client
    question: Question
    begun: object
    announced: int
    was_allowed: bool


class ParleyMachine(RuleBasedStateMachine):
    """Drives any `System`; a subclass names another one, or another client."""

    make_system: ClassVar[Callable[[str], System]] = SimulatedSystem
    client_class: ClassVar[type[Client]] = Client
    page: ClassVar[int] = 2
    """How much a client asks for at once when it catches up at the end."""
    corner: ClassVar[str] = "fresh"
    histories: ClassVar[int] = 0
    """How many histories this class has begun; a planted fault reports it."""

    def __init__(self) -> None:
        super().__init__()
        type(self).histories += 1
        self.reference, self.network = Reference(), Network()
        self.clients = [self.client_class(device, person) for device, person in DEVICES.items()]
        self.reads: list[OpenRead] = []
        self.loads: list[object] = []
        self.cut: set[str] = set()
        self.copied = False
        self.number = 0

    @initialize(mode=modes, mishaps=st.sets(st.sampled_from(Mishap), max_size=3))
    def begin(self, mode: str, mishaps: set[Mishap]) -> None:
        """All are members and connected, then come to the corner; only these mishaps befall this history."""
        self.system = type(self).make_system(mode)
        self.mishaps = sorted(mishaps or Mishap, key=lambda mishap: mishap.value)
        for client, process in zip(self.clients, PROCESSES * 2, strict=True):
            self.connect_at_once(client, process)
        CORNERS[self.corner](self)

    @rule(turn=turns)
    def take(self, turn: Turn) -> None:
        getattr(self, turn.name)(**turn.arguments)

    # Sending and changing.

    def talk(
        self,
        device: int,
        conversation: str = CONVERSATIONS[0],
        *,
        new: int = 1,
        reply: int | None = None,
        sends: int = 1,
        ack_arrives: bool = True,
        aftermath: Aftermath = Aftermath.COMPLETE,
    ) -> None:
        """Write something new into the outbox, and send what comes next in it; a lost ack is sent again."""
        client = self.clients[device]
        roots = [row.id for row in self.system.committed(conversation).rows.values() if row.reply_to is None]
        reply_to = roots[reply % len(roots)] if roots and reply is not None else None
        for _ in range(new):
            self.number += 1
            client.write(conversation, f"text {self.number}", reply_to)
        for _ in range(sends):
            self.send_next(client, conversation, ack_arrives=ack_arrives, aftermath=aftermath)

    def send_next(
        self, client: Client, conversation: str, *, ack_arrives: bool = True, aftermath: Aftermath = Aftermath.COMPLETE
    ) -> None:
        send = client.outboxes[conversation].next()
        if send is None or client.process is None:
            return
        self.reference.try_send(send)
        try:
            copy = self.system.accept(client.process, send, aftermath)
        except Refused as refusal:
            client.take_refusal(send, refusal.code)
            return
        self.note_accepted(send)
        if ack_arrives:
            client.take_ack(copy)

    def note_accepted(self, send: Send) -> None:
        """Only what had not been accepted before needs a membership now."""
        if send.id not in self.reference.accepted:
            invariants.i8_only_members_are_served(self, SHARED, send.sender, send.conversation)
        self.reference.accept(send)

    def change(
        self, device: int, conversation: str, kind: Kind, which: int, aftermath: Aftermath = Aftermath.COMPLETE
    ) -> None:
        """Edit, delete or react to a message, mostly to an own one."""
        client = self.clients[device]
        rows = [row for row in self.system.committed(conversation).rows.values() if self.suits(client, kind, row)]
        if not rows or client.process is None:
            return
        self.number += 1
        value = f"edit {self.number}" if kind is Kind.EDIT else "+1"
        change = Change(kind, rows[which % len(rows)].id, value)
        try:
            self.system.change(client.process, client.person, change, aftermath)
        except Refused:
            return
        self.reference.change(client.person, change)

    def suits(self, client: Client, kind: Kind, row: Message) -> bool:
        return kind in (Kind.REACT, Kind.UNREACT) or row.sender == client.person

    # Draining.

    def drain(self, drainer: str, stages: int) -> None:
        for _ in range(stages):
            self.system.advance(drainer)

    # Delivering.

    def deliver(self, first: int, fate: Fate, everywhere: bool, many: int = 1000) -> None:
        """Events from one way, or from all ways in turn; which way comes first decides who overtakes whom."""
        ways = self.network.waiting()
        start = first % max(len(ways), 1)
        for way in [*ways[start:], *ways[:start]] if everywhere else ways[start : start + 1]:
            for _ in range(min(many, len(self.network.queues[way]))):
                self.hand_out(way[1], self.network.take(way, fate))

    def hand_out(self, process: str, events: list[Event]) -> None:
        for event in events:
            audience = self.system.audience(process, event.conversation)
            for client in self.clients:
                if client.process == process and client.person in audience:
                    invariants.i8_only_members_are_served(self, process, client.person, event.conversation)
                    client.hear(event)

    # Connecting and reading.

    def move(self, device: int, process: str | None) -> None:
        """Go offline, or come (back) to a process, which begins to load this person's memberships."""
        client = self.clients[device]
        client.process = None
        if process:
            client.connect(process)
            self.loads += [self.system.begin_load(process, client.person, c) for c in CONVERSATIONS]

    def connect_at_once(self, client: Client, process: str) -> None:
        client.connect(process)
        for conversation in CONVERSATIONS:
            self.system.load(process, client.person, conversation)

    def load_shared(self, person: str, conversation: str) -> None:
        self.loads.append(self.system.begin_load(SHARED, person, conversation))

    def finish_load(self, which: int) -> None:
        if self.loads:
            self.system.finish_load(self.loads.pop(which % len(self.loads)))

    def ask(self, device: int, conversation: str, reading: Reading, limit: int, at_once: bool) -> None:
        """Catch up or load a page; the answer comes at once, or after whatever happens meanwhile."""
        client = self.clients[device]
        if client.process is not None:
            after = client.views[conversation].position
            question = Question(reading, client.process, client.person, conversation, after, limit)
            self.reads.append(self.begin_read(client, question))
            if at_once:
                self.finish_read(self.reads.pop())

    def begin_read(self, client: Client, question: Question) -> OpenRead:
        announced = self.reference.announced[question.conversation]
        allowed = self.reference.may_reach(SHARED, question.person, question.conversation)
        return OpenRead(client, question, self.system.begin_read(question), announced, allowed)

    def answer(self, which: int) -> None:
        if self.reads:
            self.finish_read(self.reads.pop(which % len(self.reads)))

    def finish_read(self, read: OpenRead) -> None:
        question = read.question
        try:
            answer = self.system.finish_read(read.begun)
        except Refused:
            return
        if not read.was_allowed:
            invariants.i8_only_members_are_served(self, SHARED, question.person, question.conversation)
        invariants.i6_a_page_holds_each_message_once(question, answer)
        invariants.i6_an_answer_denies_nothing_announced(question, answer, read.announced)
        invariants.i6_an_answer_is_complete(self, question, answer)
        invariants.i7_a_page_shows_finals_as_final(self, answer)
        if read.client.process == question.process:
            fresh = question.reading is Reading.HISTORY
            read.client.take_answer(question.conversation, answer, fresh=fresh, after=question.after)

    # Memberships.

    def remove_or_add(self, person: str, conversation: str) -> None:
        is_member = (person, conversation) in self.reference.members
        try:
            (self.system.remove_member if is_member else self.system.add_member)(person, conversation)
        except Refused:
            return  # somebody holds the conversation just now
        (self.reference.remove if is_member else self.reference.add)(person, conversation)

    def hear(self, holder: str) -> None:
        self.system.hear(holder)
        self.reference.hear(holder)

    # Faults.

    def befall(self, which: int, process: str, place: int) -> None:
        """One of the mishaps this history is about."""
        self.suffer(self.mishaps[which % len(self.mishaps)], process, place)

    def suffer(self, mishap: Mishap, process: str = PROCESSES[0], place: int = 0) -> None:
        """From now on this history is about this mishap too."""
        if mishap not in self.mishaps:
            self.mishaps.append(mishap)
        getattr(self, mishap.name.lower())(process, place)

    def kill_drainer(self, process: str, place: int) -> None:
        self.system.kill_drainer(DRAINERS[place % len(DRAINERS)])

    def stall_drains(self, process: str, place: int) -> None:
        self.system.show_provisionals(process)

    def repair(self, process: str, place: int) -> None:
        self.system.repair()

    def cut_or_mend_log(self, process: str, place: int) -> None:
        (self.system.reach_log if process in self.cut else self.system.cut_log)(process)
        self.cut ^= {process}

    def copy_or_restore_log(self, process: str, place: int) -> None:
        (self.system.restore_log if self.copied else self.system.copy_log)()
        self.copied = not self.copied

    def forget_sends(self, process: str, place: int) -> None:
        self.system.forget_sends()

    def lose_cache(self, process: str, place: int) -> None:
        self.system.lose_cache()

    def evict_hot(self, process: str, place: int) -> None:
        positions = self.system.hot_positions(CONVERSATIONS[0])
        if positions:
            self.system.evict_hot(CONVERSATIONS[0], positions[place % len(positions)])

    def crash(self, process: str, place: int) -> None:
        """Its clients lose their sockets, its loads die with it, and it begins with no membership at all."""
        self.system.crash(process)
        for client in self.clients:
            if client.process == process:
                client.process = None
        self.loads = [load for load in self.loads if getattr(load, "holder", None) != process]

    # Checking.

    @invariant()
    def all_holds(self) -> None:
        """After each step: first what the database says, then what was emitted, then the rest."""
        for check in invariants.AT_EVERY_STEP:
            check(self)
        for emit in self.system.take_emits():
            invariants.i5_no_event_is_ahead_of_its_commit(self, emit)
            if isinstance(emit.event, Message) and emit.event.persisted:
                self.reference.announce(emit.event)
            self.network.publish(emit)
        self.look_in()

    def look_in(self) -> None:
        """A reader drops in after every step: whatever was announced last, it must be told."""
        for conversation, announced in self.reference.announced.items():
            reader = next((person for person in PEOPLE if (person, conversation) in self.reference.members), None)
            if announced and reader:
                client = Client("visitor", reader)
                question = Question(Reading.SYNC, PROCESSES[0], reader, conversation, announced - 1, FAR)
                self.finish_read(self.begin_read(client, question))

    def teardown(self) -> None:
        """Come to rest, unless the history has failed already."""
        if sys.exc_info()[0] is None and hasattr(self, "system"):
            self.come_to_rest()
        if hasattr(self, "system"):
            self.system.close()

    def come_to_rest(self) -> None:
        self.heal()
        for _ in range(ROUNDS):
            self.settle()
            if self.is_quiet():
                break
        for check in invariants.AT_REST:
            check(self)

    def heal(self) -> None:
        self.system.heal()
        for holder in HOLDERS:
            self.reference.hear(holder)
        for load in self.loads:
            self.system.finish_load(load)
        for read in self.reads:
            self.finish_read(read)
        for client, process in zip(self.clients, PROCESSES * 2, strict=True):
            self.connect_at_once(client, process)
        self.all_holds()

    def settle(self) -> None:
        """Send what is left, drain, lose every live event but the heads, and let each client catch up."""
        for client in self.clients:
            for conversation in CONVERSATIONS:
                for _ in range(2 * len(client.outboxes[conversation].waiting)):
                    self.send_next(client, conversation)
        self.drain_all()
        self.network.lose_all()
        self.system.repair()
        self.all_holds()
        for way in self.network.waiting():
            self.hand_out(way[1], [event for event in self.network.queues[way] if isinstance(event, Head)])
        self.network.lose_all()
        for client in self.clients:
            self.catch_up(client)
        self.all_holds()

    def drain_all(self) -> None:
        """Until the log is empty; one drainer alone, all locks free, so each round ends."""
        for _ in range(len(self.system.logged()) + 1):
            self.system.drain_once(DRAINERS[0])
        self.all_holds()

    def catch_up(self, client: Client) -> None:
        """As long as there is more."""
        for conversation in self.conversations_of(client):
            view = client.views[conversation]
            for _ in range(self.system.committed(conversation).head + 1):
                if view.behind and client.process:
                    question = Question(
                        Reading.SYNC, client.process, client.person, conversation, view.position, self.page
                    )
                    self.finish_read(self.begin_read(client, question))

    def is_quiet(self) -> bool:
        return not any(
            client.outboxes[conversation].waiting or client.views[conversation].behind
            for client in self.clients
            for conversation in self.conversations_of(client)
        )

    def conversations_of(self, client: Client) -> list[str]:
        return [c for c in CONVERSATIONS if (client.person, c) in self.reference.members]
