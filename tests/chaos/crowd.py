"""Everybody who uses the Parley under fire: members with their devices, tabs that close, a guest, an outsider."""

from __future__ import annotations

import itertools
import time
import uuid
from dataclasses import dataclass, field

from tests.chaos.people import Device, Habits
from tests.chaos.recording import Recording
from tests.chaos.strangers import Doorkeeper, Onlooker, Tabs
from tests.model.system import CONVERSATIONS, PEOPLE
from tests.support.clients import Person

GUEST, OUTSIDER = "guest", "outsider"
BROWSERS = ("first", "second")
WRITERS = {"ann": "laptop", "ben": "phone", "cleo": "tablet"}


@dataclass
class Crowd:
    """The people of a run; ``start`` has them live."""

    urls: list[str]
    record: Recording
    seed: int
    write_every_s: float = 0.25
    resends: bool = True
    calm: bool = False
    """Members only, who stay, and write what they are told to."""
    devices: list[Device] = field(default_factory=list)
    others: list[Tabs | Onlooker | Doorkeeper] = field(default_factory=list)

    def gather(self) -> None:
        """Register everybody, make the conversations, and prepare the devices."""
        word = uuid.uuid4().hex[:8]
        self.people = {
            name: Person(self.urls[n % 2], f"{name}{word}") for n, name in enumerate((*PEOPLE, GUEST, OUTSIDER))
        }
        members = [self.people[name] for name in PEOPLE]
        rooms = {name: self._make(name, word, members) for name in CONVERSATIONS}
        self.record.words.conversations = {own: name for name, own in rooms.items()}
        self.record.words.people = {person.id: name for name, person in self.people.items()}
        for name, device in WRITERS.items():
            if self.calm:
                self._add(f"{name}'s {device}", name, Habits())
                self._add(f"{name}'s reader", name, Habits())
            else:
                self._add(f"{name}'s {device}", name, Habits(self.write_every_s, resends=self.resends))
                self._add(f"{name}'s other {device}", name, Habits(2 * self.write_every_s, 4.0, resends=self.resends))
                self._add(f"{name}'s reader", name, Habits(stay_s=3.0 if name == "cleo" else 0.0))
        if not self.calm:
            self._add_strangers()

    def _add_strangers(self) -> None:
        for name, browser in itertools.product(PEOPLE, BROWSERS):
            token, tab = str(self.people[name].token), f"{name}'s {browser} tab"
            every_s, seed = 2 * self.write_every_s, f"{self.seed} {tab}"
            self.others.append(Tabs(tab, name, token, self.urls, self.record, every_s=every_s, seed=seed))
        for name in (GUEST, OUTSIDER):
            self.others.append(Onlooker(self.people[name], name, self.urls, self.record, f"{self.seed} {name}"))
        owner, guest = self.people[PEOPLE[0]], self.people[GUEST]
        self.others.append(Doorkeeper(owner, guest, self.urls, self.record, f"{self.seed} door"))

    def _make(self, name: str, word: str, members: list[Person]) -> str:
        if name == CONVERSATIONS[0]:
            members = [*members, self.people[GUEST]]
        return members[0].room(f"{name}-{word}", *members[1:], visibility="private")

    def _add(self, name: str, person: str, habits: Habits) -> None:
        token = str(self.people[person].token)
        self.devices.append(Device(name, person, token, self.urls, self.record, habits, f"{self.seed} {name}"))

    def start(self) -> None:
        """Have everybody begin."""
        for one in (*self.devices, *self.others):
            one.start()

    def fall_quiet(self) -> None:
        """Nobody writes anything new; devices stay, send what is left, and follow."""
        for one in (*self.devices, *self.others):
            one.quiet.set()
        for one in self.others:
            one.join(30)

    def end(self) -> None:
        """Everybody hangs up."""
        for device in self.devices:
            device.end.set()
        for device in self.devices:
            device.join(30)

    def until_at_rest(self, heads: dict[str, int], *, within_s: float) -> float | None:
        """Wait until every device holds these positions and has nothing left to send; gives the seconds, or None."""
        began = time.monotonic()
        while time.monotonic() - began < within_s:
            if all(device.is_at_rest(heads) or device.failure for device in self.devices):
                return time.monotonic() - began
            time.sleep(0.05)
        return None
