"""Situations that chance seldom reaches: a history may begin in one, and goes on at random from there.

Each is legal play, a few turns of the machine. None aims at a fault alone: what makes it dangerous is left to chance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.model.network import Fate
from tests.model.system import CONVERSATIONS, SHARED, Kind, Reading, Stage
from tests.model.turns import Mishap

if TYPE_CHECKING:
    from tests.model.machine import ParleyMachine


PHONE, LAPTOP, BEN, CLEO = range(4)
DEN = CONVERSATIONS[0]
WEB_1, WEB_2 = "web-1", "web-2"
INSERTED, COMMITTED = Stage.INSERTED, Stage.COMMITTED


def fresh(machine: ParleyMachine) -> None:
    """Everybody has just come in."""


def small_talk(machine: ParleyMachine) -> None:
    """Four messages, drained and delivered."""
    for device in (PHONE, LAPTOP, BEN, CLEO):
        machine.talk(device)
    machine.drain_all()
    machine.deliver(0, Fate.ARRIVES, everywhere=True)


def wanderer(machine: ParleyMachine) -> None:
    """One device sends on one process, on the other, and on the first again; none of it is drained."""
    for process in (WEB_2, WEB_1):
        machine.talk(PHONE, sends=3)
        machine.move(PHONE, process)
    machine.talk(PHONE, sends=3)


def no_log(machine: ParleyMachine) -> None:
    """A process loses the log when it has put something into it."""
    machine.talk(PHONE)
    machine.suffer(Mishap.CUT_OR_MEND_LOG, WEB_1)


def wanderer_without_log(machine: ParleyMachine) -> None:
    """A wanderer's first process loses the log."""
    wanderer(machine)
    machine.suffer(Mishap.CUT_OR_MEND_LOG, WEB_1)


def in_and_out_in_mid_send(machine: ParleyMachine) -> None:
    """Somebody sends, comes to a process without the log before hearing the ack, is removed, retries, is back."""
    machine.talk(PHONE, ack_arrives=False)
    machine.suffer(Mishap.CUT_OR_MEND_LOG, WEB_2)
    machine.move(PHONE, WEB_2)
    machine.remove_or_add("ann", DEN)
    machine.talk(PHONE, new=0)
    machine.remove_or_add("ann", DEN)


def open_transaction(machine: ParleyMachine) -> None:
    """A drainer stops in the middle of its transaction, and may be killed there."""
    machine.talk(PHONE, new=2, sends=2)
    machine.drain("worker", INSERTED)
    machine.suffer(Mishap.KILL_DRAINER, place=1)


def stalled_drainer(machine: ParleyMachine) -> None:
    """A drainer stops right after its commit, and others go on."""
    small_talk(machine)
    machine.talk(PHONE)
    machine.drain("worker", COMMITTED)
    machine.change(BEN, DEN, Kind.REACT, 0)


def late_for_the_cache(machine: ParleyMachine) -> None:
    """The cache is emptied before the stalled drainer goes on."""
    stalled_drainer(machine)
    machine.all_holds()
    machine.suffer(Mishap.LOSE_CACHE)


def late_provisional(machine: ParleyMachine) -> None:
    """A provisional copy is on its way when its final one is committed and emitted."""
    machine.talk(PHONE, ack_arrives=False)
    machine.suffer(Mishap.STALL_DRAINS, WEB_1)
    machine.all_holds()
    machine.drain("worker", 6)


def between_pages(machine: ParleyMachine) -> None:
    """Somebody who has missed a lot has got the first page of it; a reply is on its way meanwhile."""
    machine.move(CLEO, None)
    for device in (PHONE, LAPTOP):
        machine.talk(device)
    machine.drain_all()
    machine.network.lose_all()
    machine.talk(BEN, reply=0)
    machine.drain_all()
    machine.connect_at_once(machine.clients[CLEO], WEB_1)
    machine.ask(CLEO, DEN, Reading.SYNC, 1, at_once=True)


def loads_under_way(machine: ParleyMachine) -> None:
    """Memberships are on their way from the database into the caches when one of them ends."""
    machine.mishaps.append(Mishap.LOSE_CACHE)
    machine.load_shared("ben", DEN)
    machine.move(BEN, WEB_1)
    machine.remove_or_add("ben", DEN)
    machine.hear(SHARED)


def old_copy(machine: ParleyMachine) -> None:
    """A copy of the log is taken; then somebody is removed."""
    machine.talk(BEN)
    machine.suffer(Mishap.COPY_OR_RESTORE_LOG)
    machine.remove_or_add("ben", DEN)
    machine.hear(SHARED)


def old_copy_of_a_root(machine: ParleyMachine) -> None:
    """A message is drained, answered, and comes back with an old copy of the log, while the answer is on its way."""
    machine.talk(PHONE)
    machine.suffer(Mishap.COPY_OR_RESTORE_LOG)
    machine.drain_all()
    machine.deliver(0, Fate.ARRIVES, everywhere=True)
    machine.talk(BEN, reply=0)
    machine.drain_all()
    machine.suffer(Mishap.COPY_OR_RESTORE_LOG)
    machine.drain("stand-in", Stage.DELETED)


CORNERS: dict[str, Callable[[ParleyMachine], None]] = {
    corner.__name__: corner
    for corner in (
        fresh,
        small_talk,
        wanderer,
        no_log,
        wanderer_without_log,
        in_and_out_in_mid_send,
        open_transaction,
        stalled_drainer,
        late_for_the_cache,
        late_provisional,
        between_pages,
        loads_under_way,
        old_copy,
        old_copy_of_a_root,
    )
}
