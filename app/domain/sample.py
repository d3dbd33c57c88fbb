"""What the demo's people say."""

from __future__ import annotations

from typing import NamedTuple


class Line(NamedTuple):
    """Something that somebody says."""

    who: str
    words: str


class Room(NamedTuple):
    """A room of the demo, with its first words."""

    slug: str
    title: str
    topic: str
    lines: tuple[Line, ...]


ROOMS = (
    Room(
        "welcome",
        "Welcome",
        "Say hello, and try to lose a message",
        (
            Line(
                "alice",
                "Welcome to Parley! This is the demo: four people and an admin, everything on your own machine.",
            ),
            Line("bob", "What should I try first?"),
            Line(
                "alice",
                "Open a second browser as @bob, write to each other, then stop the worker or Redis while you do.",
            ),
            Line("carol", "I did. It said “connecting…”, and then everything was there, in order. 👌"),
            Line("dave", "Same here, with the laptop closed for an hour."),
        ),
    ),
    Room(
        "engineering",
        "Engineering",
        "How it works inside",
        (
            Line(
                "carol",
                "The ack means: on stable storage. The tick means: committed in PostgreSQL, at a position of its own.",
            ),
            Line("dave", "And positions have no holes, so a client knows when it is complete."),
            Line("carol", "ARCHITECTURE.md walks through it in five minutes."),
        ),
    ),
    Room(
        "random",
        "Random",
        "Anything else",
        (Line("dave", "Lunch?"), Line("alice", "In ten minutes.")),
    ),
)
DIRECT = (
    Line("alice", "Hi Bob, this one is just between us."),
    Line("bob", "Good. Edits, reactions and replies work here too."),
)
# A customer who waits for an answer: who they are, and what is said ("staff" is whoever answers customers).
CUSTOMER = ("Mia Hansen", "mia@customer.example", "C-1042")
SUPPORT = (
    Line("customer", "Hello, the invoice of May shows two seats, but we are three. Can you correct it?"),
    Line("staff", "Good morning Mia, thank you for telling us. I see it, and the corrected invoice is on its way."),
    Line("customer", "That was quick. Could you send it to accounting as well?"),
)
