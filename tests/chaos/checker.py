"""Whether a recorded history keeps I1 to I9: the model's own invariants, on what the database holds at rest, and more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.chaos.recording import Recording
from tests.model import invariants
from tests.model.client import Client
from tests.model.invariants import Broken, require
from tests.model.reference import Reference
from tests.model.system import Snapshot

REMOVED_WITHIN_S = 1.0
GUEST, OUTSIDER = "guest", "outsider"


@dataclass(frozen=True)
class AtRest:
    """What the servers hold after everything has healed and everybody fallen silent."""

    snapshots: dict[str, Snapshot]
    in_log: frozenset[str]
    doubles: tuple[str, ...]
    """Contents that lie in the database more than once."""

    def logged(self) -> set[str]:
        """The ids in the message log."""
        return set(self.in_log)

    def committed(self, conversation: str) -> Snapshot:
        """What the database holds of a conversation."""
        return self.snapshots[conversation]

    def holds(self, message_id: str) -> bool:
        """Tell whether the database holds a message."""
        return any(message_id in snapshot.rows for snapshot in self.snapshots.values())


@dataclass(frozen=True)
class World:
    """A history, in the form that the model's invariants look at."""

    system: AtRest
    record: Recording
    clients: list[Client]

    @property
    def reference(self) -> Reference:
        """What was promised."""
        return self.record.reference


def i1_nothing_is_there_twice(world: World) -> None:
    """I1: exactly once."""
    require("I1", not world.system.doubles, "in the database more than once", world.system.doubles)


def i1_what_was_shown_as_final_is_there(world: World) -> None:
    """I1 and I5: whatever carried a position is committed there, and has not moved."""
    for own, seq, changed_seq in world.record.finals:
        row = next((s.rows[own] for s in world.system.snapshots.values() if own in s.rows), None)
        true = row is not None and row.seq == seq and row.changed_seq >= changed_seq
        require("I5", true, "shown with a position that is not committed", own, seq, changed_seq, row)


def i2_what_was_written_arrives(world: World) -> None:
    """I2: what lies in an outbox is sent until it is in the database, whatever befell the sends before."""
    sendings = world.record.sendings.values()
    missing = [one.send.id for one in sendings if one.is_kept and not world.system.holds(one.send.id)]
    require("I2", not missing, "written, kept in an outbox and never stored", missing[:5])


def i6_every_event_can_be_read(world: World) -> None:
    """I6: what nobody has sent is shown to nobody; what a member sends is not refused for good."""
    require("I6", not world.record.unreadable, "heard or answered", world.record.unreadable[:3])


def i8_the_outsider_is_given_nothing(world: World) -> None:
    """I8: nothing reaches one who was never a member."""
    given = [glimpse for glimpse in world.record.glimpses if glimpse.person == OUTSIDER]
    require("I8", not given, "given to the outsider", given[:3])


def i8_the_removed_guest_is_given_nothing(world: World) -> None:
    """I8: nothing that was sent or asked a second after a removal reaches the removed."""
    for glimpse in world.record.glimpses:
        if glimpse.person != GUEST:
            continue
        sending = world.record.sendings.get(glimpse.message or "")
        begun_at = sending.asked_at[0] if sending else glimpse.at
        for removed_at, added_at in world.record.removals:
            outside = removed_at + REMOVED_WITHIN_S < begun_at and glimpse.at < added_at
            require("I8", not outside, "given to the removed guest", glimpse, begun_at - removed_at)


def i9_every_send_was_answered(world: World) -> None:
    """I9: an ack, a refusal with a reason, or a connection that broke; never silence."""
    require("I9", not world.record.silent, "met with silence", world.record.silent[:5])


def every_device_lived(world: World) -> None:
    """A device that fell over looked at nothing any more."""
    for client in world.clients:
        failure = getattr(client, "failure", None)
        require("I6", failure is None, "a client could not make sense of", client.device, failure)
        require("I6", bool(client.process), "a client never came back", client.device)


OF_HISTORIES: tuple[Callable[[World], None], ...] = (
    i1_nothing_is_there_twice,
    i1_what_was_shown_as_final_is_there,
    i2_what_was_written_arrives,
    i6_every_event_can_be_read,
    i8_the_outsider_is_given_nothing,
    i8_the_removed_guest_is_given_nothing,
    i9_every_send_was_answered,
    every_device_lived,
)
OF_THE_MODEL = (
    invariants.i3_positions_have_no_hole,  # first: it has the reference look at the database
    invariants.i1_what_is_committed_stays_as_it_was_promised,
    invariants.i2_what_is_accepted_is_held,
    invariants.i4_one_device_keeps_its_order,
    invariants.i6_no_view_lacks_what_its_position_covers,
    invariants.i7_every_copy_is_a_true_state,
    *invariants.AT_REST,
)


def broken(world: World) -> Iterator[Broken]:
    """Give each invariant that does not hold."""
    for check in (*OF_THE_MODEL, *OF_HISTORIES):
        try:
            check(world)  # type: ignore[arg-type]
        except Broken as found:
            yield found


# The numbers of the report.


def lost(world: World) -> list[str]:
    """List what was accepted and is not in the database."""
    return [own for own in world.reference.accepted if not world.system.holds(own)]


def holes(world: World) -> int:
    """Count positions that no change has taken."""
    return sum(len(chronicle.unaccounted) for chronicle in world.reference.chronicles.values())


def inversions(world: World) -> int:
    """Count messages that lie after a later one of the same device."""
    count = 0
    for snapshot in world.system.snapshots.values():
        last: dict[str, int] = {}
        for row in sorted(snapshot.rows.values(), key=lambda row: row.seq or 0):
            send = world.reference.sent[row.id]
            count += last.get(send.device, 0) >= send.number
            last[send.device] = max(last.get(send.device, 0), send.number)
    return count
