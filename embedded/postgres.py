"""The PostgreSQL server that comes with the project."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import psycopg2

from embedded import roles
from embedded.errors import CannotStart
from embedded.programs import postgres_bin
from embedded.server import Server, clean_environment

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "tcp_keepalives_idle": "10",  # a peer that vanished gives its locks back within 25 s
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# A throwaway outlives the kill of its process, not that of its machine.
THROWAWAY_SETTINGS = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
HBA = "host all all 127.0.0.1/32 scram-sha-256\n"


class Postgres(Server):
    """PostgreSQL on 127.0.0.1: passwords only, a database `parley`, and the roles of `embedded.roles`."""

    name: ClassVar[str] = "postgres"
    programs: ClassVar[tuple[str, ...]] = ("postgres",)
    users: ClassVar[tuple[str, ...]] = (roles.SUPERUSER, roles.OWNER, roles.APP)
    stop_signal: ClassVar[int] = signal.SIGINT  # "fast": ends the sessions, then writes everything down
    ready_within_s: ClassVar[float] = 180  # it may have to replay what a crash left

    def url(self, role: str, database: str = roles.DATABASE) -> str:
        """Give the address for one of the roles."""
        return self.address(self.password(role), self.port, role, database)

    @staticmethod
    def address(password: str, port: int, role: str, database: str = roles.DATABASE) -> str:
        """Put an address together."""
        return f"postgresql://{role}:{password}@127.0.0.1:{port}/{database}"

    def env(self) -> dict[str, str]:
        """Give the variables by which the application finds it."""
        return {
            "DATABASE_URL": self.url(roles.APP),
            "DATABASE_OWNER_URL": self.url(roles.OWNER),
        }

    def start(self) -> None:
        """Start the server and see to it that the roles and the database are there."""
        super().start()
        roles.prepare(self.url(roles.SUPERUSER, "postgres"), self.url(roles.SUPERUSER), self.password)

    def prepare(self) -> None:
        """Run initdb once, and clear away the note of a server that was killed."""
        self._bin, major = postgres_bin(self.data, self.place.account)
        is_new = not self.data.exists()
        if is_new:
            self._initdb(major)
        self._hba.write_text(HBA)
        self._hba.chmod(0o644)
        # No server works here any more (`stop_leftovers`), but its pid may be someone else's by now, and PostgreSQL
        # would refuse to start because of that.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        if not (is_new or self._was_noted or self._is_known):
            self._set_password()

    def command(self) -> list[str]:
        """The server in the foreground, so that it is our child and ends with us."""
        own = {"port": str(self.port), "hba_file": str(self._hba)}
        settings = SETTINGS | (THROWAWAY_SETTINGS if self.throwaway else {}) | own
        return [str(self._bin / "postgres"), "-D", str(self.data)] + [f"--{k}={v}" for k, v in settings.items()]

    def is_ready(self) -> bool:
        """Tell whether it lets the superuser in; while it recovers, it does not."""
        try:
            psycopg2.connect(self.url(roles.SUPERUSER, "postgres"), connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True

    @property
    def _hba(self) -> Path:
        return self.folder / "pg_hba.conf"

    def _initdb(self, major: int) -> None:
        draft = self.folder / "data.new"  # a first start that was cut off must not look like a database
        if draft.exists():
            shutil.rmtree(draft)
        self.place.make_private(draft)
        password = self.folder / "password"
        password.touch(0o600)
        self.place.account.own(password)
        password.write_text(self.password(roles.SUPERUSER))
        try:
            self._run_initdb(draft, password, locale_options(major))
        finally:
            password.unlink()
        draft.rename(self.data)

    def _set_password(self) -> None:
        """Tell data that are older than our notes (lost with services.json) the new password: the owner of files may."""
        subprocess.run(
            [self._bin / "postgres", "--single", "-D", self.data, "postgres"],
            input=f"ALTER ROLE {roles.SUPERUSER} PASSWORD '{self.password(roles.SUPERUSER)}'\n".encode(),
            cwd=self.data,
            env=clean_environment(),
            capture_output=True,
            check=False,  # if it fails, so will the start, and say why
            **self.place.account.popen_options(),
        )
        self._was_noted = True

    def _run_initdb(self, draft: Path, password: Path, locale: list[str]) -> None:
        command: list[str | Path] = [
            self._bin / "initdb",
            "-D",
            draft,
            "-U",
            roles.SUPERUSER,
            "--pwfile",
            password,
            *locale,
        ]
        options = ["--encoding=UTF8", "--auth=scram-sha-256", "--data-checksums"]
        done = subprocess.run(
            [*command, *options, *(["--no-sync"] if self.throwaway else [])],
            cwd=self.folder,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=False,
            **self.place.account.popen_options(),
        )
        if done.returncode != 0:
            raise CannotStart(f"PostgreSQL's initdb failed in {self.folder}:\n{(done.stderr or done.stdout).strip()}")


def locale_options(major: int) -> list[str]:
    """Choose a collation that no system update can change under the indexes, with Unicode's upper and lower case."""
    if major >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8" if sys.platform == "linux" else "--locale=C"]
