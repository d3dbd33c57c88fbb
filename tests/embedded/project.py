"""A project folder to run commands in, and the processes that came of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.support.stack import free_port, until

MARK = "PARLEY_TEST_MARK"
SETTINGS = (
    "DATABASE_",
    "REDIS_",
    "MESSAGE_",
    "CHAT_",
    "PARLEY_",
    "SECRET_KEY",
    "WEB_CONCURRENCY",
    "ASYNC_MODE",
    "PORT",
)


def marked(mark: str) -> list[psutil.Process]:
    """Find the living processes that carry a mark in their environment."""
    return [process for process in psutil.process_iter() if _mark_of(process) == mark]


def _mark_of(process: psutil.Process) -> str | None:
    try:
        gone = process.status() == psutil.STATUS_ZOMBIE
        return None if gone else process.environ().get(MARK)
    except psutil.Error:
        return None


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it ended while we looked
        return ""


def _parent_of(process: psutil.Process) -> int:
    try:
        return process.ppid()
    except psutil.Error:
        return 0


def home_of(instance: Path) -> Path:
    """Find where an instance folder's servers keep their files."""
    notes = instance / "services.json"
    return Path(json.loads(notes.read_text()).get("home", instance)) if notes.exists() else instance


def servers_in(instance: Path) -> list[psutil.Process]:
    """Find the servers of an instance folder; by where they work, for they overwrite their environment."""
    home = home_of(instance).resolve()
    return [process for process in psutil.process_iter() if home in _working_folder(process).parents]


def _working_folder(process: psutil.Process) -> Path:
    try:
        return Path(process.cwd())
    except psutil.Error:
        return Path("/")


ROOT = Path(__file__).parents[2]
REAL = (
    *(f"app/kernel/{name}.py" for name in ("garbage", "patience")),
    *(f"app/sockets/{name}.py" for name in ("door", "frames", "http", "loop")),
)  # `wsgi.py` needs


def stand_in(folder: Path) -> None:
    """Put a stand-in for the application into a new folder, with the files of the real one that it cannot do without."""
    shutil.copytree(ROOT / "tests/embedded/standin", folder)
    for name in REAL:
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)


@dataclass
class Project:
    """Runs commands of a project folder, their output in a file."""

    folder: Path
    instance: Path
    mark: str
    port: int = field(default_factory=free_port)

    @property
    def output(self) -> str:
        """Give what was printed so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def _log(self) -> Path:
        return self.folder / "output"

    def start(self, *command: str, **settings: str) -> subprocess.Popen[bytes]:
        """Start a command in a process group of its own, with standard input closed."""
        with self._log.open("wb") as log:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.env(**settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def env(self, **settings: str) -> dict[str, str]:
        """Give the environment: ours without any setting of the project, and those given."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith((*SETTINGS, "PYTHONPATH"))}
        own = {"PORT": str(self.port), "CHAT_INSTANCE_PATH": str(self.instance), MARK: self.mark}
        path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        return kept | own | path | settings

    def run(self, **settings: str) -> subprocess.Popen[bytes]:
        """Start `make run`'s command and wait until it says that it is ready."""
        process = self.start(sys.executable, "-m", "embedded", "run", **settings)
        self.wait_for("Parley is ready", process)
        return process

    def wait_for(self, text: str, process: subprocess.Popen[bytes]) -> None:
        """Wait until the output contains a text."""
        until(lambda: text in self.output or process.poll() is not None, within_s=60, what=text)
        assert text in self.output, self.output

    def get(self, path: str, *, timeout_s: float = 10) -> Any:
        """Ask the web process; None while nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=timeout_s) as answer:
                body = answer.read().decode()
        except (OSError, urllib.error.URLError):
            return None
        return json.loads(body) if body.startswith("{") else body

    def left(self) -> list[str]:
        """Give the command lines of what still runs."""
        found = [_command_line(process) for process in [*marked(self.mark), *servers_in(self.instance)]]
        return [line for line in found if line]

    def find(self, *words: str) -> psutil.Process:
        """Find the one process whose command line has all these words."""
        found = self.found(*words)
        assert len(found) == 1, found
        return found[0]

    def found(self, *words: str) -> list[psutil.Process]:
        """Find the processes whose command line has all these words, without the children of such a one."""
        found = {p.pid: p for p in marked(self.mark) if all(word in _command_line(p) for word in words)}
        return [process for process in found.values() if _parent_of(process) not in found]


def stop(process: subprocess.Popen[bytes], number: int = signal.SIGINT) -> float:
    """Signal a process and give the seconds until it ended."""
    started = time.monotonic()
    process.send_signal(number)
    process.wait(30)
    return time.monotonic() - started
