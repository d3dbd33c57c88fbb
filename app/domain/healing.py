"""The healer: what Redis and the clients believe of a conversation's head is mended from the database every 5 s.

So a lost emit, from any cause, costs a moment. Whoever drains heals; the windows overlap, so nothing falls between two runs.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

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
NOW = text(
    "SELECT clock_timestamp() AS at, pg_current_wal_flush_lsn() - '0/0' AS logged_bytes,"
    " (SELECT oid::bigint FROM pg_database WHERE datname = current_database()) AS database"
)
HEAD = text("SELECT head_seq FROM conversations WHERE id = :id")
CHANGED = text(
    "SELECT id, head_seq, version, updated_at FROM conversations WHERE updated_at >= :at"
    " AND (updated_at, id) > (CAST(:at AS timestamptz), CAST(:id AS uuid))"
    " AND deleted_at IS NULL ORDER BY updated_at, id LIMIT 5000"
)
OVERLAP = timedelta(seconds=12)
FIRST = timedelta(minutes=2)
TOLD_WITHIN_S = 0.5
NO_ID = UUID(int=0)
PAGE = 5000


def heal_once() -> int:
    """Mend the heads of what changed since the cache was last healed and tell its members; gives how many conversations.

    When that was is kept in the cache itself, so a cache that was away, or a time when nobody healed, is made good whole.
    """
    mark, is_whole = _healed_at()
    began = _now()
    if mark is not None and (mark.logged_bytes > began.logged_bytes or mark.database != began.database):
        mark, is_whole = None, _start_anew()
    at, last_id, healed = (mark.at if mark else began.at - FIRST) - OVERLAP, NO_ID, 0
    while True:
        with transaction(SYSTEM) as tx:
            rows = tx.execute(CHANGED, {"at": at, "id": last_id}).all()
        _let_them_be_told(rows)
        for row in rows:
            is_whole = _mend(row) and is_whole
        healed += len(rows)
        if len(rows) < PAGE:
            break
        at, last_id = rows[-1].updated_at, rows[-1].id
    if is_whole:
        _note_healed(began)
    return healed


def _now() -> hot.Mark:
    with transaction(SYSTEM) as tx:
        row = tx.execute(NOW).one()
    return hot.Mark(row.at, int(row.logged_bytes), row.database)


def _healed_at() -> tuple[hot.Mark | None, bool]:
    """Read the cache's mark; a healing that could not read it must not move it."""
    try:
        return hot.healed_at(), True
    except Down:
        return None, False


def _start_anew() -> bool:
    """Throw the cache away: a database that has logged less than at the mark, which was read first, has been set back."""
    log.warning("the database was set back, or is another one: the cache of conversations is thrown away")
    try:
        hot.distrust_all()
    except Down:
        return False
    return True


def _note_healed(mark: hot.Mark) -> None:
    try:
        hot.note_healed(mark)
    except Down:
        pass  # then the next healing begins where this one did


def _let_them_be_told(rows: Sequence[Any]) -> None:
    """Wait where the cache is behind: it is told of each commit, and of many together, a moment later.

    Were that taken for a loss, a busy conversation would lose its hot history every five seconds, and all who come back to it
    would read the database.
    """
    try:
        if rows and hot.are_behind({row.id: row.head_seq for row in rows}):
            time.sleep(TOLD_WITHIN_S)
    except Down:
        pass  # then there is nothing to mend


def _mend(row: Any) -> bool:
    try:
        if hot.repair_head(row.id, row.head_seq):
            _set_back(row.id)
        is_mended = True
    except Down:
        is_mended = False  # the members are told all the same
    emits.heads(row.id, row.head_seq, row.version)
    return is_mended


def _set_back(conversation_id: UUID) -> None:
    """Throw away what is kept of a conversation whose head is still behind it when read again. Raises Down.

    The cache is told after the commit, so a head that it held before this read cannot be ahead of it.
    """
    held = hot.heads([conversation_id])[0]
    with transaction(SYSTEM) as tx:
        head = tx.execute(HEAD, {"id": conversation_id}).scalar_one_or_none()
    if held is not None and head is not None and held > head:
        log.warning("the cache was ahead of the database in conversation %s", conversation_id)
        hot.distrust([conversation_id])


def run(stopping: threading.Event) -> None:
    """Heal every five seconds until told to stop, and keep the filter of known ids whole meanwhile."""
    due = 0.0
    while not stopping.is_set():
        is_filling = False
        try:
            remembering.tell_filter()
            is_filling = remembering.fill()
        except (Down, DomainError):
            pass  # the next turn
        except Exception:
            log.exception("the filter of known messages could not be filled")
        if time.monotonic() >= due:
            due = time.monotonic() + limits.HEADS_EVERY_S
            heal_safely()
        stopping.wait(0.05 if is_filling else 1.0)  # until the filter is whole each accept asks the database


def heal_safely() -> None:
    """Heal; what goes wrong is logged and left to the next time."""
    try:
        heal_once()
    except DomainError as error:
        log.warning("healing waits: %s", error)
    except Exception:
        log.exception("healing failed; it goes on")
