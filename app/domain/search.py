"""Search: the messages that an actor may see, by words, people, places and what they hold.

What is new is found from the next search on: the job (and, for what it has not come to, the search itself) takes up the
changes of each conversation by position, as a client that catches up does. Writing a message does not wait for it.
"""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.domain.access import member_of
from app.kernel import limits, terms
from app.kernel.actor import SYSTEM, Actor
from app.kernel.errors import Invalid, Unavailable
from app.kernel.events import MessageEvent
from app.kernel.ids import parse_id
from app.kernel.query import SearchQuery
from app.live import rates
from app.models import Transaction, transaction
from app.models.transaction import sqlstate
from app.queries import messages as message_views, missed, people, search as views
from app.queries.search import Place, Span

PATIENCE = text("SELECT set_config('statement_timeout', :ms, true)")
CANCELED = "57014"
LINK = re.compile(r"\bhttps?://\S", re.IGNORECASE)
BATCH = 500
SPARE = 20
PARTS, PARTS_OF_ONE, ALL_PARTS = 16, 64, 2**31 - 1  # of a conversation's positions, 64 each
EVERYWHERE_MS = 600
TAKING_UP_S = 20.0
BATCHES_WHILE_ASKED = 8
CONVERSATIONS_AT_ONCE = 100
LATELY = timedelta(minutes=10)


def find(actor: Actor, *, query: SearchQuery, before: Place | None) -> tuple[list[MessageEvent], Place | None]:
    """Find messages, newest first, with the place where the next page begins.

    Raises Invalid, NotFound (the conversation), RateLimited, or Unavailable where it takes too long.
    """
    rates.check(f"search:{actor.id}", per_s=limits.SEARCHES_PER_MINUTE / 60, burst=limits.SEARCHES_BURST)
    wanted = _wanted(actor, query)
    span = _span(query)
    _take_up_for(actor, query.conversation_id)
    try:
        return _pages(actor, query, sorted(wanted), span, before)
    except Unavailable as refusal:
        cause = refusal.__cause__
        if isinstance(cause, DBAPIError) and sqlstate(cause) == CANCELED:
            sentence = "This search takes too long: name a conversation or a person, or use a longer word."
            raise Unavailable(sentence, retry_after_s=5) from refusal
        raise


def _wanted(actor: Actor, query: SearchQuery) -> set[str]:
    found = terms.wanted(query.q)
    if query.q.strip() and not found:
        raise Invalid({"q": ["must have a letter, a digit or a symbol"]})
    if query.conversation_id is not None:
        with transaction(actor) as tx:
            member_of(tx, actor, query.conversation_id)
        found.add(f"in:{query.conversation_id}")
    if query.from_ is not None:
        found.add(f"from:{_person(actor, query.from_)}")
    if query.has is not None:
        found.add(f"has:{query.has}")
    if not found:
        raise Invalid({"q": ["is required, unless conversationId, from or has is given"]})
    return found


def _person(actor: Actor, given: str) -> UUID:
    as_id = parse_id(given)
    if as_id is not None:
        return as_id
    with transaction(actor) as tx:
        person = people.by_username(tx, given)
    if person is None:
        raise Invalid({"from": ["names nobody"]})
    return UUID(person["id"])


def _span(query: SearchQuery) -> Span:
    """Read before and after: instants, or positions of the one conversation that is searched."""
    positions = [name for name in ("before", "after") if isinstance(getattr(query, name), int)]
    if positions and query.conversation_id is None:
        raise Invalid({name: ["must be a time, unless conversationId is given"] for name in positions})
    after, before = query.after, query.before
    return Span(
        since=after if isinstance(after, datetime) else None,
        until=before if isinstance(before, datetime) else None,
        above=after if isinstance(after, int) else None,
        below=before if isinstance(before, int) else None,
    )


def _pages(
    actor: Actor, query: SearchQuery, wanted: list[str], span: Span, before: Place | None
) -> tuple[list[MessageEvent], Place | None]:
    """Collect a page. The index gives some messages too many; what is left out is made up from the next."""
    found: list[MessageEvent] = []
    asked = query.limit + SPARE
    with transaction(actor) as tx:
        while True:
            places = _places(tx, query, wanted, span, before, asked)
            events = _seen(tx, query.q, places)
            room = query.limit - len(found)
            if len(events) > room or (len(events) == room and places):
                found += events[:room]
                return found, _place_of(found[-1], places)
            found += events
            if len(places) < asked:
                return found, None
            before = places[-1]


def _places(
    tx: Transaction, query: SearchQuery, wanted: list[str], span: Span, before: Place | None, asked: int
) -> list[Place]:
    """Look nearby, where what is often said is found soon; then everywhere, which is quick for what is seldom said; then
    nearby for as long as it may take: it is often said, and not here.
    """
    tx.execute(PATIENCE, {"ms": str(limits.SEARCH_PATIENCE_MS)})
    parts = PARTS if query.conversation_id is None else PARTS_OF_ONE
    near = views.find_near(tx, wanted, query.conversation_id, span, before=before, limit=asked, parts=parts)
    if near is not None:
        return near
    try:
        with tx.savepoint():
            tx.execute(PATIENCE, {"ms": str(EVERYWHERE_MS)})
            return views.find(tx, wanted, span, before=before, limit=asked)
    except DBAPIError as error:
        if sqlstate(error) != CANCELED:
            raise
    finally:
        tx.execute(PATIENCE, {"ms": str(limits.SEARCH_PATIENCE_MS)})
    near = views.find_near(tx, wanted, query.conversation_id, span, before=before, limit=asked, parts=ALL_PARTS)
    return near or []


def _seen(tx: Transaction, q: str, places: list[Place]) -> list[MessageEvent]:
    events = {event["id"]: event for event in message_views.by_ids(tx, [place[1] for place in places])}
    found = [events[str(message_id)] for _, message_id in places if str(message_id) in events]
    return [event for event in found if not event["deletedAt"] and terms.matches(q, _text_of(event))]


def _place_of(event: MessageEvent, places: list[Place]) -> Place:
    return next(place for place in places if str(place[1]) == event["id"])


# taking up ------------------------------------------------------------------------------------------------------------
def take_up(*, now: datetime, all_of_them: bool = False) -> int:
    """Take up what changed lately (or at any time), so that it is found; gives in how many conversations."""
    with transaction(SYSTEM) as tx:
        waiting = views.behind_since(tx, None if all_of_them else now - LATELY, CONVERSATIONS_AT_ONCE)
    deadline = time.monotonic() + TAKING_UP_S
    for conversation_id in waiting:
        while time.monotonic() < deadline and _take_up(conversation_id):
            pass
    return len(waiting)


def _take_up_for(actor: Actor, conversation_id: UUID | None) -> None:
    """Take up what is new in someone's conversations; raises Unavailable where that is too much to wait for."""
    with transaction(SYSTEM) as tx:
        waiting = views.behind(tx, actor.id, conversation_id, BATCHES_WHILE_ASKED + 1)
    batches = 0
    for each in waiting:
        more = True
        while more:
            batches += 1
            if batches > BATCHES_WHILE_ASKED:
                raise Unavailable("What was written is still being taken up; try again in a moment.", retry_after_s=5)
            more = _take_up(each)


def _take_up(conversation_id: UUID) -> bool:
    """Take up a conversation's next changes; tells whether there are more."""
    with transaction(SYSTEM) as tx:
        held = views.hold(tx, conversation_id)
        events, up_to, more = missed.changes(tx, missed.Window(conversation_id, held, 0, BATCH))
        views.replace(tx, conversation_id, [(event, _terms_of(event)) for event in events], up_to)
        return more


def _terms_of(event: MessageEvent) -> set[str]:
    if event["deletedAt"]:
        return set()
    kinds = {_kind(one["contentType"]) for one in event["attachments"]}
    has = {f"has:{kind}" for kind in kinds} | ({"has:attachment"} if kinds else set())
    if LINK.search(event["content"]):
        has.add("has:link")
    return terms.of(_text_of(event)) | has | {f"in:{event['conversationId']}", f"from:{event['senderId']}"}


def _kind(content_type: str) -> str:
    beginning = content_type.partition("/")[0]
    return {"image": "image", "audio": "voice"}.get(beginning, "file")


def _text_of(event: MessageEvent) -> str:
    """Give what is searched of a message: its words, and the names of its files."""
    return "\n".join([event["content"], *(one["name"] for one in event["attachments"])])
