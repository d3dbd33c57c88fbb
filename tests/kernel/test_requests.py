"""Every request model: any JSON is read or refused by field, and what is refused says so in words."""

from __future__ import annotations

import uuid
from typing import Any

import orjson
import pytest
from hypothesis import given, settings, strategies as st

from app.kernel import query as query_models, requests as wire
from app.kernel.errors import Invalid
from tests.support.payloads import MODELS, anything, bodies_for

pytestmark = pytest.mark.fast
SOMEBODY = {"username": "ann.1", "email": "ann@example.org", "password": "long enough 1"}
HERE = {"conversationId": str(uuid.uuid4()), "content": "hello"}


def fields(model: type[wire.Request], payload: object) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as refusal:
        wire.parse(model, payload)
    assert refusal.value.fields
    return dict(refusal.value.fields)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@given(data=st.data())
@settings(max_examples=25)
def test_any_payload_is_read_or_refused_by_field(model: type[wire.Request], data: st.DataObject) -> None:
    payload = data.draw(st.one_of(anything, bodies_for(model)))
    refused = _refused(model, payload)
    if refused is not None:
        assert refused.fields
        assert all(sentences and all(sentences) for sentences in refused.fields.values())
        orjson.dumps(refused.wire())


def _refused(model: type[wire.Request], payload: object) -> Invalid | None:
    try:
        wire.parse(model, payload)
    except Invalid as refusal:
        return refusal
    return None


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_an_unknown_field_is_refused_by_its_name(model: type[wire.Request]) -> None:
    assert fields(model, {"nonesuch": 1})["nonesuch"] == ["is not a known field"]


@pytest.mark.parametrize(
    ("model", "payload", "wrong"),
    [
        (wire.Register, {}, ["username", "email", "password"]),
        (wire.Register, {**SOMEBODY, "username": "a"}, ["username"]),
        (wire.Register, {**SOMEBODY, "username": "ann\n"}, ["username"]),
        (wire.Register, {**SOMEBODY, "email": "ann"}, ["email"]),
        (wire.Register, {**SOMEBODY, "email": "\ud800@example.org"}, ["email"]),
        (wire.Register, {**SOMEBODY, "password": "short"}, ["password"]),
        (wire.Register, {**SOMEBODY, "password": "x" * 201}, ["password"]),
        (wire.Register, {**SOMEBODY, "displayName": " \u2003 "}, ["displayName"]),
        (wire.Refresh, {"refreshToken": "rt_\ud800"}, ["refreshToken"]),
        (wire.SendMessage, {**HERE, "content": 7}, ["content"]),
        (wire.SendMessage, {**HERE, "content": "a\x00b"}, ["content"]),
        (wire.SendMessage, {**HERE, "content": "\udfff"}, ["content"]),
        (wire.SendMessage, {**HERE, "content": "x" * 4001}, ["content"]),
        (wire.SendMessage, {**HERE, "conversationId": "7"}, ["conversationId"]),
        (wire.SendMessage, {**HERE, "clientMessageId": uuid.uuid4().hex}, ["clientMessageId"]),
        (wire.SendMessage, {**HERE, "roomId": "lobby"}, ["body"]),
        (wire.SendMessage, {"content": "x", "roomId": "a\x00"}, ["roomId"]),
        (wire.SendMessage, {**HERE, "messageType": "system"}, ["messageType"]),
        (wire.SendMessage, {**HERE, "attachmentIds": [str(uuid.uuid4())] * 11}, ["attachmentIds"]),
        (wire.PatchConversation, {"slug": None}, ["body"]),
        (wire.MarkRead, {}, ["body"]),
        (wire.MarkRead, {"messageIds": []}, ["messageIds"]),
        (wire.SocketReceived, {"conversationId": str(uuid.uuid4())}, ["body"]),
        (wire.SocketReceived, {"conversationId": str(uuid.uuid4()), "seq": 2**53}, ["seq"]),
        (wire.SocketReceived, {"conversationId": str(uuid.uuid4()), "seq": True}, ["seq"]),
        (wire.Sync, {"conversationId": str(uuid.uuid4()), "limit": 201}, ["limit"]),
        (query_models.HistoryQuery, {"before": "1", "after": "1"}, ["body"]),
        (query_models.HistoryQuery, {"limit": "many"}, ["limit"]),
        (wire.SocketReaction, {"messageId": str(uuid.uuid4()), "emoji": "a b"}, ["emoji"]),
    ],
)
def test_what_is_wrong_is_named(model: type[wire.Request], payload: dict[str, Any], wrong: list[str]) -> None:
    assert list(fields(model, payload)) == wrong


def _nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "metadata",
    [
        _nested(40),
        _nested(250),
        {"a": float("inf")},
        {"a": 2**64},
        {"a\x00": 1},
        {"a": ["\ud800"]},
        {"a": "x" * 4096},
        {"a": b"x"},
    ],
)
def test_metadata_that_could_not_be_given_back_is_refused(metadata: Any) -> None:
    assert "metadata" in fields(wire.SendMessage, {**HERE, "metadata": metadata})


@pytest.mark.parametrize("metadata", [{}, _nested(20), {"a": 1e300, "b": [None, True, "\\u0000"], "": {"ü": -1.5}}])
def test_plain_metadata_is_taken_as_it_is(metadata: Any) -> None:
    assert wire.parse(wire.SendMessage, {**HERE, "metadata": metadata}).metadata == metadata


def test_a_query_reads_numbers_and_booleans_from_text() -> None:
    assert wire.parse(query_models.HistoryQuery, {"limit": "7", "before": "12"}).limit == 7
    assert wire.parse(query_models.ConversationsQuery, {"archived": "true"}).archived is True
