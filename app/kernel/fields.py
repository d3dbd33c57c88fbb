"""What a field of a request may hold; ``requests.py`` puts fields together.

Each type carries its own JSON schema, so that ``/api/openapi.json`` says as much as the check does.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import AfterValidator, BeforeValidator, Field

from app.kernel import clock, text
from app.kernel.ids import is_id

METADATA_MAX_BYTES = 4096
METADATA_MAX_DEPTH = 32
IDS_MAX = 200
USERNAME = re.compile(r"[A-Za-z0-9_.-]{3,30}")
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")
EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
EMOJI_MAX = 64


def _uuid(value: object) -> object:
    if isinstance(value, UUID) or is_id(value):  # a text is read by the model, five times as fast as by the class
        return value
    raise ValueError("must be a UUID")


def _id_list(value: object) -> object:
    parts = value.split(",") if isinstance(value, str) else []
    if not 1 <= len(parts) <= IDS_MAX:
        raise ValueError(f"must be 1 to {IDS_MAX} ids separated by commas")
    return [_uuid(part) for part in parts]


def _moment(value: object) -> object:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    try:
        found = clock.parse(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None:
        raise ValueError("must be a time such as 2026-11-21T03:14:15Z, a day, or a position")
    return found if found.tzinfo else found.replace(tzinfo=clock.UTC)


def _matching(pattern: re.Pattern[str], sentence: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(sentence)
        return value

    return AfterValidator(check)


def _shown(pattern: re.Pattern[str]) -> Any:
    return Field(json_schema_extra={"pattern": f"^{pattern.pattern}$"})


def _named(maximum: int, *, minimum: int = 1) -> AfterValidator:
    def check(value: str) -> str:
        trimmed = text.trim(text.storable(value))
        if not minimum <= len(trimmed) <= maximum:
            raise ValueError(f"must be {minimum} to {maximum} characters")
        return trimmed

    return AfterValidator(check)


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    _check_json(value, METADATA_MAX_DEPTH)
    try:
        encoded = orjson.dumps(value)
    except TypeError:
        raise ValueError("must hold plain JSON with whole numbers below 2^63") from None
    if len(encoded) > METADATA_MAX_BYTES:
        raise ValueError(f"must be at most {METADATA_MAX_BYTES} bytes of JSON")
    return value


def _check_json(value: object, depth: int) -> None:
    """Refuse what could be stored and not be given back: NUL, lone surrogates, infinity, nesting beyond an answer's."""
    if depth == 0:
        raise ValueError(f"must be at most {METADATA_MAX_DEPTH} levels deep")
    if isinstance(value, str):
        text.storable(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must hold finite numbers")
    elif isinstance(value, (dict, list)):
        for part in [*value, *value.values()] if isinstance(value, dict) else value:
            _check_json(part, depth - 1)


def emoji(value: str) -> str:
    """Check that a text can be a reaction; raises ValueError."""
    text.storable(value)
    if not value or len(value) > EMOJI_MAX or any(c in text.WHITE_SPACE or ord(c) < 32 for c in value):
        raise ValueError("must be one emoji or short name without white space")
    return value


Id = Annotated[UUID, Field(strict=False), BeforeValidator(_uuid)]
ClientMessageId = Id
IdList = Annotated[list[UUID], BeforeValidator(_id_list)]
Text = Annotated[str, AfterValidator(text.storable)]
Content = Annotated[str, AfterValidator(text.content), Field(description="at most 4000 characters after trimming")]
Username = Annotated[str, _shown(USERNAME), _matching(USERNAME, "must be 3 to 30 of letters, digits, '_', '.' and '-'")]
Slug = Annotated[
    str, _shown(SLUG), _matching(SLUG, "must be 1 to 60 of a-z, 0-9 and '-', not beginning or ending with '-'")
]
RoomRef = Annotated[Text, Field(min_length=1, max_length=60)]
Email = Annotated[Text, Field(max_length=254), _matching(EMAIL, "must be an e-mail address")]
Identifier = Annotated[Text, Field(min_length=1, max_length=254)]
Password = Annotated[Text, Field(min_length=10, max_length=200)]
GivenPassword = Annotated[Text, Field(min_length=1, max_length=200)]
Token = Annotated[Text, Field(min_length=1, max_length=400)]
ChannelName = Annotated[str, Field(min_length=1, max_length=120)]
ExternalId = Annotated[str, _named(200)]
DisplayName = Annotated[str, _named(80)]
Title = Annotated[str, _named(120)]
Topic = Annotated[str, _named(500, minimum=0)]
Emoji = Annotated[str, AfterValidator(emoji), Field(json_schema_extra={"minLength": 1, "maxLength": EMOJI_MAX})]
Metadata = Annotated[dict[str, Any], AfterValidator(_metadata)]
Position = Annotated[int, Field(ge=0, lt=2**53)]
Limit = Annotated[int, Field(ge=1, le=200)]
Cursor = Annotated[str, Field(min_length=1, max_length=400)]
Moment = Annotated[datetime | int, BeforeValidator(_moment), Field(json_schema_extra={"type": "string"})]
Search = Annotated[Text, Field(max_length=80)]
