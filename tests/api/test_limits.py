"""Rates: sends and sign-ins, in both write modes and through both doors, with and without Redis."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
import requests

from app.extensions import CACHE
from app.factory import create_app
from app.kernel import limits
from app.kernel.errors import RateLimited
from app.live import attempts, rates
from config import load_config
from tests.support.clients import PASSWORD, Person, Rest, send_body
from tests.support.inside import Inside
from tests.support.stack import Stack, until


@pytest.fixture(scope="module", params=["behind", "through"])
def limited(
    request: pytest.FixtureRequest, services: dict[str, str], template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A Parley whose rates are on, of one web process."""
    stack = Stack.make(services, template, request.param, tmp_path_factory.mktemp("limited"), webs=1)
    stack.environ["RATE_LIMITS_ENABLED"] = "true"
    stack.start()
    yield stack
    stack.end()


def burst(ann: Person, direct: str, count: int) -> list[requests.Response]:
    """Send many at once."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda n: ann.call("POST", "/messages/send", send_body(direct, f"{n}")), range(count)))


def hurry(stack: Stack, ann: Person, ahead_s: float) -> None:
    """Have someone's sends be this far ahead of an even pace, however slow this machine is."""
    for key in ("REDIS_URL", "MESSAGE_LOG_REDIS_URL"):
        redis.Redis.from_url(stack.environ[key]).set(
            f"rate:send:{ann.id}", f"{(time.time() + ahead_s) * 1000:.3f}", ex=600
        )


def test_a_burst_of_sends_passes_and_no_more_than_the_rate(limited: Stack, name: str) -> None:
    ann, ben = Person(limited.url, f"{name}a"), Person(limited.url, f"{name}b")
    direct = ann.direct(ben)
    began = time.monotonic()
    answers = burst(ann, direct, 70)
    most = limits.SENDS_BURST + limits.SENDS_PER_S * (time.monotonic() - began) + 1
    taken = [answer for answer in answers if answer.status_code == 201]
    assert limits.SENDS_BURST <= len(taken) <= most
    assert {answer.status_code for answer in answers} <= {201, 429}
    sent = ann.until_persisted(direct, len(taken))
    assert [m["seq"] for m in sent] == list(range(1, len(taken) + 1))


def test_a_send_too_many_is_told_when_to_come_again(limited: Stack, name: str) -> None:
    ann, ben = Person(limited.url, f"{name}a"), Person(limited.url, f"{name}b")
    direct = ann.direct(ben)
    first = ann.ok("POST", "/messages/send", send_body(direct, "first"))["message"]
    hurry(limited, ann, 8)
    late = ann.call("POST", "/messages/send", send_body(direct, "late"))
    error = late.json()["error"]
    assert (late.status_code, error["code"], error["temporary"]) == (429, "rate_limited", True)
    assert 0 < error["retryAfter"] <= 5.2
    assert int(late.headers["Retry-After"]) >= error["retryAfter"]
    again = ann.call("POST", "/messages/send", send_body(direct, "first", first["clientMessageId"]))
    assert again.status_code == 200  # a retry of what was accepted is answered, whatever the rate
    assert ben.ok("POST", "/messages/send", send_body(direct, "mine is another rate"))
    until(
        lambda: ann.call("POST", "/messages/send", send_body(direct, "later")).ok,
        within_s=20,
        what="the rate to allow it",
    )
    assert [m["content"] for m in ann.until_persisted(direct, 3)] == ["first", "mine is another rate", "later"]


def test_over_the_rate_a_send_is_refused_for_the_first_reason(limited: Stack, name: str) -> None:
    ann, ben = Person(limited.url, f"{name}a"), Person(limited.url, f"{name}b")
    direct, hidden = ann.direct(ben), ben.group("Hidden")
    device = ann.socket()
    hurry(limited, ann, 600)
    refusal = device.refused("message:send", send_body(direct, "late"))
    assert refusal["code"] == "rate_limited"
    assert refusal["retryAfter"] > 0
    wanted = {
        "invalid": {"conversationId": direct, "content": ""},
        "not_found": send_body(hidden, "x"),
        "out_of_order": send_body(direct, "x", afterClientMessageId=str(uuid.uuid4())),
    }
    assert {code: device.refused("message:send", body)["code"] for code, body in wanted.items()} == {
        c: c for c in wanted
    }


def test_after_five_wrong_passwords_even_the_right_one_waits(limited: Stack, name: str) -> None:
    ann = Person(limited.url, name)
    rest = Rest(limited.url)
    wrong = {"identifier": name, "password": "wrong password"}
    with ThreadPoolExecutor(8) as pool:
        statuses = [
            answer.status_code for answer in pool.map(lambda _: rest.call("POST", "/auth/login", wrong), range(12))
        ]
    assert statuses.count(401) >= limits.LOGIN_FAILURES
    answer = rest.call("POST", "/auth/login", {"identifier": name.upper(), "password": PASSWORD})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (429, "rate_limited")
    assert 0 < error["retryAfter"] <= limits.LOGIN_WINDOW_S
    assert int(answer.headers["Retry-After"]) >= error["retryAfter"]
    assert ann.ok("GET", "/me")  # who is signed in stays so
    other = "o" + uuid.uuid4().hex[:10]
    assert rest.refused("POST", "/auth/login", {"identifier": other, "password": "x"})[0] == 429  # the address, too


# without Redis --------------------------------------------------------------------------------------------------------
@pytest.mark.fast
def test_without_redis_a_process_counts_by_itself() -> None:
    actor, now = uuid.uuid4(), 100.0
    assert [rates._count_here(actor, 1, now) for _ in range(limits.SENDS_BURST)] == [0.0] * limits.SENDS_BURST
    assert rates._count_here(actor, 1, now) == pytest.approx(1 / limits.SENDS_PER_S)
    assert rates._count_here(uuid.uuid4(), 1, now) == 0.0
    assert rates._count_here(actor, 1, now + 0.1) == 0.0
    assert rates._count_here(actor, 1, now + 0.1) > 0
    rates._count_here(actor, -1, now + 0.1)  # one is given back
    assert rates._count_here(actor, 1, now + 0.1) == 0.0
    assert [rates._count_here(actor, 1, now + 60) for _ in range(31)].count(0.0) == limits.SENDS_BURST


@pytest.mark.fast
def test_the_log_and_the_cache_count_with_the_same_arithmetic() -> None:
    lua = Path(rates.__file__).with_name("lua")
    accept, rate = ((lua / f"{name}.lua").read_text() for name in ("accept", "rate"))
    for line in ("local now = time[1] * 1000 + math.floor(time[2] / 1000)", "if due < now then due = now end"):
        assert line in accept
        assert line in rate


# what is coalesced, never refused -------------------------------------------------------------------------------------
def test_read_marks_beyond_the_rate_stand_and_the_newest_is_told(limited: Stack, name: str) -> None:
    ann, ben = Person(limited.url, f"{name}a"), Person(limited.url, f"{name}b")
    direct = ann.direct(ben)
    looking = Inside(limited)
    looking.fill(direct, ben.id, 80)
    reader, writer = ann.socket(), ben.socket()
    writer.ok("subscribe", {"channels": [f"receipts:{direct}"]})
    acks = [
        reader.ok("message:read", {"conversationId": direct, "messageId": m["id"]})
        for m in ann.history(direct, limit=80)
    ]
    assert [ack["readSeq"] for ack in acks] == list(range(1, 81))
    assert [ack["unreadCount"] for ack in acks] == list(range(79, -1, -1))
    assert ann.ok("GET", "/messages/unread-count", params={"conversationId": direct})["count"] == 0
    untold = [ack for ack in acks if ack.get("coalesced")]
    assert 0 < len(untold) <= 80 - limits.READ_MARKS_PER_MINUTE
    assert writer.next("receipt", lambda r: r["upToSeq"] == 80)
    assert writer.next("delivery", lambda d: (d["status"], d["upToSeq"]) == ("read", 80))
    assert reader.next("unread", lambda u: u["readSeq"] == 80)["unreadCount"] == 0
    told = len(writer.heard("receipt"))
    assert told < 80 - len(untold) + 15, "the marks that were put off were told one by one"
    looking.close()
    for person in (ann, ben):
        person.close()


def test_typing_and_presence_beyond_their_rates_are_acked_and_not_told(limited: Stack, name: str) -> None:
    ann, ben = Person(limited.url, f"{name}a"), Person(limited.url, f"{name}b")
    direct = ann.direct(ben)
    typist, watcher = ann.socket(), ben.socket()
    watcher.ok("subscribe", {"channels": [f"typing:{direct}", f"presence:{direct}"]})
    began = time.monotonic()
    acks = []
    for _ in range(limits.TYPING_PER_MINUTE + 5):
        acks.append(typist.ok("typing", {"conversationId": direct, "isTyping": True}))
        typist.ok("typing", {"conversationId": direct, "isTyping": False})
    most = limits.TYPING_PER_MINUTE * (1 + (time.monotonic() - began) / 60) + 1
    told = [ack for ack in acks if not ack["coalesced"]]
    assert limits.TYPING_PER_MINUTE <= len(told) <= most
    assert len(watcher.heard("typing", lambda t: t["isTyping"])) <= most
    for number in range(limits.PRESENCE_PER_MINUTE + 5):
        typist.ok("presence", {"status": "away" if number % 2 else "online"})
    assert typist.ok("presence", {"status": "away"})["status"] == "away"
    watcher.next("presence", lambda p: p["userId"] == ann.id and p["status"] == "away", within_s=15)
    most = limits.PRESENCE_PER_MINUTE * (1 + (time.monotonic() - began) / 60) + 2
    assert len(watcher.heard("presence", lambda p: p["userId"] == ann.id)) <= most
    for person in (ann, ben):
        person.close()


def test_a_flood_of_accounts_is_slowed_down(limited: Stack, name: str) -> None:
    key = "rate:register:127.0.0.1"
    client = redis.Redis.from_url(limited.environ["REDIS_URL"])
    client.set(key, f"{(time.time() + 400) * 1000:.3f}", ex=600)
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    answer = Rest(limited.url).call("POST", "/auth/register", body)
    client.delete(key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limited")
    assert int(answer.headers["Retry-After"]) >= answer.json()["error"]["retryAfter"] > 0


@pytest.mark.fast
def test_without_redis_failed_sign_ins_are_counted_by_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"DATABASE_URL": "postgresql://x@127.0.0.1:1/x", "SECRET_KEY": "k" * 40, "REDIS_URL": "redis://127.0.0.1:1"}
    create_app(load_config({**given, "MESSAGE_WRITE_MODE": "through"}))
    monkeypatch.setattr(CACHE, "_is_open", False)
    place = [f"account:{uuid.uuid4()}"]
    for _ in range(limits.LOGIN_FAILURES):
        attempts.check(place)
        attempts.failed(place)
    with pytest.raises(RateLimited) as refusal:
        attempts.check(place)
    assert 0 < (refusal.value.retry_after or 0) <= limits.LOGIN_WINDOW_S
    attempts.check([f"account:{uuid.uuid4()}"])
    CACHE.succeeded()
