"""The web process by itself: under each kind of loop, alone and several, from its start to its goodbye."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import socketio

from tests.embedded.project import Project, marked, stand_in, stop
from tests.support.stack import until

ROOT = Path(__file__).parents[1]
LOOPS = ["eventlet", "gevent", "threading"]
Serve = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    folder = tmp_path / "project"
    stand_in(folder)
    shutil.copytree(ROOT / "embedded", folder / "embedded", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("config.py", "wsgi.py", "web_processes.py"):
        shutil.copy(ROOT / name, folder)
    mark = uuid.uuid4().hex
    yield Project(folder, tmp_path / "instance", mark)
    for process in marked(mark):
        process.kill()


@pytest.fixture
def serve(project: Project, services: dict[str, str]) -> Serve:
    def start(**settings: str) -> subprocess.Popen[bytes]:
        needed = {"DATABASE_URL": services["DATABASE_URL"], "SECRET_KEY": "k" * 32}
        process = project.start(sys.executable, "wsgi.py", **needed, **settings)
        until(lambda: project.get("/readyz") or process.poll() is not None, within_s=30)
        assert process.poll() is None, project.output
        return process

    return start


def together(*calls: Callable[[], object]) -> float:
    """Make calls at the same time and give the seconds until all have answered."""
    started = time.monotonic()
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - started


@pytest.mark.parametrize("loop", LOOPS)
def test_a_slow_query_stops_nobody_else(project: Project, serve: Serve, loop: str) -> None:
    serve(ASYNC_MODE=loop)
    assert project.get("/readyz")["started"]
    slow = [lambda: project.get("/sql?s=1")] * 4 + [lambda: project.get("/slow?s=1")] * 4
    assert together(*slow) < 3
    assert project.get("/offload") == "3"


@pytest.mark.parametrize("loop", LOOPS)
def test_a_socket_talks_over_a_websocket(project: Project, serve: Serve, loop: str) -> None:
    serve(ASYNC_MODE=loop)
    with socketio.SimpleClient() as client:
        client.connect(f"http://127.0.0.1:{project.port}", transports=["websocket"])
        assert client.transport == "websocket"
        assert client.call("echo", "hello", timeout=5) == "hello"


@pytest.mark.parametrize(("loop", "number"), [*((loop, signal.SIGTERM) for loop in LOOPS), ("eventlet", signal.SIGINT)])
def test_it_finishes_what_it_began_and_takes_no_more(project: Project, serve: Serve, loop: str, number: int) -> None:
    process = serve(ASYNC_MODE=loop, STANDIN_GOODBYE_S="2")
    answers: list[object] = []
    slow = threading.Thread(target=lambda: answers.append(project.get("/slow?s=1")))
    slow.start()
    time.sleep(0.4)
    process.send_signal(number)
    until(lambda: "goodbye" in project.output)
    assert project.get("/readyz", timeout_s=1) is None, "it takes new requests"
    slow.join()
    assert answers == ["done"]
    assert process.wait(10) == 0


@pytest.mark.slow
def test_a_goodbye_that_hangs_is_cut_short(project: Project, serve: Serve) -> None:
    process = serve(STANDIN_GOODBYE_S="60")
    assert stop(process, signal.SIGTERM) < 11


@pytest.mark.parametrize("loop", LOOPS)
def test_open_websockets_do_not_hold_it_up(project: Project, serve: Serve, loop: str) -> None:
    process = serve(ASYNC_MODE=loop)
    with socketio.SimpleClient() as client:
        client.connect(f"http://127.0.0.1:{project.port}", transports=["websocket"])
        assert stop(process, signal.SIGTERM) < 6
        assert process.returncode == 0


@pytest.mark.parametrize("loop", LOOPS)
def test_several_processes_share_the_port_and_a_dead_one_is_replaced(project: Project, serve: Serve, loop: str) -> None:
    parent = serve(ASYNC_MODE=loop, WEB_CONCURRENCY="2")
    first = until(lambda: found if len(found := answering(project)) == 2 else None, within_s=30)
    assert isinstance(first, set)
    victim = next(iter(first))
    os.kill(victim, signal.SIGKILL)
    until(lambda: len(found := answering(project)) == 2 and victim not in found, within_s=30)
    assert stop(parent, signal.SIGTERM) < 11
    assert project.left() == []


def answering(project: Project) -> set[int]:
    return {answer["pid"] for _ in range(20) if (answer := project.get("/readyz"))}


@pytest.mark.skipif(sys.platform != "linux", reason="NOT LINUX: there the processes outlive a killed parent")
def test_the_processes_end_with_a_killed_parent(project: Project, serve: Serve) -> None:
    parent = serve(WEB_CONCURRENCY="2")
    parent.kill()
    parent.wait()
    until(lambda: project.left() == [], within_s=15)


@pytest.mark.parametrize("count", ["1", "2"])
def test_a_port_in_use_is_one_sentence(project: Project, services: dict[str, str], count: str) -> None:
    with socket.create_server(("127.0.0.1", project.port)):
        settings = {"DATABASE_URL": services["DATABASE_URL"], "SECRET_KEY": "k" * 32, "WEB_CONCURRENCY": count}
        process = project.start(sys.executable, "wsgi.py", **settings)
        assert process.wait(20) == 1
    assert project.output.strip() == f"Port {project.port} is in use: stop what uses it, or set PORT to another."


def test_a_wrong_setting_is_one_sentence(project: Project) -> None:
    process = project.start(sys.executable, "wsgi.py", SECRET_KEY="k" * 32)
    assert process.wait(20) == 1
    assert project.output.strip().startswith("Set DATABASE_URL to")
    assert "\n" not in project.output.strip()


def test_a_request_that_never_ends_is_cut_off_and_a_silent_websocket_is_not(
    project: Project, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    wsgi = project.folder / "wsgi.py"
    wsgi.write_text(wsgi.read_text().replace("REQUEST_SOCKET_TIMEOUT_S = 60", "REQUEST_SOCKET_TIMEOUT_S = 1"))
    serve()
    with socket.create_connection(("127.0.0.1", project.port), timeout=10) as slow:
        slow.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n")  # and never the empty line
        started = time.monotonic()
        assert slow.recv(100) == b""
        assert time.monotonic() - started < 5
    with socketio.SimpleClient() as client:
        client.connect(f"http://127.0.0.1:{project.port}", transports=["websocket"])
        time.sleep(2.5)
        assert client.call("echo", "still here", timeout=5) == "still here"


def test_nothing_but_wsgi_and_the_direct_sockets_loop_knows_the_loops() -> None:
    files = [path for folder in ("app", "embedded") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 20
    knowing = {path.name for path in [*files, *ROOT.glob("*.py")] if imports_a_loop(path.read_text())}
    assert knowing == {"wsgi.py", "loop.py"}


def imports_a_loop(code: str) -> bool:
    words = ("import eventlet", "import gevent", "from eventlet", "from gevent")
    return any(line.strip().startswith(words) for line in code.splitlines())


def test_tracebacks_stay_here(project: Project, serve: Serve) -> None:
    factory = project.folder / "app/factory.py"
    broken = "    app.wsgi_app = lambda environ, start: 1 / 0\n    return app\n"
    factory.write_text(factory.read_text().replace("    return app\n", broken))
    process = project.start(
        sys.executable, "wsgi.py", DATABASE_URL="postgresql://nowhere", SECRET_KEY="k" * 32, ASYNC_MODE="eventlet"
    )

    def answer() -> bytes | None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{project.port}/")
        except urllib.error.HTTPError as error:
            return error.read() or b"-"
        except OSError:
            return None
        return None

    assert b"ZeroDivisionError" not in until(answer, within_s=20)
    stop(process, signal.SIGTERM)
