"""The adversary bites: it finds each planted fault within the ordinary budget, by the invariant the fault breaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import seed
from hypothesis.stateful import run_state_machine_as_test

from tests.model.faults import FAULTS, Fault
from tests.model.invariants import Broken
from tests.model.machine import ParleyMachine
from tests.model.test_machine import budget

SEED = 20
BUDGET = 200


def machine_for(fault: Fault) -> type[ParleyMachine]:
    attributes: dict[str, Any] = {"make_system": fault.system, "client_class": fault.client, "histories": 0}
    return type("FaultyMachine", (ParleyMachine,), attributes)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_the_machine_finds(fault: Fault, record_property: Callable[[str, object], None]) -> None:
    machine = machine_for(fault)
    with pytest.raises(Broken) as found:
        run_state_machine_as_test(seed(SEED)(machine), settings=budget(BUDGET, shrink=False))
    record_property("histories", machine.histories)
    print(f"{fault}: {found.value.invariant} broken after {machine.histories} histories")
    assert found.value.invariant in fault.breaks
