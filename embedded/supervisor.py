"""The whole of `make run`: servers, schema, demo accounts, then web, worker and beat, until Ctrl-C."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType

from config import Config, ConfigError, load_config
from embedded import procfile
from embedded.children import end_with_parent, is_free
from embedded.errors import CannotStart
from embedded.notes import write_private
from embedded.services import Services

ROOT = Path(__file__).resolve().parent.parent
PROCESSES = ("web", "worker", "beat")
# How long all may take to end, and each of them at most.
STOP_WITHIN_S = 14.0
GRACE_S = {"web": 10.0, "worker": 1.5, "beat": 0.5}
READY_WITHIN_S = 120
FAILURES_BEFORE_GIVING_UP = 3


class Stopped(Exception):
    """We were asked to stop while we were still starting."""


class Supervisor:
    """One run. `stopping` is set by signals; everything long looks at it."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._services: Services | None = None
        self._processes: list[procfile.Process] = []

    def run(self) -> None:
        """Run everything until a signal comes; raises CannotStart or ConfigError with a sentence."""
        self._listen_to_signals()
        try:
            env = self._start()
            self._announce(env)
            self._watch()
        except Stopped:
            pass
        finally:
            self._stop()

    def _listen_to_signals(self) -> None:
        def note(*_: int | FrameType | None) -> None:
            if not self.stopping.is_set():
                self.stopping.set()
                _say("\nStopping…")

        # A second Ctrl-C changes nothing: an end in order takes seconds, an end in disorder leaves processes behind.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, note)

    def _start(self) -> dict[str, str]:
        instance = Path(os.environ.get("CHAT_INSTANCE_PATH") or ROOT / "instance")
        env = os.environ | _paths(instance)
        _refuse_early(env)
        env |= self._start_services(instance)
        if not env.get("SECRET_KEY"):
            env["SECRET_KEY"] = secret_key(instance)
        config = load_config(env)
        env["PORT"] = str(config.port)
        if self._services is not None:
            self._services.place.notes.put("web", {"port": config.port})  # for `make doctor`
        self._prepare_database(config, env)
        self._start_processes(env)
        self._wait_until_ready(config)
        return env

    def _start_services(self, instance: Path) -> dict[str, str]:
        own_postgres, own_redis = not os.environ.get("DATABASE_URL"), not os.environ.get("REDIS_URL")
        if not own_postgres and not own_redis:
            return {}
        _say("Starting " + " and ".join(["PostgreSQL"] * own_postgres + ["Redis"] * own_redis) + "…")
        self._services = Services(instance, postgres=own_postgres, redis=own_redis)
        for server in self._services.servers:
            server.cancelled = self.stopping.is_set
        try:
            self._services.start()
        except CannotStart:
            if self.stopping.is_set():
                raise Stopped from None
            raise
        return self._services.env()

    def _prepare_database(self, config: Config, env: dict[str, str]) -> None:
        _say("Bringing the database's tables up to date…")
        self._command(env, "migrate")
        if not config.is_production:
            self._command(env, "seed-demo")

    def _command(self, env: dict[str, str], verb: str) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", verb],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )
        while process.poll() is None:
            if self.stopping.wait(0.05):
                process.terminate()
                process.wait()
                raise Stopped
        if process.returncode != 0:
            raise CannotStart(f"`python -m app.cli {verb}` failed; what it printed above says why.")

    def _start_processes(self, env: dict[str, str]) -> None:
        self._processes = procfile.read(ROOT / "Procfile", env, PROCESSES)
        for process in self._processes:
            process.start()

    def _wait_until_ready(self, config: Config) -> None:
        end = time.monotonic() + READY_WITHIN_S
        while not _answers(f"http://{_reachable(config.host)}:{config.port}/readyz"):
            if self.stopping.wait(0.2):
                raise Stopped
            self._keep_running()
            if time.monotonic() > end:
                raise CannotStart(f"The web process was not ready within {READY_WITHIN_S} s; its lines above say why.")

    def _keep_running(self) -> None:
        for process in self._processes:
            process.restart_if_ended()
            if process.failures >= FAILURES_BEFORE_GIVING_UP:
                raise CannotStart(f"The {process.name} process keeps ending; its lines above say why.")

    def _watch(self) -> None:
        while not self.stopping.wait(0.5):
            for process in self._processes:
                process.restart_if_ended()
            for server in self._services.servers if self._services else []:
                if not server.is_running():
                    _say(f"{server.name} ended; starting it again.")
                    with contextlib.suppress(CannotStart):  # tried again in half a second
                        server.start()

    def _announce(self, env: dict[str, str]) -> None:
        config = load_config(env)
        _say(f"\n  Parley is ready: http://{_reachable(config.host)}:{config.port}\n")
        if not config.is_production:
            _say("  Sign in as admin (admin-demo-password), or as alice, bob, carol or dave (<name>-demo-password).")
        _say("  Ctrl-C stops everything.\n")

    def _stop(self) -> None:
        self.stopping.set()
        end = time.monotonic() + STOP_WITHIN_S
        for process in self._processes:
            process.stop(grace_s=GRACE_S[process.name])
        if self._services is not None:
            self._services.stop(within_s=end - time.monotonic())


def main() -> None:
    """Run, and end with a sentence on standard error if it cannot."""
    try:
        Supervisor().run()
    except (CannotStart, ConfigError) as error:
        raise SystemExit(f"\n{error}") from None


def secret_key(instance: Path) -> str:
    """Give the instance's own secret, made once."""
    path = instance / "secret_key"
    if not path.exists():
        instance.mkdir(parents=True, exist_ok=True)
        write_private(path, secrets.token_hex(32))
    return path.read_text().strip()


def _paths(instance: Path) -> dict[str, str]:
    # The Procfile says `python`: it must be the one with our libraries.
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "CHAT_INSTANCE_PATH": str(instance.absolute()),
        "PYTHONUNBUFFERED": "1",
    }


def _refuse_early(env: dict[str, str]) -> None:
    """Before anything is started: settings that are wrong, a port that is taken."""
    assumed = {"DATABASE_URL": "postgresql://", "SECRET_KEY": ""}
    if env.get("CHAT_ENV") != "production":
        assumed["SECRET_KEY"] = "made when it is needed"  # noqa: S105
    config = load_config(env | {key: env.get(key) or value for key, value in assumed.items()})
    if not is_free(config.port, config.host):
        raise CannotStart(f"Port {config.port} is in use: stop what uses it, or choose another (PORT=5001 make run).")


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104


def _answers(url: str) -> bool:
    # Never through a proxy: the address is ours.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        print(text, flush=True)
