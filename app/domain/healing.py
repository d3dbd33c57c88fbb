"""The healer: what Redis and the clients believe of a conversation's head is mended from the database every 5 s.

So a lost emit, from any cause, costs a moment. Whoever drains heals; the windows overlap, so nothing falls between two runs.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from app.kernel import limits
from app.kernel.actor import SYSTEM
from app.kernel.breaker import Down
from app.kernel.errors import DomainError
from app.live import healed, hot
from app.models import transaction
from app.models.arrays import array
from app.outbound import emits

log = logging.getLogger(__name__)
NOW = text(
    "SELECT clock_timestamp() AS at, pg_current_wal_flush_lsn() - '0/0' AS logged_bytes,"
    " (SELECT oid::bigint FROM pg_database WHERE datname = current_database()) AS database"
)
HEADS = text("SELECT id, head_seq FROM conversations WHERE id = ANY(CAST(:ids AS uuid[]))")
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
    at, last_id, count = (mark.at if mark else began.at - FIRST) - OVERLAP, NO_ID, 0
    while True:
        with transaction(SYSTEM) as tx:
            rows = tx.execute(CHANGED, {"at": at, "id": last_id}).all()
        is_whole = _mend({row.id: row.head_seq for row in rows}) and is_whole
        with emits.together():  # whether the cache could be asked or not
            for row in rows:
                emits.heads(row.id, row.head_seq, row.version)
        count += len(rows)
        if len(rows) < PAGE:
            break
        at, last_id = rows[-1].updated_at, rows[-1].id
    if is_whole:
        _note_healed(began)
    return count


def _now() -> healed.Moment:
    with transaction(SYSTEM) as tx:
        row = tx.execute(NOW).one()
    return healed.Moment(row.at, int(row.logged_bytes), row.database)


def _healed_at() -> tuple[healed.Moment | None, bool]:
    """Read the cache's mark; a healing that could not read it must not move it."""
    try:
        return healed.last(), True
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


def _note_healed(mark: healed.Moment) -> None:
    try:
        healed.note(mark)
    except Down:
        pass  # then the next healing begins where this one did


def _mend(heads: Mapping[UUID, int]) -> bool:
    """Make the cache right about these conversations; tells whether it could be asked.

    Where it is behind, it is asked again a moment later: it is told of each commit, and of many together, after it. Were that
    taken for a loss, a busy conversation would lose its hot history every five seconds, and all who come back to it would read
    the database.
    """
    try:
        before = hot.kept_heads(heads)
        if any(held < heads[conversation_id] for conversation_id, held in before.items()):
            time.sleep(TOLD_WITHIN_S)
        _set_back(hot.repair(heads, before=before))
    except Down:
        return False
    return True


def _set_back(conversation_ids: Sequence[UUID]) -> None:
    """Throw away what is kept of conversations whose heads are still behind it when read again. Raises Down.

    The cache is told after the commit, so a head that it held before this read cannot be ahead of it.
    """
    if not conversation_ids:
        return
    held = dict(zip(conversation_ids, hot.heads(conversation_ids), strict=True))
    with transaction(SYSTEM) as tx:
        rows = tx.execute(HEADS, {"ids": array(conversation_ids)}).all()
    ahead = [row.id for row in rows if (held[row.id] or 0) > row.head_seq]
    for conversation_id in ahead:
        log.warning("the cache was ahead of the database in conversation %s", conversation_id)
    hot.distrust(ahead)


def run(stopping: threading.Event) -> None:
    """Heal every five seconds until told to stop."""
    while not stopping.is_set():
        heal_safely()
        stopping.wait(limits.HEADS_EVERY_S)


def heal_safely() -> None:
    """Heal; what goes wrong is logged and left to the next time."""
    try:
        heal_once()
    except DomainError as error:
        log.warning("healing waits: %s", error)
    except Exception:
        log.exception("healing failed; it goes on")
