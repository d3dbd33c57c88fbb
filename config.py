"""Everything that can be set, read once from the environment into one frozen object.

`docs/configuration.md` has a line for each setting; a test fails when one is missing there. What is set wrongly refuses
to start, with a sentence that says what to set.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from email.utils import parseaddr
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

T = TypeVar("T")
SECRET_MIN_LENGTH = 32
SECRET_MIN_VARIETY = 8  # different characters
# The beginnings of secrets that people copy from examples.
PLACEHOLDERS = ("change", "secret", "default", "your", "replace", "example", "insecure", "dev-", "password", "xxx")


class ConfigError(ValueError):
    """A setting is missing or wrong; the message is a sentence that says what to set."""


# What a value may look like. Each reader takes the text and refuses it with the end of a sentence.


def _whole(least: int, most: int = 2**53) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return read


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return text

    return read


def _flag(text: str) -> bool:
    values = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if text.lower() not in values:
        raise ValueError("true or false")
    return values[text.lower()]


def _address(*schemes: str, needs_host: bool = True) -> Callable[[str], str]:
    def read(text: str) -> str:
        try:
            parts = urlsplit(text)
            well_formed = parts.scheme in schemes and (parts.hostname or not needs_host) and parts.port != 0
        except ValueError:  # a port that is no number
            well_formed = False
        if not well_formed:
            raise ValueError(f"an address that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return text

    return read


def _postgres(text: str) -> str:
    # "postgres" is Heroku's spelling; a driver's name is SQLAlchemy's, and libpq does not know it.
    address = _address("postgresql", "postgres", "postgresql+psycopg2", needs_host=False)(text)
    return "postgresql" + address[address.index("://") :]


def _origins(text: str) -> tuple[str, ...]:
    found = tuple(part.strip().rstrip("/") for part in text.split(",") if part.strip())
    for origin in found:
        parts = urlsplit(origin)
        if origin != "*" and not (parts.scheme in ("http", "https") and parts.netloc and not parts.path):
            raise ValueError("a comma-separated list such as https://chat.example.org")
    return found


def _site(text: str) -> str:
    found = _origins(text)
    if len(found) != 1 or found[0] == "*":
        raise ValueError("the address people open in their browsers, such as https://chat.example.org")
    return found[0]


def _sender(text: str) -> str:
    _, address = parseaddr(text)
    if not re.fullmatch(r"[^@\s<>]+@[A-Za-z0-9.-]+", address) or not text.isprintable():
        raise ValueError("an address such as chat@example.org or Parley <chat@example.org>")
    return text


def _long_secret(text: str) -> str:
    if len(text) < SECRET_MIN_LENGTH:
        raise ValueError(f"at least {SECRET_MIN_LENGTH} random characters (openssl rand -hex 32)")
    return text


_redis = _address("redis", "rediss", "unix", needs_host=False)


def _set(key: str, read: Callable[[str], T], default: Any = MISSING, *, secret: bool = False) -> Any:
    """A field of Config, and the variable it comes from. Secrets stay out of the object's printed form."""
    return field(default=default, repr=not secret, metadata={"key": key, "read": read})


@dataclass(frozen=True, kw_only=True)
class Config:
    """One process's settings. Names end in their unit; None means that the part is not used."""

    database_url: str = _set("DATABASE_URL", _postgres, secret=True)
    database_owner_url: str = _set("DATABASE_OWNER_URL", _postgres, "", secret=True)
    redis_url: str | None = _set("REDIS_URL", _redis, None, secret=True)
    redis_password: str | None = _set("REDIS_PASSWORD", str, None, secret=True)
    redis_connect_timeout_ms: int = _set("REDIS_CONNECT_TIMEOUT", _whole(1, 60_000), 300)
    message_log_redis_url: str | None = _set("MESSAGE_LOG_REDIS_URL", _redis, None, secret=True)
    message_write_mode: str = _set("MESSAGE_WRITE_MODE", _one_of("auto", "behind", "through"), "auto")
    secret_key: str = _set("SECRET_KEY", str, secret=True)
    async_mode: str = _set("ASYNC_MODE", _one_of("eventlet", "gevent", "threading"), "eventlet")
    web_concurrency: int = _set("WEB_CONCURRENCY", _whole(1, 256), 1)
    port: int = _set("PORT", _whole(1, 65_535), 5000)
    rate_limits_enabled: bool = _set("RATE_LIMITS_ENABLED", _flag, True)

    metrics_token: str | None = _set("CHAT_METRICS_TOKEN", str, None, secret=True)
    worker_metrics_port: int | None = _set("CHAT_WORKER_METRICS_PORT", _whole(1, 65_535), None)
    worker_metrics_host: str = _set("CHAT_WORKER_METRICS_HOST", str, "127.0.0.1")
    log_format: str = _set("CHAT_LOG_FORMAT", _one_of("json", "text"), "")
    log_level: str = _set("CHAT_LOG_LEVEL", _one_of("debug", "info", "warning", "error"), "info")
    embed_secret: str | None = _set("CHAT_EMBED_SECRET", _long_secret, None, secret=True)
    env: str = _set("CHAT_ENV", _one_of("production", "development", "test"), "development")
    host: str = _set("CHAT_HOST", str, "127.0.0.1")
    origins: tuple[str, ...] = _set("CHAT_ORIGINS", _origins, ())
    trusted_proxies: int = _set("CHAT_TRUSTED_PROXIES", _whole(0, 16), 0)
    sticky_proxy: bool = _set("CHAT_STICKY_PROXY", _flag, default=False)
    access_token_ttl_s: int = _set("CHAT_ACCESS_TOKEN_TTL_S", _whole(1), 900)
    refresh_token_ttl_s: int = _set("CHAT_REFRESH_TOKEN_TTL_S", _whole(1), 30 * 86_400)
    session_ttl_s: int = _set("CHAT_SESSION_TTL_S", _whole(1), 30 * 86_400)
    connections_per_user: int = _set("CHAT_CONNECTIONS_PER_USER", _whole(1), 50)
    connections_per_address: int = _set("CHAT_CONNECTIONS_PER_ADDRESS", _whole(1), 5_000)
    log_max_entries: int = _set("CHAT_LOG_MAX_ENTRIES", _whole(1), 1_000_000)
    log_shards: int = _set("CHAT_LOG_SHARDS", _whole(1, 16), 1)
    fast_path: bool = _set("CHAT_FAST_PATH", _flag, True)
    stall_guard_ms: int = _set("CHAT_STALL_GUARD_MS", _whole(1, 60_000), 250)
    retention_days: int = _set("CHAT_RETENTION_DAYS", _whole(0, 36_500), 30)
    public_url: str = _set("CHAT_PUBLIC_URL", _site, "")
    smtp_url: str | None = _set("CHAT_SMTP_URL", _address("smtp", "smtp+starttls", "smtps"), None, secret=True)
    mail_from: str = _set("CHAT_MAIL_FROM", _sender, "")
    mail_timeout_s: int = _set("CHAT_MAIL_TIMEOUT_S", _whole(1, 300), 10)
    uploads_path_given: Path | None = _set("CHAT_UPLOADS_PATH", Path, None)
    instance_path: Path = _set("CHAT_INSTANCE_PATH", Path, Path(__file__).parent / "instance")

    @property
    def is_production(self) -> bool:
        """Whether other people's messages are at stake."""
        return self.env == "production"

    @property
    def uploads_path(self) -> Path:
        """The folder of what people upload; with several machines, one that all of them share."""
        return self.uploads_path_given or self.instance_path / "uploads"

    @property
    def sqlalchemy_url(self) -> str:
        """`database_url` as SQLAlchemy wants it: with the driver named, for its default is another."""
        return self.database_url.replace("postgresql://", "postgresql+psycopg2://", 1)

    @property
    def sqlalchemy_owner_url(self) -> str:
        """`database_owner_url` for SQLAlchemy."""
        return self.database_owner_url.replace("postgresql://", "postgresql+psycopg2://", 1)


def load_config(environ: Mapping[str, str] = os.environ) -> Config:
    """Read the settings; an empty variable counts as not set.

    Raises ConfigError, whose message says which variable to set to what.
    """
    given = {key: text for key, text in environ.items() if text.strip()}
    _refuse_unknown(given)
    values = {setting.name: _read(setting.metadata, given) for setting in fields(Config) if _present(setting, given)}
    config = Config(**_completed(values))
    _refuse_unsafe(config)
    return config


def setting_keys() -> tuple[str, ...]:
    """List the variables that are read."""
    return tuple(setting.metadata["key"] for setting in fields(Config))


def _refuse_unknown(given: Mapping[str, str]) -> None:
    unknown = sorted(key for key in given if key.startswith("CHAT_") and key not in setting_keys())
    if unknown:
        known = ", ".join(key for key in setting_keys() if key.startswith("CHAT_"))
        raise ConfigError(f"There is no setting {unknown[0]}: unset it, or set one of {known}.")


def _present(setting: Any, given: Mapping[str, str]) -> bool:
    key = setting.metadata["key"]
    if key in given:
        return True
    if setting.default is MISSING:
        raise ConfigError(_HOW_TO_SET[key])
    return False


_HOW_TO_SET = {
    "DATABASE_URL": "Set DATABASE_URL to PostgreSQL's address (postgresql://…), or use `make run`: it brings its own.",
    "SECRET_KEY": f"Set SECRET_KEY to at least {SECRET_MIN_LENGTH} random characters (openssl rand -hex 32).",
}


def _read(metadata: Mapping[str, Any], given: Mapping[str, str]) -> Any:
    key = metadata["key"]
    try:
        return metadata["read"](given[key].strip())
    except ValueError as error:
        raise ConfigError(f"Set {key} to {error}.") from None


def _completed(values: dict[str, Any]) -> dict[str, Any]:
    """The values that follow from others where they are not set."""
    password = values.get("redis_password")
    for name in ("redis_url", "message_log_redis_url"):
        if name in values and password:
            values[name] = _with_password(values[name], password)
    values.setdefault("message_log_redis_url", values.get("redis_url"))
    values.setdefault("database_owner_url", values["database_url"])
    values.setdefault("log_format", "json" if values.get("env") == "production" else "text")
    if values.get("env") != "production":
        port = values.get("port", 5000)
        values.setdefault("origins", (f"http://127.0.0.1:{port}", f"http://localhost:{port}"))
    named = [origin for origin in values.get("origins", ()) if origin != "*"]
    site = values.setdefault("public_url", named[0] if named else f"http://127.0.0.1:{values.get('port', 5000)}")
    values.setdefault("mail_from", f"Parley <parley@{urlsplit(site).hostname}>")
    return values


def _with_password(address: str, password: str) -> str:
    parts = urlsplit(address)
    if parts.password:
        return address
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.rstrip(':')}:{quote(password, safe='')}@{host}"))


def _refuse_unsafe(config: Config) -> None:
    if not config.is_production:
        return
    if is_weak(config.secret_key):
        raise ConfigError(_HOW_TO_SET["SECRET_KEY"])
    if not config.origins or "*" in config.origins:
        raise ConfigError(
            "Set CHAT_ORIGINS to the addresses people open in their browsers, such as https://chat.example.org; "
            "any site at all (*) would be able to act for those who are signed in."
        )


def is_weak(secret: str) -> bool:
    """Tell whether a secret is short, monotonous, or one of those that people copy from examples."""
    return (
        len(secret) < SECRET_MIN_LENGTH
        or len(set(secret)) < SECRET_MIN_VARIETY
        or secret.lower().startswith(PLACEHOLDERS)
    )
