"""Who hears that memberships began or ended: every process, to move its sockets, and the people, by what they see now.

What is told costs a number of statements that does not grow with the conversations: they are read a chunk at a time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from sqlalchemy import text

from app.kernel.actor import SYSTEM
from app.kernel.breaker import Down
from app.kernel.chunks import chunks
from app.live import hot, membership as cache
from app.models import Transaction, transaction
from app.outbound import bus, emits
from app.queries import conversations as views

Pair = tuple[UUID, UUID]  # a conversation, a profile
EVERYBODY = text(
    "SELECT conversation_id, profile_id FROM memberships WHERE conversation_id = ANY(CAST(:ids AS uuid[]))"
    " AND left_at IS NULL"
)
TELL_AT_MOST = 100
NOTICE_MOST = 150
AT_ONCE = 500


def everybody(tx: Transaction, conversation_ids: Iterable[UUID]) -> list[Pair]:
    """List the memberships of conversations that have not ended."""
    rows = tx.execute(EVERYBODY, {"ids": [str(one) for one in conversation_ids]})
    return [(row.conversation_id, row.profile_id) for row in rows]


def changed(tx: Transaction, pairs: Sequence[Pair], *, ended: bool = False) -> None:
    """Evict at the commit, have every process put these people's sockets in or out, and tell all who see the change."""
    if pairs:
        _announce(tx, pairs, ended=ended)
        tx.after_commit(lambda: _carry_out(pairs, ended=ended))


def _announce(tx: Transaction, pairs: Sequence[Pair], *, ended: bool) -> None:
    """Name the people of one conversation, or the conversations of each person: few notices either way."""
    people: dict[UUID, list[str]] = defaultdict(list)
    for conversation_id, profile_id in pairs:
        people[profile_id].append(str(conversation_id))
    if len({conversation_id for conversation_id, _ in pairs}) == 1:
        target, everyone = str(pairs[0][0]), [str(one) for one in people]
        parts = chunks(everyone, NOTICE_MOST)
        bus.announce_all(
            tx, "member", [{"conversationId": target, "profileIds": some, "ended": ended} for some in parts]
        )
    else:
        each = [(str(person), some) for person, ids in people.items() for some in chunks(ids, NOTICE_MOST)]
        named = [{"profileId": person, "conversationIds": some, "ended": ended} for person, some in each]
        bus.announce_all(tx, "memberships", named)


def _carry_out(pairs: Sequence[Pair], *, ended: bool) -> None:
    try:
        cache.evict(pairs)
    except Down:
        pass  # every process that hears the notice evicts too
    if ended:
        _emit_removed(pairs)
    else:
        _begin_anew(pairs)
        emit_views(pairs)
    _tell_rest({conversation_id for conversation_id, _ in pairs}, set(pairs))


def _begin_anew(pairs: Sequence[Pair]) -> None:
    try:
        hot.forget_received(pairs)
    except Down:
        pass  # what an earlier membership had received is shown for a while


def _emit_removed(pairs: Sequence[Pair]) -> None:
    for some in chunks(pairs, AT_ONCE):
        with emits.together():
            for conversation_id, profile_id in some:
                emits.conversation({"id": str(conversation_id), "removed": True}, f"user:{profile_id}")


def tell(tx: Transaction, conversation_id: UUID, profile_ids: Iterable[UUID]) -> None:
    """Have these members told, after the commit, what the conversation looks like to each of them now."""
    wanted = [(conversation_id, profile_id) for profile_id in profile_ids]
    tx.after_commit(lambda: emit_views(wanted))


def tell_members(tx: Transaction, conversation_id: UUID) -> None:
    """Have all members of a small conversation told; those of a large one see its version grow in ``heads``."""
    tx.after_commit(lambda: _tell_rest({conversation_id}, set()))


def _tell_rest(conversation_ids: Iterable[UUID], told: set[Pair]) -> None:
    emit_views(pair for pair in _of_small_ones(conversation_ids) if pair not in told)


def _of_small_ones(conversation_ids: Iterable[UUID]) -> Iterator[Pair]:
    for some in chunks(conversation_ids, AT_ONCE):
        with transaction(SYSTEM) as tx:
            found = everybody(tx, some)
        sizes = Counter(conversation_id for conversation_id, _ in found)
        yield from (pair for pair in found if sizes[pair[0]] <= TELL_AT_MOST)


def emit_views(pairs: Iterable[Pair]) -> None:
    """Emit to each of these members their own view of the conversation."""
    for some in chunks(pairs, AT_ONCE):
        with transaction(SYSTEM, snapshot=True) as tx:
            found = views.of_members(tx, some)
        with emits.together():
            for profile_id, view in found:
                emits.conversation(view, f"user:{profile_id}")
