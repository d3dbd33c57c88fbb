"""The healer: what Redis and the clients believe of a conversation's head is mended from the database every 5 s.

So a lost emit, from any cause, costs a moment. Whoever drains heals; the windows overlap, so nothing falls between two runs.
"""

from __future__ import annotations

import logging
import threading
import time

from sqlalchemy import text

from app.domain import remembering
from app.kernel import limits
from app.kernel.actor import SYSTEM
from app.kernel.breaker import Down
from app.kernel.errors import DomainError
from app.live import hot
from app.models import transaction
from app.outbound import emits

log = logging.getLogger(__name__)
CHANGED = text(
    "SELECT id, head_seq, version FROM conversations WHERE updated_at > clock_timestamp() - make_interval(secs => :window)"
    " AND deleted_at IS NULL LIMIT 20000"
)
WINDOW_S = 12.0


def heal_once(*, window_s: float = WINDOW_S) -> int:
    """Mend the heads of what changed lately and tell its members; gives the number of conversations."""
    with transaction(SYSTEM) as tx:
        rows = tx.execute(CHANGED, {"window": window_s}).all()
    for row in rows:
        try:
            hot.repair_head(row.id, row.head_seq)
        except Down:
            pass  # the members are told all the same
        emits.heads(row.id, row.head_seq, row.version)
    return len(rows)


def run(stopping: threading.Event) -> None:
    """Heal every five seconds until told to stop, and keep the filter of known ids whole meanwhile."""
    due = 0.0
    while not stopping.is_set():
        try:
            remembering.tell_filter()
            remembering.fill()
        except (Down, DomainError):
            pass  # the next turn
        except Exception:
            log.exception("the filter of known messages could not be filled")
        if time.monotonic() >= due:
            due = time.monotonic() + limits.HEADS_EVERY_S
            _heal_safely()
        stopping.wait(1.0)


def _heal_safely() -> None:
    try:
        heal_once()
    except DomainError as error:
        log.warning("healing waits: %s", error)
    except Exception:
        log.exception("healing failed; it goes on")
