"""The application's processes, as the Procfile lists them.

honcho reads the Procfile and prints the lines; the processes are ours, because honcho ends all at once after five
seconds, and clients of the web process deserve a goodbye first.
"""

import contextlib
import datetime
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from honcho.colour import get_colours
from honcho.environ import parse_procfile
from honcho.printer import Message, Printer

from embedded.children import end_with_parent, stop

RESTART_PAUSE_MAX_S = 10


class Output:
    """The terminal, shared by all: one line at a time, each with its process's name."""

    def __init__(self, width: int) -> None:
        self._printer = Printer(width=width)
        self._colours = get_colours()
        self._lock = threading.Lock()

    def colour(self) -> str:
        """Give the next process its colour."""
        return str(next(self._colours))

    def write(self, name: str, line: bytes | str, colour: str | None = None) -> None:
        """Print a line. Whoever read our output may be gone: that is no reason to stop."""
        message = Message("line", line, datetime.datetime.now(), name, colour)  # noqa: DTZ005
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._printer.write(message)


class Process:
    """One line of the Procfile, kept running until it is stopped."""

    def __init__(self, name: str, line: str, env: Mapping[str, str], folder: Path, output: Output) -> None:
        self.name = name
        self._line, self._env, self._folder, self._output = line, dict(env), folder, output
        self._colour = output.colour()
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._due_at = 0.0
        self.failures = 0  # in a row

    def start(self) -> None:
        """Start it, and print what it says."""
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {self._line}"],  # no shell in between, which would not pass signals on
            env=self._env,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the terminal's Ctrl-C is for us: we end them, in order
            preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._copy, args=[self._process.stdout], daemon=True)
        self._reader.start()
        self._started_at = time.monotonic()

    def has_ended(self) -> bool:
        """Tell whether it ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def restart_if_ended(self) -> None:
        """Start it again if it died: at once the first time, later and later if it keeps dying."""
        if not self.has_ended():
            return
        if not self._due_at:
            self._plan_restart()
        if time.monotonic() >= self._due_at:
            self._due_at = 0.0
            self.start()

    def stop(self, *, grace_s: float) -> None:
        """Ask it to end, wait that long, then end it."""
        if self._process is not None:
            stop(self._process, signal.SIGTERM, grace_s=grace_s)
        if self._reader is not None:
            self._reader.join(1)

    def _plan_restart(self) -> None:
        assert self._process is not None
        lived_s = time.monotonic() - self._started_at
        self.failures = self.failures + 1 if lived_s < RESTART_PAUSE_MAX_S else 1
        pause_s = min(2 ** (self.failures - 1), RESTART_PAUSE_MAX_S)
        self._due_at = time.monotonic() + pause_s
        self._output.write("system", f"{self.name} ended with {self._process.returncode}; again in {pause_s} s")

    def _copy(self, pipe: IO[bytes]) -> None:
        with pipe:
            for line in pipe:
                self._output.write(self.name, line, self._colour)


def read(path: Path, env: Mapping[str, str], names: tuple[str, ...]) -> list[Process]:
    """Give the named processes of a Procfile, in the order named."""
    lines = parse_procfile(path.read_text()).processes
    output = Output(max(map(len, [*names, "system"])))
    return [Process(name, lines[name], env, path.parent, output) for name in names]
