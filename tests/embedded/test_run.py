"""`make run`: what it says, what it survives, and that nothing is left of it."""

from __future__ import annotations

import signal
import socket
import stat
import subprocess
import sys
import time

import psycopg2
import pytest

import embedded
from tests.embedded.project import Project, servers_in, stop
from tests.support.stack import free_port, until

STOPS_WITHIN_S = 15
READY = "Parley is ready"


def runs_of(project: Project) -> list[str]:
    """Give the verbs that the stand-in's command line noted in the database."""
    with embedded.services(project.instance, throwaway=False) as env:
        cursor = psycopg2.connect(env["DATABASE_URL"]).cursor()
        cursor.execute("SELECT verb FROM runs ORDER BY id")
        return [verb for (verb,) in cursor.fetchall()]


def test_it_starts_everything_and_ctrl_c_leaves_nothing(project: Project) -> None:
    run = project.run()
    assert f"{READY}: http://127.0.0.1:{project.port}\n" in project.output
    assert "admin-demo-password" in project.output
    assert project.get("/readyz")["started"]
    for words in (["wsgi.py"], ["celery", " worker "], ["celery", " beat "]):
        assert project.find(*words)
    until(lambda: "celery@" in project.output, within_s=30)  # a worker that is still starting stops in another way

    assert stop(run) < STOPS_WITHIN_S
    assert run.returncode == 0
    assert project.left() == []
    goodbye = project.output.index("goodbye")
    assert goodbye > project.output.index("Stopping")
    assert runs_of(project) == ["migrate", "seed-demo"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_polite_signals_end_it_too(project: Project, number: int) -> None:
    run = project.run()
    assert stop(run, number) < STOPS_WITHIN_S
    assert project.left() == []


def test_a_second_ctrl_c_changes_nothing(project: Project) -> None:
    run = project.run(STANDIN_GOODBYE_S="2")
    run.send_signal(signal.SIGINT)
    until(lambda: "goodbye" in project.output)
    for _ in range(3):
        run.send_signal(signal.SIGINT)
        time.sleep(0.1)
    run.wait(STOPS_WITHIN_S)
    assert run.returncode == 0
    assert project.left() == []


def test_a_web_process_that_will_not_end_is_ended_in_time(project: Project) -> None:
    run = project.run(STANDIN_GOODBYE_S="60")
    assert stop(run) < STOPS_WITHIN_S
    assert project.left() == []


def test_ctrl_c_while_it_starts_leaves_nothing(project: Project) -> None:
    run = project.start(sys.executable, "-m", "embedded", "run")
    project.wait_for("Bringing the database", run)
    assert stop(run) < STOPS_WITHIN_S
    assert READY not in project.output
    assert "Traceback" not in project.output
    assert project.left() == []


def test_nothing_outlives_its_kill_and_the_next_run_just_works(project: Project) -> None:
    run = project.run()
    run.kill()
    run.wait()
    until(lambda: project.left() == [], within_s=15, what=f"the end of {project.left()}")
    again = project.run()
    assert project.get("/readyz")
    stop(again)
    assert runs_of(project) == ["migrate", "seed-demo"] * 2


@pytest.mark.parametrize("words", [["wsgi.py"], ["celery", " worker "]])
def test_a_process_that_dies_is_started_again(project: Project, words: list[str]) -> None:
    run = project.run()
    before = project.find(*words)
    family = {before, *before.children(recursive=True)}  # they live on for a moment, without a parent
    before.kill()
    until(lambda: set(project.found(*words)) - family, what="another one")
    until(lambda: project.get("/readyz"), within_s=20)
    stop(run)
    assert project.left() == []


def test_a_server_that_dies_is_started_again_at_its_address(project: Project) -> None:
    run = project.run()
    assert project.get("/sql?s=0") == "done"
    servers = servers_in(project.instance)
    postmaster = next(p for p in servers if p.name() == "postgres" and "-D" in p.cmdline())
    redis = next(p for p in servers if p.name().startswith(("redis", "valkey")))
    postmaster.kill()
    redis.kill()
    until(lambda: project.get("/sql?s=0") == "done", within_s=30)
    until(lambda: project.output.count("starting it again") >= 2, within_s=30)
    stop(run)
    assert project.left() == []


def test_a_port_in_use_is_one_sentence(project: Project) -> None:
    with socket.create_server(("127.0.0.1", project.port)):
        run = project.start(sys.executable, "-m", "embedded", "run")
        assert run.wait(20) == 1
    assert project.output.strip() == (
        f"Port {project.port} is in use: stop what uses it, or choose another (PORT=5001 make run)."
    )
    assert project.left() == []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"CHAT_COLOUR": "red"}, "There is no setting CHAT_COLOUR"),
        ({"PORT": "many"}, "Set PORT to a whole number"),
        ({"CHAT_ENV": "production"}, "Set SECRET_KEY to"),
    ],
)
def test_a_wrong_setting_is_one_sentence(project: Project, settings: dict[str, str], sentence: str) -> None:
    run = project.start(sys.executable, "-m", "embedded", "run", **settings)
    assert run.wait(20) == 1
    assert project.output.strip().startswith(sentence)
    assert "\n" not in project.output.strip()


def test_two_runs_of_one_folder_are_refused(project: Project) -> None:
    run = project.run()
    other = subprocess.run(
        [sys.executable, "-m", "embedded", "run"],
        cwd=project.folder,
        env=project.env(PORT=str(free_port())),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert other.returncode == 1
    assert "already runs" in other.stderr
    assert project.get("/readyz")
    stop(run)


def test_the_secret_is_made_once_and_kept_private(project: Project) -> None:
    stop(project.run())
    secret = project.instance / "secret_key"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    first = secret.read_text()
    assert len(first) >= 32
    stop(project.run())
    assert secret.read_text() == first


def test_a_reader_that_goes_away_stops_nothing(project: Project) -> None:
    command = [sys.executable, "-m", "embedded", "run"]
    run = subprocess.Popen(
        command, cwd=project.folder, env=project.env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert run.stdout
    run.stdout.readline()
    run.stdout.close()
    until(lambda: project.get("/readyz"), within_s=60)
    assert stop(run) < STOPS_WITHIN_S
    assert project.left() == []


@pytest.mark.parametrize("names", [["web", "worker", "beat"], []])
def test_honcho_starts_the_procfile_by_itself(project: Project, services: dict[str, str], names: list[str]) -> None:
    env = {key: services[key] for key in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "MESSAGE_LOG_REDIS_URL")}
    run = project.start("honcho", "start", *names, SECRET_KEY="k" * 32, **env)
    until(lambda: project.get("/readyz"), within_s=30, what=f"readiness:\n{project.output}")
    until(lambda: "celery@" in project.output and "beat: Starting" in project.output, within_s=30)
    assert run.poll() is None, project.output
    stop(run, signal.SIGTERM)
    assert project.left() == []


def test_given_servers_are_used_and_none_are_started(project: Project, services: dict[str, str]) -> None:
    env = {key: services[key] for key in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "MESSAGE_LOG_REDIS_URL")}
    run = project.run(**env)
    assert "Starting PostgreSQL" not in project.output
    assert not (project.instance / "services.json").exists()
    assert project.get("/sql?s=0") == "done"
    stop(run)
    assert project.left() == []
