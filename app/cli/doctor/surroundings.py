"""Which installation to look at: the one of the environment, else the one that ``make run`` keeps under ``instance/``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from config import ConfigError
from embedded.services import remembered

ROOT = Path(__file__).parents[3]


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Complete the variables by what ``make run`` has noted; raises ConfigError where that may not be read."""
    given = {key: value for key, value in environ.items() if value.strip()}
    instance = Path(given.get("CHAT_INSTANCE_PATH") or ROOT / "instance")
    try:
        noted = remembered(instance)
        key = (instance / "secret_key").read_text().strip() if (instance / "secret_key").exists() else ""
    except PermissionError:
        raise ConfigError(
            f"The files in {instance} belong to somebody else: run the doctor as whoever ran `make run`."
        ) from None
    found = {"CHAT_INSTANCE_PATH": str(instance)}
    if "REDIS_URL" not in given:
        found |= {name: url for name, url in noted.items() if name.endswith("REDIS_URL")}
    if "DATABASE_URL" not in given:
        found |= {name: url for name, url in noted.items() if name.startswith("DATABASE")}
    found |= {"PORT": noted["PORT"]} if "PORT" in noted else {}
    return found | ({"SECRET_KEY": key} if key else {}) | given
