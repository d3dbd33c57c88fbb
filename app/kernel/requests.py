"""What clients may ask: one model a request, unknown fields refused.

The same models serve REST and the socket and are the source of ``/api/openapi.json``.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from app.kernel import text
from app.kernel.errors import Invalid
from app.kernel.ids import parse_id

METADATA_MAX_BYTES = 4096
USERNAME = re.compile(r"[A-Za-z0-9_.-]{3,30}")
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")
EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
EMOJI_MAX = 64


class Request(BaseModel):
    """A request's body or query: camelCase on the wire, nothing unknown, no coercion between JSON types."""

    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, populate_by_name=False, strict=True, frozen=True
    )


R = TypeVar("R", bound=Request)


def parse(model: type[R], payload: object) -> R:
    """Read a payload into its model; raises Invalid naming each wrong field."""
    if not isinstance(payload, dict):
        raise Invalid({"body": ["must be an object"]})
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        raise Invalid(_fields(error)) from None


def _fields(error: ValidationError) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False, include_context=True, include_input=False):
        name = ".".join(str(part) for part in problem["loc"]) or "body"
        fields.setdefault(name, []).append(_sentence(problem))
    return fields


def _sentence(problem: Any) -> str:
    known = {"missing": "is required", "extra_forbidden": "is not a known field", "string_type": "must be a string"}
    if problem["type"] in known:
        return known[problem["type"]]
    return str(problem["msg"]).removeprefix("Value error, ")


def _uuid(value: object) -> object:
    if isinstance(value, UUID):
        return value
    found = parse_id(value)
    if found is None:
        raise ValueError("must be a UUID")
    return found


def _matching(pattern: re.Pattern[str], sentence: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(sentence)
        return value

    return AfterValidator(check)


def _named(maximum: int, *, minimum: int = 1) -> AfterValidator:
    def check(value: str) -> str:
        trimmed = text.trim(text.storable(value))
        if not minimum <= len(trimmed) <= maximum:
            raise ValueError(f"must be {minimum} to {maximum} characters")
        return trimmed

    return AfterValidator(check)


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    try:
        encoded = orjson.dumps(value)
    except TypeError:
        raise ValueError("must hold plain JSON without lone surrogates and with whole numbers below 2^63") from None
    if len(encoded) > METADATA_MAX_BYTES:
        raise ValueError(f"must be at most {METADATA_MAX_BYTES} bytes of JSON")
    if b"\\u0000" in encoded:
        raise ValueError("must not contain the NUL character")
    return value


def emoji(value: str) -> str:
    """Check that a text can be a reaction; raises ValueError."""
    text.storable(value)
    if not value or len(value) > EMOJI_MAX or any(c in text.WHITE_SPACE or ord(c) < 32 for c in value):
        raise ValueError("must be one emoji or short name without white space")
    return value


Id = Annotated[UUID, BeforeValidator(_uuid)]
Content = Annotated[str, AfterValidator(text.content)]
Username = Annotated[str, _matching(USERNAME, "must be 3 to 30 of letters, digits, '_', '.' and '-'")]
Slug = Annotated[str, _matching(SLUG, "must be 1 to 60 of a-z, 0-9 and '-', not beginning or ending with '-'")]
RoomRef = Annotated[str, Field(min_length=1, max_length=60)]
Email = Annotated[str, Field(max_length=254), _matching(EMAIL, "must be an e-mail address")]
Password = Annotated[str, Field(min_length=10, max_length=200), AfterValidator(text.storable)]
DisplayName = Annotated[str, _named(80)]
Title = Annotated[str, _named(120)]
Topic = Annotated[str, _named(500, minimum=0)]
Emoji = Annotated[str, AfterValidator(emoji)]
Metadata = Annotated[dict[str, Any], AfterValidator(_metadata)]
ClientMessageId = Id
Position = Annotated[int, Field(ge=0, lt=2**53)]


# accounts -------------------------------------------------------------------------------------------------------------
class Register(Request):
    """``POST /api/auth/register``."""

    username: Username
    email: Email
    password: Password
    display_name: DisplayName | None = None


class Login(Request):
    """``POST /api/auth/login``; ``identifier`` is a username or an e-mail address."""

    identifier: Annotated[str, Field(min_length=1, max_length=254), AfterValidator(text.storable)]
    password: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(text.storable)]


class Refresh(Request):
    """``POST /api/auth/refresh``."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=400)]


class PatchMe(Request):
    """``PATCH /api/me``; a new password needs the present one."""

    display_name: DisplayName | None = None
    email: Email | None = None
    current_password: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(text.storable)] | None = None
    password: Password | None = None


# conversations --------------------------------------------------------------------------------------------------------
class CreateConversation(Request):
    """``POST /api/conversations``."""

    kind: Literal["direct", "group", "room", "support"]
    username: Username | None = None
    title: Title | None = None
    topic: Topic | None = None
    slug: Slug | None = None
    members: Annotated[list[Username], Field(max_length=999)] | None = None
    visibility: Literal["public", "private"] | None = None


class PatchConversation(Request):
    """``PATCH /api/conversations/{c}``."""

    title: Title | None = None
    topic: Topic | None = None
    slug: Slug | None = None
    visibility: Literal["public", "private"] | None = None


class AddMember(Request):
    """``POST /api/conversations/{c}/members``."""

    username: Username
    role: Literal["member", "admin"] | None = None


class Settings(Request):
    """``PUT /api/conversations/{c}/settings``: mine alone."""

    muted: bool | None = None
    archived: bool | None = None
    pinned: bool | None = None
    notifications: Literal["all", "mentions", "none"] | None = None


# messages -------------------------------------------------------------------------------------------------------------
class SendMessage(Request):
    """``POST /api/messages/send`` and ``message:send``: at most one target; a customer may name none."""

    conversation_id: Id | None = None
    room_id: RoomRef | None = None
    recipient_username: Username | None = None
    content: Content
    message_type: Literal["text", "image", "file", "voice"] = "text"
    client_message_id: ClientMessageId | None = None
    reply_to_id: Id | None = None
    attachment_ids: Annotated[list[Id], Field(max_length=10)] = []
    metadata: Metadata = {}
    after_client_message_id: ClientMessageId | None = None

    @model_validator(mode="after")
    def _whole(self) -> SendMessage:
        targets = [self.conversation_id, self.room_id, self.recipient_username]
        if sum(target is not None for target in targets) > 1:
            raise ValueError("name only one of conversationId, roomId and recipientUsername")
        return self


class EditMessage(Request):
    """``PATCH /api/messages/{id}``."""

    content: Content


class SocketEdit(EditMessage):
    """``message:edit``."""

    message_id: Id


class SocketDelete(Request):
    """``message:delete``."""

    message_id: Id


class SocketReaction(Request):
    """``reaction:add`` and ``reaction:remove``."""

    message_id: Id
    emoji: Emoji


class MarkReceived(Request):
    """``POST /api/messages/mark-received``; a room's slug or id."""

    room_id: RoomRef
    message_id: Id


class SocketReceived(Request):
    """``message:received``: up to a message, or up to a position."""

    conversation_id: Id
    message_id: Id | None = None
    seq: Position | None = None

    @model_validator(mode="after")
    def _one(self) -> SocketReceived:
        if (self.message_id is None) == (self.seq is None):
            raise ValueError("give exactly one of messageId and seq")
        return self


class MarkRead(Request):
    """``POST /api/messages/mark-read`` and ``message:read``."""

    message_ids: Annotated[list[Id], Field(min_length=1, max_length=500)] | None = None
    conversation_id: Id | None = None
    message_id: Id | None = None

    @model_validator(mode="after")
    def _one(self) -> MarkRead:
        pair = self.conversation_id is not None and self.message_id is not None
        either = self.conversation_id is not None or self.message_id is not None
        if (self.message_ids is None) != pair or (self.message_ids is not None and either):
            raise ValueError("give messageIds, or conversationId with messageId")
        return self


class Sync(Request):
    """``sync``: what changed in a conversation after a position."""

    conversation_id: Id
    after: Position | None = None
    limit: Annotated[int, Field(ge=1, le=200)] | None = None


class Subscribe(Request):
    """``subscribe`` and ``unsubscribe``."""

    channels: Annotated[list[Annotated[str, Field(min_length=1, max_length=120)]], Field(max_length=1000)]


# queries --------------------------------------------------------------------------------------------------------------
class Query(Request):
    """A query string: numbers and booleans come as text."""

    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, populate_by_name=False, strict=False, frozen=True
    )


Limit = Annotated[int, Field(ge=1, le=200)]
Cursor = Annotated[str, Field(min_length=1, max_length=400)]


class ListQuery(Query):
    """Any list by cursor."""

    limit: Limit = 50
    cursor: Cursor | None = None


class UsersQuery(ListQuery):
    """``GET /api/users``."""

    q: Annotated[str, Field(max_length=80), AfterValidator(text.storable)] = ""


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


class UnreadQuery(Query):
    """``GET /api/messages/unread-count``."""

    conversation_id: Id | None = None


class NoQuery(Query):
    """A call that takes no query."""
