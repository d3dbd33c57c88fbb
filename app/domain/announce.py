"""What follows a commit: caches move forward, then everybody hears. Caches first, so that one who joins between
the two reads the change, and one who joined before hears it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from app.domain.batches import Outcome
from app.kernel import json
from app.kernel.actor import SYSTEM
from app.kernel.breaker import Down
from app.kernel.errors import DomainError
from app.kernel.events import MessageEvent
from app.live import hot
from app.models import transaction
from app.outbound import bus, emits, metrics
from app.queries import messages as views

log = logging.getLogger(__name__)


def created(outcome: Outcome) -> None:
    """Tell everybody of committed messages, in order of position, and of their thread roots' new counts.

    Never raises: what was not told is healed.
    """
    try:
        _remember([*outcome.created, *outcome.roots], [*outcome.encoded, *encode(outcome.roots)])
        emits.messages(outcome.created, outcome.encoded)
        metrics.persisted(event["createdAt"] for event in outcome.created)
    except Exception:
        log.exception("committed messages could not be announced; the healer does it")


def repeated(outcome: Outcome) -> None:
    """Tell again of messages that were committed before (a drain run twice): clients apply the latest change once.

    Whoever committed them may have ended before the cache was told, so its copy of these conversations is thrown away.
    """
    if not outcome.already:
        return
    try:
        _forget(outcome.already)
        with transaction(SYSTEM) as tx:
            events = views.speaking_for_their_positions(tx, outcome.already)
        for event in events:
            _tell(event)
    except Exception:
        log.exception("committed messages could not be announced again; the healer does it")


def _tell(event: MessageEvent) -> None:
    if event["seq"] == event["changedSeq"]:
        emits.message(event)
    else:
        emits.changed(event)


def changed(event: MessageEvent, roots: Sequence[MessageEvent] = ()) -> None:
    """Tell of a changed message those who may read it (in a group, each process leaves out who joined later)."""
    events = [event, *roots]
    _remember(events, encode(events))
    emits.changed(event)


def encode(events: Sequence[MessageEvent]) -> list[bytes]:
    """Give the texts of events, as they are kept in the cache and told to everybody."""
    return [json.dump_bytes(event) for event in events]


def _remember(events: Sequence[MessageEvent], encoded: Sequence[bytes]) -> None:
    try:
        unknown = hot.append(events, encoded)
        if unknown:
            hot.found(unknown, _where_they_stand(unknown))
    except Down:
        distrust({event["conversationId"]: event["changedSeq"] or 0 for event in events})


def _where_they_stand(unknown: Iterable[str]) -> dict[str, views.Stand]:
    try:
        with transaction(SYSTEM) as tx:
            return views.stands(tx, unknown)
    except DomainError:
        return {}  # they stay unknown, and catching up reads the database


def _forget(events: Sequence[MessageEvent]) -> None:
    heads = {event["conversationId"]: event["changedSeq"] or 0 for event in events}
    try:
        hot.distrust(heads)
    except Down:
        distrust(heads)


def distrust(heads: dict[str, int]) -> None:
    """Have every process that can reach the cache throw away what it holds of these conversations."""
    try:
        with transaction(SYSTEM) as tx:
            for conversation_id, head in heads.items():
                bus.announce(tx, "head", conversationId=conversation_id, headSeq=head)
    except DomainError:
        log.warning("neither Redis nor the database could be told of %d conversations", len(heads))
