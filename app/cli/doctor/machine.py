"""The machine and its settings: the disk, the clocks, the secrets, and what would be read on the way."""

from __future__ import annotations

import ipaddress
import shutil
import stat
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from app.cli.doctor import database
from app.cli.doctor.findings import Doubt, Sick
from app.extensions import redis
from config import Config, is_weak

LEAST_FREE_BYTES = 500_000_000
SKEW_MAX_S = 2.0
PRIVATE = ("services.json", "secret_key")
SERVER_TIME = "SELECT extract(epoch FROM clock_timestamp())::float8"


def is_here(host: str) -> bool:
    """Tell whether a host's name means this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def safe(config: Config) -> str:
    """Look for secrets that can be guessed or read, and for passwords that would travel in the clear."""
    for name in PRIVATE:
        path = config.instance_path / name
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise Sick(f"Others can read {path}: chmod 600 it, and change what it holds if they may have.")
    open_sites = [o for o in config.origins if o.startswith("http://") and not is_here(urlsplit(o).hostname or "")]
    if config.is_production and open_sites:
        raise Sick(
            f"Passwords would travel in the clear to {open_sites[0]}: put TLS in front and https:// in CHAT_ORIGINS."
        )
    if config.is_production and not config.rate_limits_enabled:
        raise Sick("RATE_LIMITS_ENABLED=false lets anybody guess passwords all day: set it to true.")
    is_public = not is_here(config.host) or any(not is_here(urlsplit(o).hostname or "") for o in config.origins)
    if is_public and not config.is_production:
        raise Doubt("Others can reach this Parley and CHAT_ENV is not production: set it, and what it asks for.")
    if is_public and is_weak(config.secret_key):
        raise Sick("SECRET_KEY can be guessed: set it to 32 random characters or more (openssl rand -hex 32).")
    return f"{config.env}; nothing secret is open"


def room_on_disk(path: Path) -> str:
    """See that there is room where this installation's files are."""
    there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    disk = shutil.disk_usage(there)
    if disk.free < LEAST_FREE_BYTES or disk.free < disk.total * 0.02:
        raise Sick(f"Only {disk.free / 1e9:.1f} GB are free at {there}: make room before the servers stop writing.")
    return f"{disk.free / 1e9:.0f} GB free at {there}"


def clocks(config: Config) -> str:
    """Compare this machine's clock with those of the servers."""
    asked: dict[str, Callable[[], float]] = {"PostgreSQL": lambda: float(database.ask(config, SERVER_TIME)[0][0])}
    for name in ("log", "cache") if config.redis_url else ():
        asked[f"the {name}'s Redis"] = partial(_redis_time, name)
    skews = {name: _skew(ask) for name, ask in asked.items()}
    name, worst = max(skews.items(), key=lambda item: abs(item[1]))
    if abs(worst) > SKEW_MAX_S:
        ahead = "ahead of" if worst > 0 else "behind"
        raise Sick(f"The clock of {name} is {abs(worst):.1f} s {ahead} this machine's: run NTP (chrony) on both.")
    return f"all within {max(map(abs, skews.values())):.2f} s"


def _redis_time(name: str) -> float:
    seconds, micros = getattr(redis, name).time()
    return float(seconds + micros / 1e6)


def _skew(ask: Callable[[], float]) -> float:
    began = time.time()
    theirs: float = ask()
    ended = time.time()
    if began <= theirs <= ended:
        return 0.0
    return theirs - (ended if theirs > ended else began)
