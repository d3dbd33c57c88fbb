"""A client as the protocol (sections 6 and 7) wants it: one position per conversation, gap repair, an outbox."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tests.model.system import CONVERSATIONS, Answer, Event, Head, Message, Send


@dataclass
class View:
    """What one conversation looks like on one screen, and the position that describes it."""

    position: int = 0
    messages: dict[str, Message] = field(default_factory=dict)
    early: dict[int, Message] = field(default_factory=dict)
    behind: bool = True
    paging: bool = False

    def hear(self, event: Event) -> None:
        """Apply the next event, ignore a repeat, and keep one that comes too early until the gap is closed."""
        if isinstance(event, Head):
            self.behind |= event.position > self.position
        elif not event.persisted:
            self.show_provisional(event)
        elif event.changed_seq > self.position:
            self.early[event.changed_seq] = event
            self.apply_early()

    def show_provisional(self, message: Message) -> None:
        """A provisional copy never replaces a final one."""
        if message.id not in self.messages:
            self.messages[message.id] = message

    def show_ack(self, message: Message) -> None:
        """An ack shows the message; it is no event, so it moves neither the position nor the root's count."""
        if message.persisted:
            self.keep(replace(message, root_reply_count=None))
        else:
            self.show_provisional(message)

    def apply_early(self) -> None:
        """Between two pages of a catch-up live events wait: a reply's root may be on a page still to come."""
        while self.position + 1 in self.early and not self.paging:
            self.position += 1
            self.keep(self.early.pop(self.position))
        self.early = {position: event for position, event in self.early.items() if position > self.position}
        self.behind |= bool(self.early)

    def keep(self, message: Message, *, counts: bool = True) -> None:
        """Last changedSeq wins; at an equal one the full copy does (a root may be known by its new count only)."""
        old = self.messages.get(message.id)
        if old is None or not old.persisted or old.changed_seq <= message.changed_seq:
            self.messages[message.id] = message
        if counts and message.root_reply_count is not None and (message.seq == message.changed_seq or message.deleted):
            self.count_reply(message, message.root_reply_count)

    def count_reply(self, reply: Message, count: int) -> None:
        """Only a reply that comes or goes moves its root; what else happens to it later does not count anew."""
        root = self.messages.get(reply.reply_to or "")
        if root and root.persisted and root.changed_seq < reply.changed_seq:
            self.messages[root.id] = replace(root, reply_count=count, changed_seq=reply.changed_seq)

    def catch_up(self, answer: Answer) -> None:
        """Take what was missed. A root comes itself, on a later page than its reply if more has happened to it."""
        for message in answer.messages:
            self.keep(message, counts=False)
        self.position = max(self.position, answer.up_to)
        self.behind = self.paging = answer.has_more
        self.apply_early()

    def load(self, answer: Answer) -> None:
        """Begin anew from a page of history."""
        self.position, self.early, self.behind, self.paging = answer.up_to, {}, False, False
        self.messages = {message.id: message for message in answer.messages}

    def on_screen(self) -> list[Message]:
        """Finals by position; the provisional ones after them."""
        finals = [message for message in self.messages.values() if message.persisted]
        waiting = [message for message in self.messages.values() if not message.persisted]
        return [*sorted(finals, key=lambda message: message.seq or 0), *waiting]


@dataclass
class Outbox:
    """What a device has written in one conversation and not seen persisted; the first `acked` have their ack."""

    waiting: list[Send] = field(default_factory=list)
    acked: int = 0

    def next(self) -> Send | None:
        """The first without an ack, naming the one before it."""
        if self.acked >= len(self.waiting):
            return None
        before = self.waiting[self.acked - 1].id if self.acked else None
        return replace(self.waiting[self.acked], after=before)

    def start_over(self) -> None:
        self.acked = 0

    def remove(self, message_id: str) -> None:
        place = next((i for i, send in enumerate(self.waiting) if send.id == message_id), None)
        if place is not None:
            self.acked -= place < self.acked
            del self.waiting[place]


class Client:
    """One device of one person, connected to one process or to none."""

    view_class = View

    def __init__(self, device: str, person: str) -> None:
        self.device, self.person = device, person
        self.process: str | None = None
        self.views = {conversation: self.view_class() for conversation in CONVERSATIONS}
        self.outboxes = {conversation: Outbox() for conversation in CONVERSATIONS}
        self.written = 0

    def write(self, conversation: str, content: str, reply_to: str | None = None) -> None:
        self.written += 1
        send = Send(self.device, self.person, conversation, self.written, content, reply_to)
        self.outboxes[conversation].waiting.append(send)

    def connect(self, process: str) -> None:
        """`ready` tells it where it is behind; here it asks always, and resends its outbox from the start."""
        self.process = process
        for conversation in CONVERSATIONS:
            self.outboxes[conversation].start_over()
            self.views[conversation].behind = True

    def hear(self, event: Event) -> None:
        self.views[event.conversation].hear(event)
        self.seen(event)

    def seen(self, event: Event) -> None:
        if isinstance(event, Message) and event.persisted:
            self.outboxes[event.conversation].remove(event.id)

    def take_ack(self, copy: Message) -> None:
        self.outboxes[copy.conversation].acked += 1
        self.views[copy.conversation].show_ack(copy)
        self.seen(copy)

    def take_refusal(self, send: Send, code: str) -> None:
        """A temporary refusal is tried again; one for good ends the send."""
        outbox = self.outboxes[send.conversation]
        if code == "out_of_order":
            outbox.start_over()
        if code == "not_found":
            outbox.remove(send.id)
            self.views[send.conversation].messages.pop(send.id, None)

    def take_answer(self, conversation: str, answer: Answer, *, fresh: bool, after: int) -> None:
        view = self.views[conversation]
        if fresh:
            view.load(answer)
        elif after > view.position:
            view.behind = True  # it was asked for before a page began anew further back: what lies between is not in it
        else:
            view.catch_up(answer)
        for message in answer.messages:
            self.seen(message)
