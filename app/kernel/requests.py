"""What clients may ask: one model a request, unknown fields refused.

The same models serve REST and the socket and are the source of ``/api/openapi.json``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from app.kernel import limits
from app.kernel.fields import (
    ChannelName,
    ClientMessageId,
    Content,
    DisplayName,
    Email,
    Emoji,
    GivenPassword,
    Id,
    Identifier,
    Limit,
    Metadata,
    Password,
    Position,
    RoomRef,
    Slug,
    Title,
    Token,
    Topic,
    Username,
)
from app.kernel.parsing import Request, parse
from app.kernel.serving import (
    CreateBot,
    CreateCustomer,
    Identify,
    Identity,
    IssueApiToken,
    IssuePortalToken,
    PatchSupport,
)

__all__ = [
    "CreateBot",
    "CreateCustomer",
    "Identify",
    "Identity",
    "IssueApiToken",
    "IssuePortalToken",
    "PatchSupport",
    "Request",
    "parse",
]  # beside the models below


# accounts -------------------------------------------------------------------------------------------------------------
class Register(Request):
    """``POST /api/auth/register``."""

    username: Username
    email: Email
    password: Password
    display_name: DisplayName | None = None


class Login(Request):
    """``POST /api/auth/login``; ``identifier`` is a username or an e-mail address."""

    identifier: Identifier
    password: GivenPassword


class Refresh(Request):
    """``POST /api/auth/refresh``."""

    refresh_token: Token


class Logout(Request):
    """``POST /api/auth/logout``; the session of a refresh token of one's own ends with the one that asks."""

    refresh_token: Token | None = None


class Forgot(Request):
    """``POST /api/auth/forgot``; ``identifier`` is a username or an e-mail address."""

    identifier: Identifier


class ResetPassword(Request):
    """``POST /api/auth/reset``; the token is the one of the letter."""

    token: Token
    password: Password


class PatchMe(Request):
    """``PATCH /api/me``; a new password needs the present one."""

    display_name: DisplayName | None = None
    email: Email | None = None
    current_password: GivenPassword | None = None
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

    @model_validator(mode="after")
    def _kept(self) -> PatchConversation:
        if any(name in self.model_fields_set and getattr(self, name) is None for name in ("slug", "visibility")):
            raise ValueError("slug and visibility must not be null")
        return self


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


class NotificationSettings(Request):
    """``PUT /api/me/notifications``: what one is mailed of, after how long an absence."""

    email: Literal["off", "mentions", "all"] | None = None
    delay_minutes: Annotated[int, Field(ge=1, le=1440)] | None = None


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
    attachment_ids: Annotated[list[Id], Field(max_length=limits.ATTACHMENTS_MAX, default_factory=list)]
    metadata: Annotated[Metadata, Field(default_factory=dict)]
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


class MarkUnread(Request):
    """``POST /api/messages/mark-unread`` and ``message:unread``: from a message on, without one the newest of others."""

    conversation_id: Id
    message_id: Id | None = None


class Sync(Request):
    """``sync``: what changed in a conversation after a position."""

    conversation_id: Id
    after: Position | None = None
    limit: Limit | None = None


class Typing(Request):
    """``typing``."""

    conversation_id: Id
    is_typing: bool


class Presence(Request):
    """``presence``: how this device's person is."""

    status: Literal["online", "away", "offline"]
    metadata: Metadata | None = None


class Grant(Request):
    """``POST /api/messages/realtime/subscribe``; without a conversation: all of one's own."""

    conversation_id: Id | None = None
    include_presence: bool = True
    include_typing: bool = True
    include_read_receipts: bool = True


class EndGrant(Request):
    """``DELETE /api/messages/realtime/subscribe``; without channels: all that were subscribed to."""

    channels: Annotated[list[ChannelName], Field(max_length=1000)] | None = None


class Subscribe(Request):
    """``subscribe`` and ``unsubscribe``."""

    channels: Annotated[list[ChannelName], Field(max_length=1000)]
