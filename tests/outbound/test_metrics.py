"""``/metrics``: any process answers for all of its machine; counts and times, and nobody's name."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from app.domain import measuring
from app.factory import create_app
from app.outbound import metrics
from config import Config, load_config
from tests.support.cast import Cast, listens
from tests.support.clients import Person
from tests.support.doors import RestDoor, SocketDoor
from tests.support.serving import promote
from tests.support.stack import ROOT, WORKER, Stack, _answers, environment, free_port, fresh_database, until

SECRET = "only-for-tests-" + "x" * 32
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-")
Samples = dict[str, float]


def samples(text: str) -> Samples:
    """Read the text format as Prometheus does; gives sums by name, and by name and labels."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labelled = f"{sample.name}{{{','.join(f'{k}={v}' for k, v in sorted(sample.labels.items()))}}}"
            for name in {sample.name, labelled}:
                found[name] = found.get(name, 0) + sample.value
    return found


def scrape(url: str) -> Samples:
    """Ask a process."""
    answer = requests.get(f"{url}/metrics", timeout=10)
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return samples(answer.text)


@pytest.mark.parametrize("mode", ["behind"], indirect=True, scope="session")
def test_either_process_tells_what_all_have_counted(cast: Cast, name: str) -> None:
    ann, ben = cast.device(cast.ann), cast.device(cast.ben)  # at one process each; a worker stores
    room = cast.room(name, cast.ben)
    listens(ben, room)
    before = [scrape(url) for url in cast.stack.urls]
    for number in range(5):
        event = ann.ok("message:send", {"conversationId": room, "content": f"hush {number}"})["message"]
        ben.next("message", lambda m, w=event["id"]: m["id"] == w and m["persisted"])
        SocketDoor(cast.ben, ben).received(room, event["id"])
    ann.ok("typing", {"conversationId": room, "isTyping": True})
    ann.ok("typing", {"conversationId": room, "isTyping": True})
    ann.refused("message:send", {"conversationId": room, "content": ""})
    RestDoor(cast.ben).catch_up(room, after=0)

    def grown(name: str, least: float) -> bool:
        now = [scrape(url) for url in cast.stack.urls]
        return all(new.get(name, 0) - old.get(name, 0) >= least for new, old in zip(now, before, strict=True))

    for counted, least in {
        "parley_accept_seconds_count{mode=behind}": 5, "parley_persist_seconds_count": 5, "parley_emit_seconds_count": 10,
        "parley_receive_seconds_count": 5, "parley_missed_query_seconds_count": 1, "parley_typing_total{outcome=told}": 1,
        "parley_typing_total{outcome=coalesced}": 1, "parley_errors_total{code=invalid,door=socket}": 1,
    }.items():  # fmt: skip
        until(lambda n=counted, m=least: grown(n, m), what=counted)
    one, other = (scrape(url) for url in cast.stack.urls)
    assert one["parley_connections"] == other["parley_connections"] >= 2
    assert one["parley_emit_seconds_sum"] > 0
    assert {"parley_log_entries", "parley_drain_lag_seconds", "parley_redis_memory_bytes{redis=log}"} <= one.keys()
    assert [one[f"parley_up{{part={part}}}"] for part in ("database", "log", "cache")] == [1, 1, 1]
    told = requests.get(f"{cast.stack.url}/metrics", timeout=10).text
    assert not [word for word in (cast.ann.username, "hush", room, "127.0.0.1") if word in told]
    assert not ID.search(told)


# who may see it -------------------------------------------------------------------------------------------------------
def config(**settings: str) -> Config:
    """Make a configuration that needs no server."""
    given = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "SECRET_KEY": "0123456789abcdef" * 4}
    return load_config({**given, "MESSAGE_WRITE_MODE": "through", **settings})


PRODUCTION = {"CHAT_ENV": "production", "CHAT_ORIGINS": "https://chat.example.org"}


def status(settings: dict[str, str], address: str = "127.0.0.1", **headers: str) -> int:
    """Ask for the numbers from an address."""
    client: FlaskClient = create_app(config(**settings)).test_client()
    named: Any = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get("/metrics", headers=named, environ_base={"REMOTE_ADDR": address}).status_code


@pytest.mark.fast
def test_in_development_this_machine_may_see_the_numbers_and_nobody_from_elsewhere() -> None:
    assert status({}) == 200
    assert status({}, "192.0.2.7") == 401
    assert status({}, X_Forwarded_For="127.0.0.1") == 401  # a proxy speaks for somebody
    assert status(PRODUCTION) == 401


@pytest.mark.parametrize("mode", ["behind"], indirect=True, scope="session")
def test_a_signed_in_admin_may_see_the_numbers_and_no_other_person(cast: Cast, stack: Stack, name: str) -> None:
    """Asked through a proxy, so that nobody is let in for being this machine."""
    admin, forwarded = Person(stack.url, f"{name}-admin"), {"X-Forwarded-For": "192.0.2.7"}
    promote(stack, admin, "admin")

    def ask(person: Person | None) -> int:
        headers = {**forwarded, **({"Authorization": f"Bearer {person.token}"} if person else {})}
        return requests.get(f"{stack.url}/metrics", headers=headers, timeout=10).status_code

    assert [ask(one) for one in (None, cast.ann, admin)] == [401, 403, 200]
    promote(stack, admin, "staff")
    assert ask(admin) == 403


@pytest.mark.fast
def test_with_a_token_only_the_token_opens() -> None:
    token = {"CHAT_METRICS_TOKEN": "for-prometheus-only"}
    assert status({**PRODUCTION, **token}, "192.0.2.7", Authorization="Bearer for-prometheus-only") == 200
    assert status(token) == 401
    assert status(token, Authorization="Bearer for-prometheus-onl") == 401
    assert status(token, Authorization="Bearer None") == 401


# files ----------------------------------------------------------------------------------------------------------------
@pytest.fixture
def unshared() -> Iterator[None]:
    """Put this process's own numbers back."""
    plain, numbers = metrics.values.ValueClass, list(metrics._numbers)
    yield
    metrics.values.ValueClass, metrics._numbers[:], metrics._shared[:] = plain, numbers, []


COUNT = (
    "import pathlib, sys; from app.outbound import metrics as m; m.share(pathlib.Path(sys.argv[1]));"
    " m.accepted('behind', 0.02); m.connected(1); m.error('rest', 'invalid'); m._count()"
)


@pytest.mark.fast
def test_what_a_dead_process_counted_stays_and_what_it_had_open_does_not(tmp_path: Path, unshared: None) -> None:
    metrics.share(tmp_path)
    subprocess.run([sys.executable, "-c", COUNT, str(tmp_path)], cwd=ROOT, check=True)
    metrics.accepted("behind", 0.004)
    metrics.connected(1)
    found = samples(metrics.exposition(list).decode())
    assert found["parley_accept_seconds_count{mode=behind}"] == 2
    assert found["parley_accept_seconds_bucket{le=0.005,mode=behind}"] == 1
    assert found["parley_accept_seconds_sum{mode=behind}"] == pytest.approx(0.024)
    assert found["parley_connections"] == 1
    assert found["parley_errors_total{code=invalid,door=rest}"] == 1


@pytest.mark.fast
def test_a_first_process_begins_anew(tmp_path: Path, unshared: None) -> None:
    subprocess.run([sys.executable, "-c", COUNT, str(tmp_path)], cwd=ROOT, check=True)
    metrics.share(tmp_path)
    assert samples(metrics.exposition(list).decode()).get("parley_accept_seconds_count", 0) == 0


# a worker by itself ---------------------------------------------------------------------------------------------------
def test_a_worker_answers_at_a_port_of_its_own_where_one_is_set(
    services: dict[str, str], template: str, tmp_path: Path
) -> None:
    port = free_port()
    own = {"CHAT_WORKER_METRICS_PORT": str(port), "CHAT_INSTANCE_PATH": str(tmp_path)}
    environ = {**environment(services, fresh_database(services, template)), **own}
    worker = subprocess.Popen(WORKER, cwd=ROOT, env=environ, stderr=subprocess.DEVNULL)
    try:
        until(lambda: _answers(f"http://127.0.0.1:{port}/metrics"), within_s=30, what="the worker's numbers")
        found = scrape(f"http://127.0.0.1:{port}")
        assert {"parley_persist_seconds_count", "parley_write_mode"} <= found.keys()
        assert found["parley_up{part=database}"] == 1
    finally:
        worker.terminate()
        worker.wait(20)


@pytest.mark.fast
def test_a_taken_port_costs_the_numbers_and_not_the_worker(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        metrics.serve("127.0.0.1", taken.getsockname()[1], list)
    assert "the numbers are not served" in caplog.text


@pytest.mark.fast
def test_a_worker_serves_nothing_unless_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(metrics, "serve", lambda *given: asked.append(given[:2]))
    given: list[dict[str, str]] = [{}, {"CHAT_WORKER_METRICS_PORT": "9199"}]
    for one in given:
        monkeypatch.setattr(measuring, "settings", lambda one=one: config(**one))
        measuring.serve()
    assert asked == [("127.0.0.1", 9199)]
