"""The adversary bites: it finds each planted fault within the ordinary budget, by the invariant the fault breaks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.model.corners import CORNERS
from tests.model.faults import FAULTS, Fault
from tests.model.invariants import Broken
from tests.model.machine import ParleyMachine
from tests.model.test_machine import attack

SEED = 20


def machine_for(fault: Fault) -> type[ParleyMachine]:
    attributes: dict[str, Any] = {"make_system": fault.system, "client_class": fault.client, "histories": 0}
    return type("FaultyMachine", (ParleyMachine,), attributes)


def attack_everywhere(machine: type[ParleyMachine], first: str) -> None:
    for corner in sorted(CORNERS, key=lambda name: name != first):
        attack(machine, corner, by_seed=SEED, shrink=False)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_the_machine_finds(fault: Fault) -> None:
    machine = machine_for(fault)
    with pytest.raises(Broken) as found:
        attack_everywhere(machine, first=fault.corner)
    print(f"{fault}: {found.value.invariant} broken after {machine.histories} histories ({machine.corner})")
    assert found.value.invariant in fault.breaks
