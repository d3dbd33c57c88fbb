"""What a call's query string may hold: numbers and booleans come as text there."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from app.kernel import limits
from app.kernel.fields import Cursor, Id, IdList, Limit, Moment, Position, Search, Text
from app.kernel.parsing import Request


class Query(Request):
    """A query string: numbers and booleans come as text."""

    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, populate_by_name=False, strict=False, frozen=True
    )


class ListQuery(Query):
    """Any list by cursor."""

    limit: Limit = 50
    cursor: Cursor | None = None


class UsersQuery(ListQuery):
    """``GET /api/users``."""

    q: Search = ""


class SearchQuery(ListQuery):
    """``GET /api/search``; before and after are times, or positions of the conversation that is named."""

    q: Annotated[Text, Field(max_length=limits.SEARCH_WORDS_MAX)] = ""
    conversation_id: Id | None = None
    from_: Annotated[Text, Field(min_length=1, max_length=60)] | None = Field(default=None, alias="from")
    has: Literal["link", "attachment", "image", "file", "voice"] | None = None
    before: Moment | None = None
    after: Moment | None = None


class RoomsQuery(UsersQuery):
    """``GET /api/rooms``."""


class ConversationsQuery(ListQuery):
    """``GET /api/conversations``."""

    kind: Literal["direct", "group", "room", "support"] | None = None
    archived: bool | None = None


class HistoryQuery(Query):
    """``GET /api/conversations/{c}/messages``: at most one of before, after and around."""

    before: Position | None = None
    after: Position | None = None
    around: Position | None = None
    limit: Limit = 50

    @model_validator(mode="after")
    def _one(self) -> HistoryQuery:
        if sum(value is not None for value in (self.before, self.after, self.around)) > 1:
            raise ValueError("give only one of before, after and around")
        return self


class RejoinQuery(Query):
    """``GET /api/rooms/{roomId}/rejoin``; ``userId`` is tolerated where it is the actor's own."""

    after: Position | None = None
    limit: Limit = 200
    user_id: Id | None = None


class UploadQuery(Query):
    """``GET /api/uploads/{id}``: the file itself, or a small picture of it."""

    size: Literal["original", "thumbnail"] = "original"


class PresenceQuery(Query):
    """``GET /api/presence``: at most 200 ids, separated by commas."""

    ids: IdList


class CustomersQuery(ListQuery):
    """``GET /api/customers``."""

    q: Search = ""


class InboxQuery(ListQuery):
    """``GET /api/support/conversations``."""

    status: Literal["open", "pending", "resolved"] | None = None
    assignee: Id | None = None


class UnreadQuery(Query):
    """``GET /api/messages/unread-count``."""

    conversation_id: Id | None = None


class NoQuery(Query):
    """A call that takes no query."""
