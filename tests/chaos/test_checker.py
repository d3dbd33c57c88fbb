"""The judge bites: each way in which a history can be wrong is found, and a right one passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.chaos.checker import AtRest, World, broken
from tests.chaos.line import Fate, Reply
from tests.chaos.recording import Glimpse, Recording
from tests.model.client import Client, View
from tests.model.system import CONVERSATIONS, Message, Send, Snapshot, provisional

pytestmark = pytest.mark.fast
DEN, HALL = CONVERSATIONS
ANN, ROOM = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000d"


@dataclass
class Story:
    """Three messages of Ann's laptop in the den, all accepted, committed and seen by Ben."""

    def __post_init__(self) -> None:
        self.record = Recording()
        self.record.words.people = {ANN: "ann"}
        self.record.words.conversations = {ROOM: DEN}
        self.sends = [Send("laptop", "ann", DEN, n, f"line {n}") for n in (1, 2, 3)]
        for send in self.sends:
            self.record.begin(send, is_kept=True)
            self.record.answer(send, Reply(Fate.OK))
        self.rows = [replace(provisional(s), seq=s.number, changed_seq=s.number) for s in self.sends]
        self.record.finals = {(row.id, row.seq or 0, row.changed_seq) for row in self.rows}
        self.client = Client("reader", "ben")
        self.client.process = "web0"
        self.client.views[DEN] = View(position=3, messages={row.id: row for row in self.rows})
        self.head = 3
        self.in_log: frozenset[str] = frozenset()
        self.doubles: tuple[str, ...] = ()

    def world(self) -> World:
        snapshots = {DEN: Snapshot(self.head, {row.id: row for row in self.rows}), HALL: Snapshot()}
        return World(AtRest(snapshots, self.in_log, self.doubles), self.record, [self.client])

    def show(self, row: Message) -> None:
        self.client.views[DEN].messages[row.id] = row


def lose_the_last(story: Story) -> None:
    story.rows.pop()
    story.head = 2
    story.client.views[DEN] = View(position=2, messages={row.id: row for row in story.rows})
    story.record.finals = {(row.id, row.seq or 0, row.changed_seq) for row in story.rows}


def leave_a_hole(story: Story) -> None:
    story.head = 4


def swap_two(story: Story) -> None:
    one, two, three = story.rows
    story.rows = [replace(one, seq=2, changed_seq=2), replace(two, seq=1, changed_seq=1), three]


def store_twice(story: Story) -> None:
    story.doubles = ("line 1",)


def store_what_nobody_wrote(story: Story) -> None:
    story.rows[0] = replace(story.rows[0], content="something else")


def keep_an_entry_in_the_log(story: Story) -> None:
    story.in_log = frozenset({story.rows[0].id})


def show_a_position_that_was_rolled_back(story: Story) -> None:
    story.record.finals.add((story.rows[2].id, 2, 2))


def leave_one_unseen(story: Story) -> None:
    del story.client.views[DEN].messages[story.rows[1].id]


def leave_one_provisional(story: Story) -> None:
    story.show(provisional(story.sends[1]))


def answer_nothing(story: Story) -> None:
    story.record.answer(story.sends[0], Reply(Fate.SILENT))


def tell_the_outsider(story: Story) -> None:
    story.record.glimpses.append(Glimpse("outsider", 0.0, "message", story.rows[0].id))


def tell_the_removed_guest(story: Story) -> None:
    begun_at = story.record.sendings[story.sends[0].id].asked_at[0]
    story.record.removals.append((begun_at - 1.5, float("inf")))
    story.record.glimpses.append(Glimpse("guest", begun_at + 0.1, "message", story.rows[0].id))


def forget_what_is_in_an_outbox(story: Story) -> None:
    story.record.begin(Send("laptop", "ann", DEN, 4, "line 4"), is_kept=True)


def fall_over(story: Story) -> None:
    story.client.process = None


WRONGS: dict[Callable[[Story], Any], str] = {
    lose_the_last: "I2",
    leave_a_hole: "I3",
    swap_two: "I4",
    store_twice: "I1",
    store_what_nobody_wrote: "I1",
    keep_an_entry_in_the_log: "I2",
    show_a_position_that_was_rolled_back: "I5",
    leave_one_unseen: "I6",
    leave_one_provisional: "I7",
    answer_nothing: "I9",
    tell_the_outsider: "I8",
    tell_the_removed_guest: "I8",
    forget_what_is_in_an_outbox: "I2",
    fall_over: "I6",
}


def test_a_right_history_passes() -> None:
    assert list(broken(Story().world())) == []


@pytest.mark.parametrize("wrong", WRONGS, ids=lambda wrong: wrong.__name__)
def test_the_judge_finds(wrong: Callable[[Story], Any]) -> None:
    story = Story()
    wrong(story)
    assert WRONGS[wrong] in {found.invariant for found in broken(story.world())}


def test_what_was_sent_before_a_removal_took_effect_may_still_arrive() -> None:
    story = Story()
    begun_at = story.record.sendings[story.sends[0].id].asked_at[0]
    story.record.removals.append((begun_at - 0.5, float("inf")))
    story.record.glimpses.append(Glimpse("guest", begun_at + 5, "message", story.rows[0].id))
    assert list(broken(story.world())) == []
