"""The servers of an instance folder: what they keep, whom they let in, and what they survive."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest
import redis

from embedded import CannotStart, Services, account, children, places, programs, services
from tests.embedded.project import servers_in
from tests.support.stack import until

ROOT = Path(__file__).parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="NOT RUN AS ROOT: what the servers do for root is not tested")


def query(url: str, statement: str) -> list[tuple]:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def write_something(env: dict[str, str]) -> None:
    query(env["DATABASE_OWNER_URL"], "CREATE TABLE kept (word text)")
    query(env["DATABASE_URL"], "INSERT INTO kept VALUES ('hello')")
    redis.Redis.from_url(env["MESSAGE_LOG_REDIS_URL"]).xadd("log", {"word": "hello"})


def assert_still_there(env: dict[str, str]) -> None:
    assert query(env["DATABASE_URL"], "SELECT word FROM kept") == [("hello",)]
    assert redis.Redis.from_url(env["MESSAGE_LOG_REDIS_URL"]).xlen("log") == 1


def test_what_was_written_is_there_after_a_restart_at_the_same_addresses(instance: Path) -> None:
    with services(instance, throwaway=False) as first:
        write_something(first)
        assert len(servers_in(instance)) >= 3
    assert servers_in(instance) == []
    with services(instance, throwaway=False) as second:
        assert second == first
        assert_still_there(second)


def test_a_throwaway_leaves_nothing(tmp_path: Path) -> None:
    running = Services(tmp_path / "gone", throwaway=True)
    running.start()
    home = running.place.home
    assert (home / "postgres").exists()
    running.stop()
    assert not (home / "postgres").exists()
    assert list((tmp_path / "gone").iterdir()) == []


def test_a_throwaway_refuses_the_folder_of_an_instance_that_is_to_stay(instance: Path) -> None:
    with services(instance, throwaway=False) as env:
        write_something(env)
    with pytest.raises(CannotStart, match="use another folder"), services(instance, throwaway=True):
        pass
    with services(instance, throwaway=False) as env:
        assert_still_there(env)


def test_the_applications_role_is_bound_by_row_security(services: dict[str, str]) -> None:
    rows = query(
        services["DATABASE_URL"],
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles"
        " WHERE rolname IN ('parley_app', 'parley_owner') ORDER BY 1",
    )
    assert rows == [("parley_app", *[False] * 5), ("parley_owner", *[False] * 5)]
    owned = "SELECT relname FROM pg_class JOIN pg_roles r ON r.oid = relowner WHERE rolname = 'parley_app'"
    assert query(services["DATABASE_URL"], owned) == []
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        query(services["DATABASE_URL"], "CREATE TABLE mine (id int)")


def test_the_owner_makes_tables_and_the_application_uses_them(services: dict[str, str]) -> None:
    owner, app = services["DATABASE_OWNER_URL"], services["DATABASE_URL"]
    query(owner, "CREATE EXTENSION IF NOT EXISTS pg_trgm")
    query(owner, "CREATE TABLE IF NOT EXISTS notes (id serial PRIMARY KEY, word text)")
    query(app, "INSERT INTO notes (word) VALUES ('one'), ('two')")
    query(app, "UPDATE notes SET word = 'three' WHERE word = 'two'")
    query(app, "DELETE FROM notes WHERE word = 'one'")
    assert query(app, "SELECT word FROM notes") == [("three",)]
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        query(app, "TRUNCATE notes")
    query(owner, "DROP TABLE notes")


def test_text_compares_by_code_point_and_folds_case_in_every_script(services: dict[str, str]) -> None:
    assert query(services["DATABASE_URL"], "SELECT lower('ÄÉЖ'), 'Z' < 'a'") == [("äéж", True)]


@pytest.mark.parametrize("user", ["postgres", "parley_owner", "parley_app"])
def test_nobody_gets_in_without_a_password(services: dict[str, str], user: str) -> None:
    host = services["DATABASE_URL"].split("@")[1]
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(f"postgresql://{user}@{host}", passfile="/dev/null")
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url("redis://" + services["REDIS_URL"].split("@")[1]).ping()


def test_the_two_redis_are_what_they_are_for(services: dict[str, str]) -> None:
    log = redis.Redis.from_url(services["MESSAGE_LOG_REDIS_URL"]).config_get()
    assert (log["appendonly"], log["appendfsync"], log["maxmemory-policy"]) == ("yes", "always", "noeviction")
    cache = redis.Redis.from_url(services["REDIS_URL"]).config_get()
    assert (cache["appendonly"], cache["save"], cache["maxmemory-policy"]) == ("no", "", "volatile-lru")
    assert int(cache["maxmemory"]) > 0


def test_passwords_are_in_one_private_file_and_on_no_command_line(instance: Path) -> None:
    with services(instance, throwaway=False) as env:
        notes = instance / "services.json"
        assert stat.S_IMODE(notes.stat().st_mode) == 0o600
        lines = " ".join(word for process in servers_in(instance) for word in process.cmdline())
        assert "postgres" in lines
        passwords = [url.split(":")[2].split("@")[0] for url in env.values()]
        assert all(passwords)
        assert not [password for password in passwords if password in lines]
        assert "root" not in {process.username() for process in servers_in(instance)}


@pytest.mark.parametrize("name", ["postgres", "redis_log"])
def test_a_killed_server_comes_back_with_its_data(instance: Path, name: str) -> None:
    running = Services(instance)
    running.start()
    try:
        env = running.env()
        write_something(env)
        server = getattr(running, name)
        os.kill(server.pid, signal.SIGKILL)
        until(lambda: not server.is_running())
        server.start()
        assert running.env() == env
        assert_still_there(env)
    finally:
        running.stop()


def abandon(instance: Path, *, death_signal: bool) -> dict[str, str]:
    """Start servers in a process that is then killed; without the death signal they go on, as on other systems."""
    code = (
        "import sys, json, pathlib, embedded, embedded.children as c\n"
        f"c._libc = c._libc if {death_signal} else None\n"
        "running = embedded.Services(pathlib.Path(sys.argv[1])); running.start()\n"
        "print(json.dumps(running.env()), flush=True); sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, instance], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout
    env = json.loads(process.stdout.readline())
    write_something(env)
    process.kill()
    process.wait()
    return env


@pytest.mark.skipif(sys.platform != "linux", reason="NOT LINUX: elsewhere the next start ends the servers")
def test_servers_end_when_the_process_that_started_them_is_killed(instance: Path) -> None:
    abandon(instance, death_signal=True)
    until(lambda: servers_in(instance) == [], within_s=15, what="the servers' end")
    with services(instance, throwaway=False) as env:
        assert_still_there(env)


def test_servers_that_outlived_a_killed_run_are_replaced(instance: Path) -> None:
    before = abandon(instance, death_signal=False)
    outlived = {process.pid for process in servers_in(instance)}
    assert len(outlived) >= 3, "nothing outlived the kill: this tests nothing"
    with services(instance, throwaway=False) as env:
        assert env.items() >= before.items()
        assert_still_there(env)
        assert not outlived & {process.pid for process in servers_in(instance)}


def test_a_stale_pid_that_is_somebody_elses_now_is_no_obstacle(instance: Path) -> None:
    running = Services(instance)
    running.start()
    write_something(running.env())
    os.kill(running.postgres.pid, signal.SIGKILL)
    until(lambda: not running.postgres.is_running())
    running.stop()
    innocent = subprocess.Popen(["sleep", "60"], **running.place.account.popen_options())
    try:
        lock = running.postgres.data / "postmaster.pid"
        lines = lock.read_text().splitlines()
        lock.write_text("\n".join([str(innocent.pid), *lines[1:]]) + "\n")
        with services(instance, throwaway=False) as env:
            assert_still_there(env)
            assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_a_first_start_that_was_cut_off_is_done_again(instance: Path) -> None:
    running = Services(instance, redis=False)
    half_made = running.postgres.folder / "data.new"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    running.start()
    try:
        assert query(running.postgres.url("parley_app"), "SELECT 1") == [(1,)]
        assert not half_made.exists()
    finally:
        running.stop()


def test_data_of_another_major_version_are_refused_and_left_alone(instance: Path) -> None:
    with services(instance, throwaway=False) as env:
        write_something(env)
    version = places.settle(instance).home / "postgres/data/PG_VERSION"
    right = version.read_text()
    version.write_text("11\n")
    with (
        pytest.raises(CannotStart, match=r"^The data in .* were written by PostgreSQL 11.*: install PostgreSQL 11, or"),
        services(instance, throwaway=False),
    ):
        pass
    version.write_text(right)
    with services(instance, throwaway=False) as env:
        assert_still_there(env)


def test_data_outlive_the_loss_of_their_passwords(instance: Path) -> None:
    with services(instance, throwaway=False) as first:
        write_something(first)
    (instance / "services.json").unlink()
    with services(instance, throwaway=False) as second:
        assert_still_there(second)
        assert second["DATABASE_URL"] != first["DATABASE_URL"]


def test_two_runs_cannot_share_a_folder(instance: Path) -> None:
    with services(instance, throwaway=False) as env:
        write_something(env)
        with pytest.raises(CannotStart, match="already runs"), services(instance, throwaway=False):
            pass
        assert_still_there(env)


def test_a_remembered_port_that_is_taken_is_replaced(instance: Path) -> None:
    with services(instance, throwaway=False) as first:
        write_something(first)
    taken = int(first["DATABASE_URL"].rsplit(":", 1)[1].split("/")[0])
    with socket.create_server(("127.0.0.1", taken)), services(instance, throwaway=False) as second:
        assert second["DATABASE_URL"] != first["DATABASE_URL"]
        assert_still_there(second)


def test_a_server_that_cannot_start_says_why(instance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = Services(instance, postgres=False)
    monkeypatch.setitem(running.redis_log.settings, "appendfsync", "sometimes")
    with pytest.raises(CannotStart, match="appendfsync"):
        running.start()


@pytest.fixture
def system_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of this test's own in place of root's, where other accounts can reach it."""
    folder = Path(f"/var/tmp/parley-test-{os.getpid()}")
    monkeypatch.setattr(places, "SYSTEM_FOLDERS", (folder,))
    previous = os.umask(0o077)  # careful people's, which must not shut the servers out
    yield folder
    os.umask(previous)
    shutil.rmtree(folder)


@as_root
def test_no_folders_mode_is_changed_for_the_servers_account(tmp_path: Path, system_folder: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    before = {path: path.stat().st_mode for path in (closed, *closed.parents)}
    running = Services(closed / "checkout/instance")
    running.start()
    try:
        home = running.place.home
        assert json.loads((closed / "checkout/instance/services.json").read_text())["home"] == str(home)
        assert home.parent == system_folder
        for data in home.glob("*/data"):
            assert stat.S_IMODE(data.stat().st_mode) == 0o700
            assert data.stat().st_uid != 0
            assert data.parent.stat().st_uid == 0, "the account could put links where root writes"
        assert {path: path.stat().st_mode for path in before} == before
    finally:
        running.stop()


@as_root
def test_programs_in_a_closed_checkout_are_copied_where_the_account_can_run_them(
    tmp_path: Path, system_folder: Path
) -> None:
    tree = tmp_path / "closed/tools"
    (tree / "bin").mkdir(parents=True)
    program = tree / "bin/tool"
    program.write_text('#!/bin/sh\ncat "$(dirname "$0")/../data"\n')
    program.chmod(0o700)
    (tree / "data").write_text("found")
    nobody = account.Account(65534, 65534)
    assert not nobody.can_enter(program)

    found = programs._within_reach(nobody, program, [tree, tmp_path / "absent"], "tool-1")

    run = subprocess.run([found], check=False, capture_output=True, text=True, cwd="/", **nobody.popen_options())
    assert run.stdout == "found"
    assert programs._within_reach(nobody, program, [tree], "tool-1") == found
    assert stat.S_IMODE(program.stat().st_mode) == 0o700


@as_root
def test_an_ordinary_user_keeps_everything_in_the_instance_folder() -> None:
    nobody = account.Account(65534, 65534)
    if not nobody.can_enter(ROOT):
        pytest.skip("THE CHECKOUT IS CLOSED TO OTHER USERS: what the servers do for them is not tested")
    folder = Path(tempfile.mkdtemp())
    nobody.own(folder)
    try:
        assert in_a_process_of(nobody, folder, run_services) == 0
        notes = folder / "instance/services.json"
        assert "home" not in json.loads(notes.read_text())
        assert stat.S_IMODE(notes.stat().st_mode) == 0o600
        assert (folder / "instance/postgres/data/PG_VERSION").stat().st_uid == nobody.uid
    finally:
        shutil.rmtree(folder)


def run_services(folder: Path) -> None:
    with services(folder / "instance", throwaway=False) as env:
        write_something(env)
    with services(folder / "instance", throwaway=False) as env:
        assert_still_there(env)


def in_a_process_of(other: account.Account, folder: Path, function: Callable[[Path], None]) -> int:
    """Call a function as another account; forked, for that account may be unable to start our Python."""
    child = os.fork()
    if child == 0:
        try:
            os.chdir("/")
            os.setgroups([])
            os.setgid(other.gid)
            os.setuid(other.uid)
            function(folder)
            os._exit(0)
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_children_are_ended_even_if_they_do_not_listen() -> None:
    deaf = subprocess.Popen(["/bin/sh", "-c", "trap '' TERM; sleep 60 & wait; wait"], start_new_session=True)
    inner = until(lambda: psutil.Process(deaf.pid).children())[0]
    children.stop(deaf, signal.SIGTERM, grace_s=0.2)
    assert deaf.returncode == -signal.SIGKILL
    until(lambda: not inner.is_running() or inner.status() == psutil.STATUS_ZOMBIE)


def test_the_servers_can_be_had_alone_for_another_program(instance: Path) -> None:
    command = [sys.executable, "-m", "embedded", "services", "--folder", instance]
    alone = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=ROOT)
    assert alone.stdout
    env = json.loads(alone.stdout.readline())
    assert query(env["PARLEY_TEST_SUPERUSER_URL"], "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [
        (True,)
    ]
    alone.terminate()
    assert alone.wait(20) == 0
    assert servers_in(instance) == []
