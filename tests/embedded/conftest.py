"""Folders for servers, a copy of the project with a stand-in for the application, and a count of what runs."""

from __future__ import annotations

import os
import shutil
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.embedded.project import MARK, Project, home_of, marked, servers_in, stand_in

ROOT = Path(__file__).parents[2]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Path]:
    """An instance folder that is to stay; what it put elsewhere (as root) is removed at the end."""
    folder = tmp_path / "instance"
    yield folder
    for process in servers_in(folder):
        process.kill()
    if home_of(folder) != folder:
        shutil.rmtree(home_of(folder))


@pytest.fixture
def project(tmp_path: Path, instance: Path) -> Iterator[Project]:
    """The launcher and the web process of this checkout, with a stand-in for the application."""
    folder = tmp_path / "project"
    stand_in(folder)
    shutil.copytree(ROOT / "embedded", folder / "embedded", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("config.py", "wsgi.py", "web_processes.py", "celery_worker.py", "Procfile"):
        shutil.copy(ROOT / name, folder)
    mark = uuid.uuid4().hex
    yield Project(folder, instance, mark)
    for process in marked(mark):
        process.kill()


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A mark in the environment of every process that the test starts; they are gone when it ends."""
    value = uuid.uuid4().hex
    monkeypatch.setenv(MARK, value)
    yield value
    for process in marked(value):
        if process.pid != os.getpid():
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(marked(value), timeout=5)
