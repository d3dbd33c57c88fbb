"""Each scheduled job does its work, and run a second time changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.domain import changes, presence, resets, retention
from app.extensions import CACHE, celery, redis
from app.kernel import clock, ids, requests as wire
from app.kernel.actor import Actor
from app.live import presence as live, typing
from app.tasks import BEAT
from tests.mail.conftest import World, running, world

__all__ = ["running", "world"]  # fixtures
ROOT = Path(__file__).parents[2]
TABLES = "SELECT c.relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"


def run(job: str) -> None:
    """Run a job as a worker does."""
    celery.tasks[BEAT[job]["task"]]()


def everything(world: World) -> dict[str, Any]:
    """Read every row of every table."""
    tables = [row.relname for row in world.rows(TABLES)]
    return {table: sorted(str(row) for row in world.rows(f"SELECT t::text FROM {table} t")) for table in tables}


@pytest.fixture
def old(world: World) -> Iterator[World]:
    """A Parley with something for every job to do."""
    ann, ben = world.person("Ann"), world.person("Ben")
    group = world.group("Team", ann, ben)
    said = world.say(ann, group, "the first words")
    changes.edit(ann, message_id=said, content="the second words", now=clock.now())
    changes.delete(ann, message_id=said, now=clock.now())
    kept = world.say(ann, group, "words that stay")
    changes.edit(ann, message_id=kept, content="words that stay, mended", now=clock.now())
    world.rows("UPDATE messages SET deleted_at = now() - interval '31 days' WHERE id = :id", id=said)
    resets.forgot(request=wire.parse(wire.Forgot, {"identifier": ann.username}), client=_nowhere(), now=clock.now())
    world.rows("UPDATE password_resets SET expires_at = now() - interval '2 days'")
    world.rows("UPDATE letters SET state = 'sent', ended_at = now() - interval '31 days'")
    _token(world, ann, "40 days")
    _token(world, ann, "1 day")
    _session(world, ann)
    typing.remember(f"{group}|user|{ann.id}", clock.now() - timedelta(seconds=10))
    world.rows("UPDATE profiles SET created_at = now() - interval '1 hour' WHERE id = :id", id=ben.id)
    redis.cache.hset(live.SEEN, str(ann.id), clock.now().isoformat())
    redis.cache.hset(live.SEEN, str(ids.new_id()), clock.now().isoformat())  # somebody who is no longer there
    yield world
    redis.cache.delete(live.SEEN)


def _nowhere() -> Any:
    from app.domain.accounts import Client  # noqa: PLC0415

    return Client(user_agent="", address="")


def _token(world: World, person: Actor, ended: str) -> None:
    world.rows(
        "INSERT INTO portal_tokens (id, profile_id, token_hash, created_at, expires_at)"
        " SELECT gen_random_uuid(), :id, gen_random_uuid()::text::bytea, now(), now() - CAST(:ended AS interval)",
        id=person.id, ended=ended,
    )  # fmt: skip


def _session(world: World, person: Actor) -> None:
    world.rows(
        "INSERT INTO sessions (id, profile_id, kind, nonce, generation, rotated_at, created_at, last_used_at, expires_at,"
        " user_agent, address) SELECT gen_random_uuid(), :id, 'api', CAST('n' AS bytea), 1, now(), now(), now(), ends.at,"
        " '', '' FROM (VALUES (now() - interval '8 days'), (now() + interval '1 day')) AS ends(at)",
        id=person.id,
    )


# What each job has to have changed, in this world.
DOES: dict[str, Callable[[World], object]] = {
    "presence.flush": lambda w: w.rows("SELECT 1 FROM user_presence") and not redis.cache.exists(live.SEEN),
    "typing.clean_up": lambda _: not redis.cache.zcard(typing.KEY),
    "digests.plan": lambda w: len(w.rows("SELECT 1 FROM letters WHERE kind = 'digest'")) == 1,
    "sessions.clean_up": lambda w: not w.rows("SELECT 1 FROM sessions WHERE expires_at < now()"),
    "letters.clean_up": lambda w: not w.rows("SELECT id FROM letters UNION SELECT id FROM password_resets"),
    "retention.purge": lambda w: [row.content for row in w.rows(WORDS)] == [""] * len(w.rows(WORDS)) != [],
    "retention.clean_up": lambda w: (
        not w.rows("SELECT 1 FROM portal_tokens WHERE expires_at < now() - interval '30 days'")
    ),
}
WORDS = (
    "SELECT e.content FROM message_edits e JOIN messages m ON m.id = e.message_id"
    " WHERE m.deleted_at < now() - interval '30 days'"
)
KEPT = (
    "SELECT content FROM message_edits e WHERE content = 'words that stay'"
    " UNION SELECT 'a token' FROM portal_tokens WHERE expires_at BETWEEN now() - interval '2 days' AND now()"
    " UNION SELECT 'a session' FROM sessions WHERE expires_at > now()"
)


@pytest.mark.parametrize("job", sorted(DOES))
def test_a_job_run_twice_does_what_it_does_once(old: World, job: str) -> None:
    old.rows("DELETE FROM letters WHERE ended_at IS NULL")
    assert not DOES[job](old), "there is something to do"
    run(job)
    assert DOES[job](old)
    assert len(old.rows(KEPT)) == 3
    after = everything(old)
    run(job)
    assert everything(old) == after


def test_no_other_job_changes_anything_the_second_time(old: World) -> None:
    for job in sorted(set(BEAT) - set(DOES)):
        run(job)
        after = everything(old)
        run(job)
        assert everything(old) == after, job


@pytest.mark.fast
def test_every_job_is_explained() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    explained = set(re.findall(r"`([a-z]+\.[a-z_]+)`", page.partition("## Scheduled jobs")[2].partition("\n## ")[0]))
    assert set(BEAT) <= explained
    assert explained <= set(BEAT)


def test_a_note_that_came_while_it_was_written_is_not_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = world.person()
    first, second = clock.now() - timedelta(minutes=5), clock.now()
    redis.cache.hset(live.SEEN, str(ann.id), first.isoformat())
    forget = live.forget_seen

    def meanwhile(notes: Any) -> None:
        redis.cache.hset(live.SEEN, str(ann.id), second.isoformat())
        forget(notes)

    monkeypatch.setattr(live, "forget_seen", meanwhile)
    presence.flush_seen()
    monkeypatch.undo()
    presence.flush_seen()
    (row,) = world.rows("SELECT last_seen_at FROM user_presence WHERE profile_id = :id", id=ann.id)
    assert row.last_seen_at == second


def test_more_than_a_step_is_purged_in_steps(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.domain.steps.STEP", 3)
    ann = world.person()
    group = world.group("Alone", ann)
    for number in range(7):
        changes.delete(ann, message_id=world.say(ann, group, f"number {number}"), now=clock.now())
    later = clock.now() + timedelta(days=31)
    retention.purge(now=clock.now() + timedelta(days=29))  # what other tests have deleted
    assert not world.rows("SELECT 1 FROM messages WHERE conversation_id = :c AND purged_at IS NOT NULL", c=group)
    assert retention.purge(now=later, at_most_s=0) == 0
    assert retention.purge(now=later) >= 7
    assert retention.purge(now=later) == 0
    words = world.rows("SELECT content FROM message_edits WHERE conversation_id = :c", c=group)
    assert [row.content for row in words] == [""] * 7


def test_nothing_is_planned_while_nobody_knows_who_is_here(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, ben = world.person(), world.person()
    world.say(ann, world.group("Team", ann, ben), "hello")
    world.later(minutes=16)
    kept, redis._cache = redis._cache, (redis.client("redis://127.0.0.1:1"),) * 2
    try:
        run("digests.plan")
        assert world.letters(ben) == []
    finally:
        redis._cache = kept
        CACHE.succeeded()  # its breaker would refuse the next test for a second
