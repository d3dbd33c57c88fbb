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


COMMIT = """The whole trick is here, everything else is waiting:

```python
def submit(send: Send) -> Sent:
    queue.append(send)
    with turn:  # whoever has the turn commits for all who wait
        if not send.done:
            batch = queue.take(500)
            with transaction(SYSTEM) as tx:
                apply(tx, batch)
    return send.result
```"""
COSTS = """Like this?

| write mode | ack after | p95 |
|---|---|---|
| behind | the log's fsync | 12 ms |
| through | the database's commit | 19 ms |"""

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
            Line("bob", "Who has looked at the latencies of last night? I was asleep, for once."),
            Line("dave", "I did. p95 went from 41 ms to **12 ms** when sends that wait share one commit."),
            Line("carol", COMMIT),
            Line("bob", "@alice could you read this before noon? @carol wrote the hard part."),
            Line(
                "alice",
                "On it. Two small things so far:\n1. give the 500 a name\n2. say in the docs what `through` costs",
            ),
            Line("dave", COSTS),
            Line("alice", "Then it is good to go. I will ship it after lunch."),
            Line("bob", "🎉"),
        ),
    ),
    Room(
        "random",
        "Random",
        "Anything else",
        (
            Line("carol", "The heron is back on the roof of number 12. It has been standing there for an hour."),
            Line("bob", "It is waiting for a retry."),
            Line("dave", "Lunch? There is a new place at the canal, soup and very good bread."),
            Line("alice", "In ten minutes. Keep me a seat by the window."),
        ),
    ),
)
DIRECT = (
    Line("alice", "Hi Bob, this one is just between us."),
    Line("bob", "Good. Edits, reactions and replies work here too."),
    Line("alice", "I have moved our talk to Thursday, three o'clock. Does that suit you?"),
    Line("bob", "Thursday is fine. I will bring the numbers, you bring the good mood."),
)
# A customer who waits for an answer: who they are, and what is said ("staff" is whoever answers customers).
CUSTOMER = ("Mia Hansen", "mia@customer.example", "C-1042")
SUPPORT = (
    Line("customer", "Hello, the invoice of May shows two seats, but we are three. Can you correct it?"),
    Line("staff", "Good morning Mia, thank you for telling us. I see it, and the corrected invoice is on its way."),
    Line("customer", "That was quick. Could you send it to accounting as well?"),
)
