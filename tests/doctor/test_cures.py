"""Each part is broken in turn, and the doctor says the sentence that cures it."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
import redis
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import AuthResult
from psycopg2 import sql

from app.cli.doctor import database, door, machine, mail, processes, redises as checks
from app.cli.doctor.findings import Doubt, Finding, Look, Sick, examine
from app.cli.doctor.report import hidden, secrets_of
from app.cli.doctor.surroundings import environment
from app.cli.doctor.visit import Visit
from config import Config
from embedded.services import Services
from tests.doctor.conftest import Answer
from tests.support.stack import database_url, free_port, fresh_database

Change = Callable[..., Config]


def ailment(check: Callable[..., str], *arguments: Any) -> str:
    """Run a check that must find something; gives its sentence."""
    with pytest.raises((Sick, Doubt)) as found:
        check(*arguments)
    return str(found.value)


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


# PostgreSQL -----------------------------------------------------------------------------------------------------------
def test_postgresql_is_well(config: Config) -> None:
    assert "row security binds" in database.reached(config)
    assert "revision" in database.migrated(config)


def test_what_keeps_postgresql_from_letting_us_in(config: Config, monkeypatch: pytest.MonkeyPatch, silent: int) -> None:
    monkeypatch.setattr(database, "CONNECT_S", 1)
    parts = urlsplit(config.database_url)

    def to(**what: str) -> str:
        kept = {"user": parts.username, "password": parts.password, "host": parts.hostname, "port": str(parts.port)}
        one = {**kept, "name": parts.path.strip("/"), **what}
        url = "postgresql://{user}:{password}@{host}:{port}/{name}".format(**one)
        return ailment(database.reached, replace(config, database_url=url))

    assert "refuses the password of parley_app: correct it in DATABASE_URL" in to(password="wrong-one")
    assert "There is no such database" in to(name="nowhere_at_all")
    assert "Nothing listens at 127.0.0.1" in to(port=str(free_port()))
    assert "does not answer" in to(port=str(silent))
    assert "wrong-one" not in to(password="wrong-one")


@pytest.mark.parametrize(("power", "words"), [("SUPERUSER", "a superuser"), ("BYPASSRLS", "allowed to bypass")])
def test_a_role_that_row_security_does_not_bind(
    services: dict[str, str], config: Config, superuser: Any, power: str, words: str
) -> None:
    role = f"too_mighty_{power.lower()}"
    with superuser.cursor() as cursor:
        cursor.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
        cursor.execute(sql.SQL(f"CREATE ROLE {{}} LOGIN {power} PASSWORD 'mighty'").format(sql.Identifier(role)))
    parts = urlsplit(config.database_url)
    url = f"postgresql://{role}:mighty@{parts.hostname}:{parts.port}{parts.path}"
    assert words in ailment(database.reached, replace(config, database_url=url))


def test_tables_that_are_missing_old_or_open(services: dict[str, str], template: str, config: Config) -> None:
    name = fresh_database(services, template)
    held = replace(config, database_url=database_url(services, "parley_app", name))
    owner = psycopg2.connect(database_url(services, "parley_owner", name))
    owner.autocommit = True
    cursor = owner.cursor()
    cursor.execute("ALTER TABLE messages NO FORCE ROW LEVEL SECURITY")
    assert "not forced on messages" in ailment(database.hidden, held)
    cursor.execute("ALTER TABLE messages FORCE ROW LEVEL SECURITY")
    assert "hides everything" in ailment(database.hidden, held)  # there is nobody yet
    cursor.execute("SELECT set_config('parley.scope', 'system', false)")
    cursor.execute(
        "INSERT INTO profiles (id, kind, username, display_name, created_at)"
        " VALUES (gen_random_uuid(), 'user', 'ann', 'Ann', now())"
    )
    assert "no row shows" in database.hidden(held)
    cursor.execute("CREATE POLICY oops ON profiles USING (true)")
    assert "Rows show without a context" in ailment(database.hidden, held)
    cursor.execute("UPDATE alembic_version SET version_num = '0001'")
    assert "at revision 0001 and this Parley wants" in ailment(database.migrated, held)
    cursor.execute("DROP TABLE alembic_version")
    assert "run `python -m app.cli migrate`" in ailment(database.migrated, held)
    owner.close()


# Redis ----------------------------------------------------------------------------------------------------------------
def test_redis_is_well(config: Config) -> None:
    assert "in use" in checks.writable("log")
    assert "queued jobs stay" in checks.evicts()
    assert "appendfsync always" in checks.write_mode(config)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"maxmemory": "1"}, "out of memory and refuses writes: raise its maxmemory"),
        (
            {"maxmemory-policy": "allkeys-lru"},
            "may throw away queued jobs (allkeys-lru): set maxmemory-policy volatile-lru",
        ),
    ],
)
def test_a_cache_that_is_set_up_wrongly(config: Config, setting: dict[str, str], words: str) -> None:
    client = redis.Redis.from_url(str(config.redis_url))
    before = {name: next(iter(client.config_get(name).values())) for name in setting}
    for name, value in setting.items():
        client.config_set(name, value)
    try:
        assert words in ailment(checks.writable if "maxmemory" in setting else checks.evicts, *setting_args(setting))
    finally:
        for name, value in before.items():
            client.config_set(name, value)


def setting_args(setting: dict[str, str]) -> tuple[str, ...]:
    return ("cache",) if "maxmemory" in setting else ()


def test_a_log_that_could_lose_something_is_written_through(but: Change, config: Config) -> None:
    client = redis.Redis.from_url(str(config.message_log_redis_url))
    client.config_set("appendfsync", "everysec")
    try:
        but()
        assert "through: the log's Redis says appendonly yes, appendfsync everysec" in ailment(
            checks.write_mode, config
        )
        forced = but(message_write_mode="behind")
        assert "beware" in ailment(checks.write_mode, forced)
    finally:
        client.config_set("appendfsync", "always")


def test_what_keeps_redis_from_being_used(but: Change, config: Config, silent: int, redises: Services) -> None:
    port = urlsplit(str(config.redis_url)).port
    but(redis_url=f"redis://:wrong-one@127.0.0.1:{port}/0")
    assert "refuses the password: correct it in REDIS_URL" in ailment(checks.writable, "cache")
    but(redis_url=f"redis://127.0.0.1:{free_port()}/0")
    assert "start it (`make run` does), or correct REDIS_URL" in ailment(checks.writable, "cache")
    but(message_log_redis_url=f"redis://127.0.0.1:{silent}/0")
    assert "does not answer" in ailment(checks.writable, "log")
    but()
    client = redis.Redis.from_url(str(config.redis_url))
    client.replicaof("127.0.0.1", str(free_port()))
    try:
        assert "read-only replica: name its master in REDIS_URL" in ailment(checks.writable, "cache")
    finally:
        client.replicaof("NO", "ONE")


# processes ------------------------------------------------------------------------------------------------------------
def test_without_worker_and_beat(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORKER_S", "DRAIN_S", "TICK_S"):
        monkeypatch.setattr(processes, name, 0.2)
    assert "No worker reads the queue: start one" in ailment(processes.worker)
    assert "No scheduled job was run within the last hour: start beat" in ailment(processes.beat)
    client = redis.Redis.from_url(str(config.redis_url))
    client.set("beat:ticked", time.time() - 300)
    assert "No scheduled job was run for 300 s" in ailment(processes.beat)
    visit = Visit()
    assert "accepted and not stored" in ailment(processes.drained, visit)
    assert "gone again" in visit.end()
    log = redis.Redis.from_url(str(config.message_log_redis_url))
    assert log.xlen("messages:log") == 0


def test_what_a_killed_doctor_has_left_the_next_one_removes(config: Config, inside_of: Callable[[str], int]) -> None:
    killed, later = Visit(), Visit()
    killed.patient()
    assert inside_of("SELECT count(*) FROM users") == 1
    later.patient()
    later.end()
    assert inside_of("SELECT count(*) FROM users") == 1  # it may be at work still
    inside_of("UPDATE users SET created_at = created_at - interval '3 minutes' RETURNING 1")
    last = Visit()
    last.patient()
    last.end()
    assert [inside_of(f"SELECT count(*) FROM {table}") for table in ("users", "profiles", "conversations")] == [0, 0, 0]


@pytest.fixture
def inside_of(services: dict[str, str], config: Config) -> Iterator[Callable[[str], int]]:
    """Run a statement on this module's database as the superuser; gives the first value."""
    name = urlsplit(config.database_url).path.strip("/")
    connection = psycopg2.connect(_superuser(services, name))
    connection.autocommit = True

    def run(statement: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return int(cursor.fetchone()[0])  # type: ignore[index]

    yield run
    connection.close()


def _superuser(services: dict[str, str], name: str) -> str:
    return urlsplit(services["PARLEY_TEST_SUPERUSER_URL"])._replace(path=f"/{name}").geturl()


# the door -------------------------------------------------------------------------------------------------------------
def test_nobody_or_somebody_else_is_at_the_door(config: Config, proxy: tuple[str, dict[str, Answer]]) -> None:
    url, answers = proxy
    assert "Nothing answers at" in ailment(door.answers, replace(config, port=free_port()), "http://127.0.0.1:9")
    assert "Something else than Parley answers" in ailment(door.answers, config, url)
    answers["/readyz"] = 503, {"code": "unavailable", "fields": {"database": ["does not answer"]}}
    assert "it cannot reach: database" in ailment(door.answers, config, url)
    answers["/readyz"] = 200, {"ready": True, "parts": {}}
    assert "is ready" in door.answers(config, url)
    answers["/healthz"] = 200, {"status": "ok"}
    behind = replace(config, port=urlsplit(url).port)
    assert "see the proxy in between" in ailment(door.answers, behind, f"http://127.0.0.1:{free_port()}")


def test_what_a_proxy_may_get_wrong(config: Config, proxy: tuple[str, dict[str, Answer]]) -> None:
    url, answers = proxy
    visit = Visit()

    def seen(hops: int = 0, **more: Any) -> None:
        forwarded = {"for": hops, "proto": hops, "host": hops}
        well = {"address": "192.0.2.7", "scheme": "http", "host": urlsplit(url).netloc, "forwarded": forwarded}
        answers["/api/connection"] = 200, {**well, **more}

    try:
        seen()
        assert "0 proxies" in door.forwarded(config, url, visit)
        seen(2)
        assert "CHAT_TRUSTED_PROXIES is 0: set it to 2" in ailment(door.forwarded, config, url, visit)
        seen(scheme="https")
        assert "have the proxy set X-Forwarded-Proto" in ailment(door.forwarded, config, url, visit)
        seen(host="inner:8000")
        assert "have the proxy pass Host" in ailment(door.forwarded, config, url, visit)
        answers["/api/connection"] = 401, "no"
        assert "does not know this installation's SECRET_KEY" in ailment(door.forwarded, config, url, visit)
        assert "The WebSocket is not let through (status 404)" in ailment(door.spoken, url, visit)
        answers["/socket.io/"] = 400, '"Not an accepted origin."'
        assert "add it to CHAT_ORIGINS" in ailment(door.spoken, url, visit)
        public = "http://chat.invalid"
        seen()
        trusting = replace(config, trusted_proxies=1)
        door_of = door.requests.get
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(door.requests, "get", lambda address, **more: door_of(address.replace(public, url), **more))
            assert "anybody may forge an address; set 0" in ailment(door.forwarded, trusting, public, visit)
    finally:
        visit.end()


# mail, machine --------------------------------------------------------------------------------------------------------
def test_a_mail_server_that_is_away_or_silent(but: Change, config: Config, silent: int) -> None:
    assert "land in instance/mail/" in mail.greeted(config)
    assert "nobody can reset" in ailment(mail.greeted, replace(config, env="production"))
    for port in (free_port(), silent):
        sick = but(smtp_url=f"smtp://ann:hush@127.0.0.1:{port}", mail_timeout_s=1)
        sentence = ailment(mail.greeted, sick)
        assert f"127.0.0.1:{port} cannot be reached" in sentence
        assert "hush" not in sentence


class Strict:
    """Refuses every sign-in."""

    def __call__(self, *_: Any) -> AuthResult:
        return AuthResult(success=False, handled=False)


def test_a_mail_server_that_refuses_the_password(but: Change) -> None:
    server = Controller(Sink(), hostname="127.0.0.1", port=free_port(), authenticator=Strict(), auth_require_tls=False)
    server.start()
    try:
        address = f"127.0.0.1:{server.port}"
        assert f"{address} answers" in mail.greeted(but(smtp_url=f"smtp://{address}"))
        refused = ailment(mail.greeted, but(smtp_url=f"smtp://ann:hush@{address}"))
        assert "refuses the user or the password: correct them in CHAT_SMTP_URL" in refused
        assert "wants" in ailment(mail.greeted, but(smtp_url=f"smtp+starttls://{address}"))
    finally:
        server.stop()


def test_a_clock_that_is_wrong(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "all within" in machine.clocks(config)
    real = time.time
    monkeypatch.setattr(machine.time, "time", lambda: real() - 60)
    sentence = ailment(machine.clocks, config)
    assert "ahead of this machine's: run NTP" in sentence


def test_a_full_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "GB free" in machine.room_on_disk(folder / "not" / "yet")
    usage = type(shutil.disk_usage(folder))
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: usage(10**12, 10**12 - 10**8, 10**8))
    assert "make room before" in ailment(machine.room_on_disk, folder)


def test_what_others_could_read(config: Config, folder: Path) -> None:
    public = {"env": "production", "origins": ("https://chat.example.org",), "instance_path": folder}
    strong = replace(config, secret_key="0123456789abcdef" * 4, rate_limits_enabled=True, **public)
    assert "nothing secret is open" in machine.safe(strong)
    assert "in the clear" in ailment(machine.safe, replace(strong, origins=("http://chat.example.org",)))
    assert "guess passwords all day" in ailment(machine.safe, replace(strong, rate_limits_enabled=False))
    assert "CHAT_ENV is not production" in ailment(machine.safe, replace(strong, env="development"))
    assert "SECRET_KEY can be guessed" in ailment(machine.safe, replace(strong, secret_key="secret" * 8))
    (folder / "secret_key").write_text("x")
    (folder / "secret_key").chmod(0o644)
    assert "chmod 600" in ailment(machine.safe, strong)


# the doctor itself ----------------------------------------------------------------------------------------------------
@pytest.mark.fast
def test_a_check_that_hangs_or_fails_is_a_finding_and_holds_up_no_other() -> None:
    known: dict[str, Finding] = {}
    looks = [
        Look("hangs", lambda: time.sleep(5) or ""),
        Look("fails", lambda: str(1 / 0)),
        Look("well", lambda: "fine"),
    ]
    began = time.monotonic()
    found = examine(looks, known, within_s=0.5)
    assert time.monotonic() - began < 4
    assert [finding.state for finding in found] == ["sick", "sick", "well"]
    assert "restart it" in found[0].words
    later = examine([Look("needs", lambda: "fine", ("well", "fails"))], known, within_s=5)
    assert (later[0].state, "fails" in later[0].words) == ("unasked", True)


@pytest.mark.fast
def test_no_secret_is_printed() -> None:
    config = Config(
        database_url="postgresql://a:p%40ss-one@h/d", database_owner_url="postgresql://o:pass-two@h/d",
        redis_url="redis://:pass-three@h", smtp_url="smtp://u:pass-four@h", secret_key="the-secret-key", redis_password="five5",
    )  # fmt: skip
    words = "p@ss-one p%40ss-one pass-two pass-three pass-four the-secret-key five5 redis://:pass-three@h a"
    assert hidden(words, secrets_of(config)).replace("•••", "").split() == ["a"]


@pytest.mark.fast
def test_what_make_run_has_noted_serves_and_the_environment_goes_first(folder: Path) -> None:
    assert environment({"CHAT_INSTANCE_PATH": str(folder)}) == {"CHAT_INSTANCE_PATH": str(folder)}
    role = {"parley_app": "a", "parley_owner": "o", "postgres": "p"}
    notes: dict[str, Any] = {f"redis-{n}": {"port": 2, "passwords": {"default": "r"}} for n in ("log", "cache")}
    notes |= {"postgres": {"port": 1, "passwords": role}, "web": {"port": 5007}}
    (folder / "services.json").write_text(json.dumps(notes))
    (folder / "secret_key").write_text("k")
    assert environment({"CHAT_INSTANCE_PATH": str(folder), "REDIS_URL": "redis://mine"}) == {
        "CHAT_INSTANCE_PATH": str(folder),
        "DATABASE_URL": "postgresql://parley_app:a@127.0.0.1:1/parley",
        "DATABASE_OWNER_URL": "postgresql://parley_owner:o@127.0.0.1:1/parley",
        "REDIS_URL": "redis://mine",
        "PORT": "5007",
        "SECRET_KEY": "k",
    }
