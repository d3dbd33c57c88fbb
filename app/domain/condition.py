"""What this process can do only in part just now: its clients are told when that begins and when it is over.

Who connects meanwhile is told after ``ready``. What fails for less than a second is not worth a word. It also asks a part
that nobody uses just now, so that one which is back is known to be back.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text

from app.domain import modes
from app.extensions import CACHE, DATABASE, redis
from app.kernel import patience
from app.kernel.actor import SYSTEM
from app.kernel.breaker import Breaker, Down
from app.kernel.errors import DomainError
from app.models import transaction
from app.outbound import emits

log = logging.getLogger(__name__)
LOOK_EVERY_S = 0.25
ASK_EVERY_S = 1.0
STEADY_S = 0.7


@dataclass(slots=True)
class Part:
    """A server that some features need."""

    breaker: Breaker
    ask: Callable[[], None]
    features: Callable[[], list[str]]
    lost: Callable[[], str]
    back: str
    is_degraded: bool = False  # as the clients were told
    otherwise_since: float | None = None
    asked_at: float = 0.0

    def look(self, now: float) -> None:
        """Ask the server if that is due, and tell the clients where it has been otherwise than they know for long enough."""
        if now - self.asked_at >= ASK_EVERY_S:
            self.asked_at = now
            self._ask()
        if self.breaker.has_failed == self.is_degraded:
            self.otherwise_since = None
        elif self.otherwise_since is None:
            self.otherwise_since = now
        elif now - self.otherwise_since >= STEADY_S:
            self.is_degraded, self.otherwise_since = not self.is_degraded, None
            self.tell()

    def _ask(self) -> None:
        try:
            self.ask()
        except (Down, DomainError):
            pass  # the breaker has noted it

    def tell(self, sid: str | None = None) -> None:
        """Tell one client, or all of this process, how this part is."""
        kind, message = ("degraded", self.lost()) if self.is_degraded else ("restored", self.back)
        emits.system(kind, message, features=self.features(), sid=sid)


def _ask_cache() -> None:
    with CACHE.guard():
        redis.cache.ping()


def _ask_database() -> None:
    if DATABASE.has_failed:  # else its users and the listener notice
        with patience.at_most(ASK_EVERY_S), transaction(SYSTEM) as tx:
            tx.execute(text("SELECT 1"))


def _needing_the_database() -> list[str]:
    return ["history", "readReceipts", *([] if modes.is_behind() else ["messages"])]


def _without_the_database() -> str:
    if modes.is_behind():
        return "Older messages and changes to them are not available just now. What you send is kept, and stored soon."
    return (
        "Messages can be neither sent nor loaded just now. What you write is kept here and sent as soon as it can be."
    )


PARTS = (
    Part(
        CACHE,
        _ask_cache,
        lambda: ["presence", "typing"],
        lambda: "Who is here and who is typing may be shown late or not at all just now. Messages go on.",
        "Who is here and who is typing is shown again.",
    ),
    Part(DATABASE, _ask_database, _needing_the_database, _without_the_database, "Everything is available again."),
)


def run(stopping: threading.Event) -> None:
    """Watch the parts until told to stop."""
    while not stopping.wait(LOOK_EVERY_S):
        for part in PARTS if redis.url else PARTS[1:]:  # without a Redis nothing is degraded: so it was set up
            try:
                part.look(time.monotonic())
            except Exception:
                log.exception("the condition of a part could not be told; it is looked at again")


def tell(sid: str) -> None:
    """Tell a client that has just been welcomed what is not as it should be."""
    for part in PARTS:
        if part.is_degraded:
            part.tell(sid)
