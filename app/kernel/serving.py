"""What staff and admins may ask: of customers, the support inbox, and bots. Part of ``requests.py``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.kernel.fields import DisplayName, Email, ExternalId, Id, Metadata, Username
from app.kernel.parsing import Request


class CreateCustomer(Request):
    """``POST /api/customers``."""

    display_name: DisplayName
    email: Email | None = None
    external_id: ExternalId | None = None
    metadata: Annotated[Metadata, Field(default_factory=dict)]


class IssuePortalToken(Request):
    """``POST /api/customers/{id}/portal-tokens``; without a time it does not expire."""

    expires_in_seconds: Annotated[int, Field(ge=1, le=10 * 366 * 86_400)] | None = None


class CreateBot(Request):
    """``POST /api/bots``."""

    username: Username
    display_name: DisplayName | None = None


class IssueApiToken(Request):
    """``POST /api/bots/{id}/api-tokens``; without a time it does not expire."""

    name: DisplayName | None = None
    expires_in_seconds: Annotated[int, Field(ge=1, le=10 * 366 * 86_400)] | None = None


class Identify(Request):
    """``POST /api/customers/identify``: what another site has signed."""

    identity: Annotated[str, Field(min_length=1, max_length=4000)]


class Identity(Request):
    """The claims of a signed identity."""

    external_id: ExternalId
    display_name: DisplayName | None = None
    email: Email | None = None


class PatchSupport(Request):
    """``PATCH /api/support/conversations/{c}``; a null assignee takes it off the one who has it."""

    status: Literal["open", "pending", "resolved"] | None = None
    assignee_id: Id | None = None
