"""Named people for one stack: made once, because each account costs a password hash; every test makes its own rooms."""

from __future__ import annotations

import uuid

from tests.support.clients import Person, Socket
from tests.support.stack import Stack, until


class Cast:
    """Ann, Ben and Cyd talk; Dan is the outsider. Ann and Cyd are at the first web process, Ben and Dan at the second."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        word = "c" + uuid.uuid4().hex[:8]
        self.ann, self.ben, self.cyd, self.dan = (
            Person(stack.urls[number % 2], f"{word}-{who}") for number, who in enumerate(("ann", "ben", "cyd", "dan"))
        )
        self._devices: dict[str, Socket] = {}

    def device(self, person: Person) -> Socket:
        """Give someone's device; it stays connected through the whole run."""
        if person.id not in self._devices or not self._devices[person.id].client.connected:
            self._devices[person.id] = person.socket()
        return self._devices[person.id]

    def room(self, slug: str, *members: Person, owner: Person | None = None, visibility: str = "public") -> str:
        """Make a room, with the members' devices in it."""
        maker = owner or self.ann
        return self._entered(maker.room(slug, *members, visibility=visibility), maker, *members)

    def group(self, title: str, *members: Person) -> str:
        """Make a group of Ann's, with the members' devices in it."""
        return self._entered(self.ann.group(title, *members), self.ann, *members)

    def _entered(self, conversation_id: str, *people: Person) -> str:
        for person in people:
            if person.id in self._devices:
                listens(self.device(person), conversation_id)  # one that was cut off comes back, as clients do
        return conversation_id

    def close(self) -> None:
        """Close every device."""
        for person in (self.ann, self.ben, self.cyd, self.dan):
            person.close()


def listens(device: Socket, conversation_id: str) -> None:
    """Wait until the server has put a device into a conversation."""
    held = f"conversation:{conversation_id}"
    until(lambda: held in device.ok("subscribe", {"channels": []})["channels"], what=f"{held} at the device")
