"""What can happen next, how often, and with which arguments: the strategies the machine draws its turns from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from hypothesis import strategies as st

from tests.model.network import Fate
from tests.model.system import CONVERSATIONS, DRAINERS, HOLDERS, PEOPLE, PROCESSES, Aftermath, Kind, Reading

DEVICES = {"ann-phone": "ann", "ann-laptop": "ann", "ben-laptop": "ben", "cleo-phone": "cleo"}


class Mishap(Enum):
    """What may befall the parts. Hypothesis draws a few of them for each history, so that they meet."""

    KILL_DRAINER = "a drainer dies"
    STALL_DRAINS = "the drain is slow, so provisional copies are shown"
    REPAIR = "the healer runs"
    CUT_OR_MEND_LOG = "a process loses the log, or finds it again"
    COPY_OR_RESTORE_LOG = "an old copy of the log comes back"
    FORGET_SENDS = "the log's memory of drained sends expires"
    LOSE_CACHE = "the cache is emptied"
    EVICT_HOT = "the hot history loses one position"
    CRASH = "a web process dies"


devices = st.sampled_from([0, 0, 0, *range(len(DEVICES))])
conversations = st.sampled_from([*CONVERSATIONS[:1] * 3, *CONVERSATIONS[1:]])
processes = st.sampled_from(PROCESSES)
aftermaths = st.sampled_from([*[Aftermath.COMPLETE] * 3, *Aftermath])
places = st.integers(0, 7)
modes = st.sampled_from(["behind", "behind", "behind", "through"])


@dataclass(frozen=True)
class Turn:
    """What happens next: a method of the machine, and its arguments."""

    name: str
    arguments: dict[str, Any]

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.arguments.items())})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


TURNS: dict[str, tuple[int, dict[str, st.SearchStrategy[Any]]]] = {
    "talk": (
        6,
        {
            "device": devices,
            "conversation": conversations,
            "new": st.sampled_from([1, 0, 2]),
            "reply": st.one_of(st.none(), places),
            "sends": st.sampled_from([1, 2, 0, 3]),
            "ack_arrives": st.booleans(),
            "aftermath": aftermaths,
        },
    ),
    "change": (
        3,
        {
            "device": devices,
            "conversation": conversations,
            "kind": st.sampled_from(Kind),
            "which": places,
            "aftermath": aftermaths,
        },
    ),
    "drain": (4, {"drainer": st.sampled_from(DRAINERS), "stages": st.integers(1, 6)}),
    "deliver": (
        3,
        {
            "first": places,
            "fate": st.sampled_from([Fate.ARRIVES, *Fate]),
            "everywhere": st.booleans(),
            "many": st.sampled_from([1, 2, 1000]),
        },
    ),
    "move": (2, {"device": devices, "process": st.sampled_from([None, *PROCESSES, *PROCESSES])}),
    "load_shared": (1, {"person": st.sampled_from(PEOPLE), "conversation": conversations}),
    "finish_load": (1, {"which": places}),
    "ask": (
        3,
        {
            "device": devices,
            "conversation": conversations,
            "reading": st.sampled_from([Reading.SYNC, *Reading]),
            "limit": st.integers(1, 3),
            "at_once": st.booleans(),
        },
    ),
    "answer": (1, {"which": places}),
    "remove_or_add": (1, {"person": st.sampled_from(PEOPLE), "conversation": conversations}),
    "hear": (1, {"holder": st.sampled_from(HOLDERS)}),
    "befall": (4, {"which": places, "process": processes, "place": places}),
}
"""Each turn with its weight. They are one rule, not twelve: hypothesis switches off random rules in each history, which
left two histories of three without a single commit."""

turns = st.sampled_from([name for name, (weight, _) in TURNS.items() for _ in range(weight)]).flatmap(
    lambda name: st.fixed_dictionaries(TURNS[name][1]).map(lambda arguments: Turn(name, arguments))
)
