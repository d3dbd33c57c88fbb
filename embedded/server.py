"""What PostgreSQL and Redis have in common: a port and passwords remembered, a process, a log, a way to stop."""

import os
import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, ClassVar

from embedded.children import end_with_parent, free_port, is_free, stop, stop_leftovers, wait_until
from embedded.errors import CannotStart
from embedded.places import Place

LOG_MAX_BYTES = 10_000_000


class Server:
    """One server process, started and stopped as often as one likes, always at the same address."""

    name: ClassVar[str]
    programs: ClassVar[tuple[str, ...]]
    stop_signal: ClassVar[int]
    ready_within_s: ClassVar[float] = 60

    def __init__(self, place: Place, *, throwaway: bool = False, port: int | None = None) -> None:
        self.place = place
        self.throwaway = throwaway
        self.folder = place.folder(self.name)
        self.cancelled: Callable[[], bool] = lambda: False
        self._process: subprocess.Popen[bytes] | None = None
        self._is_known = False  # somebody has our address
        self._remembered = self._remember(port)

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return int(self._remembered["port"])

    @property
    def data(self) -> Path:
        """The folder that it works in, by which a leftover is known."""
        return self.folder / "data"

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return self._process.pid if self._process and self.is_running() else None

    def is_running(self) -> bool:
        """Tell whether the process lives; it may still be starting."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Bring the server up, with the data of earlier runs; whatever a killed run left behind is ended first."""
        if self.is_running():
            return
        stop_leftovers(self.data, self.programs, self.stop_signal)
        self.prepare()
        # If it ends at once, once more: a port that was free a moment ago, or a last child of a killed server.
        ready = self._launch() or (not self.is_running() and self._launch())
        if not ready:
            self._refuse()
        self._is_known = True

    def stop(self, *, grace_s: float = 10) -> None:
        """End the server, with everything on disk."""
        if self._process is not None:
            stop(self._process, self.stop_signal, grace_s=grace_s)
        self._process = None

    def password(self, role: str) -> str:
        """Give the password remembered for a role."""
        return str(self._remembered["passwords"][role])

    # What each server says of itself:

    users: ClassVar[tuple[str, ...]]

    def prepare(self) -> None:
        """Make what the first start needs."""

    def command(self) -> list[str]:
        """The program and its arguments: no secrets, for everyone on the machine sees them."""
        raise NotImplementedError

    def standard_input(self) -> bytes:
        """What the program is told where nobody else can see it."""
        return b""

    def is_ready(self) -> bool:
        """Tell whether it answers."""
        raise NotImplementedError

    # Below: how.

    def _remember(self, port: int | None) -> dict[str, Any]:
        noted: dict[str, Any] = self.place.notes.get(self.name) or {}
        self._was_noted = bool(noted)
        wanted = port or noted.get("port")
        passwords = noted.get("passwords", {})
        entry = {
            "port": wanted or free_port(),
            "passwords": {role: passwords.get(role) or secrets.token_urlsafe(24) for role in self.users},
        }
        if entry != noted:
            self.place.notes.put(self.name, entry)
        return entry

    def _launch(self) -> bool:
        if not is_free(self.port) and not self._is_known:
            self._move_to_a_free_port()
        with self._open_log() as log:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.data,
                env=clean_environment(),
                start_new_session=True,  # the terminal's Ctrl-C is for us: we end it, in order
                preexec_fn=end_with_parent(self.stop_signal),  # noqa: PLW1509
                **self.place.account.popen_options(),
            )
        assert self._process.stdin is not None
        self._tell(self._process.stdin)
        return wait_until(self.is_ready, process=self._process, within_s=self.ready_within_s, cancelled=self.cancelled)

    def _tell(self, pipe: IO[bytes]) -> None:
        try:
            pipe.write(self.standard_input())
            pipe.close()
        except BrokenPipeError:
            pass  # it has ended already; its log says why

    def _move_to_a_free_port(self) -> None:
        self._remembered["port"] = free_port()
        self.place.notes.put(self.name, self._remembered)

    @property
    def _log_path(self) -> Path:
        return self.folder / "log"

    def _open_log(self) -> IO[bytes]:
        if self._log_path.exists() and self._log_path.stat().st_size > LOG_MAX_BYTES:
            self._log_path.replace(self._log_path.with_name("log.1"))
        return self._log_path.open("ab")

    def _refuse(self) -> None:
        self.stop()
        if self.cancelled():
            raise CannotStart(f"{self.programs[0]} was stopped while it was starting.")
        with self._log_path.open(errors="replace") as log:
            last = "".join(log.readlines()[-5:]).strip()
        raise CannotStart(f"{self.programs[0]} did not start; its log {self._log_path} ends with:\n{last}")


def clean_environment() -> dict[str, str]:
    """Give our environment without PostgreSQL's own variables, which would send its tools elsewhere."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PG")} | {"LC_ALL": "C"}
