"""Parts of these tests' own, to break as they like: two Redis, a database, and a proxy that does what it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.factory import create_app
from app.kernel import settings as in_force
from config import Config, load_config
from embedded.services import Services
from tests.support.stack import environment, fresh_database

Answer = tuple[int, Any]


@pytest.fixture(scope="module")
def redises(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Two Redis that nothing else uses."""
    running = Services(tmp_path_factory.mktemp("redis"), throwaway=True, postgres=False)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def config(services: dict[str, str], template: str, redises: Services) -> Iterator[Config]:
    """A configuration whose database and Redis are well, wired into this process; no process of Parley runs on them."""
    environ = environment(services, fresh_database(services, template)) | redises.env()
    found = load_config(environ | {"REDIS_CONNECT_TIMEOUT": "500"})
    app: Flask = create_app(found)
    yield found
    assert app


@pytest.fixture
def but(config: Config) -> Iterator[Callable[..., Config]]:
    """Put another configuration in force: ``but(redis_url=…)``; the well one is back afterwards."""

    def change(**what: Any) -> Config:
        changed = replace(config, **what)
        create_app(changed)
        return changed

    yield change
    create_app(config)
    assert in_force.settings() is config


@pytest.fixture
def proxy() -> Iterator[tuple[str, dict[str, Answer]]]:
    """Something that answers in Parley's place: (its address, its answers by path, to be filled in)."""
    answers: dict[str, Answer] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path.partition("?")[0], (404, "nothing here"))
            written = (
                json.dumps({"data" if status < 400 else "error": body}) if isinstance(body, dict) else body
            ).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", answers
    server.shutdown()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An instance folder."""
    return tmp_path
