"""Logs: JSON lines (or text for a terminal), each with the id of the request, event or job that it belongs to.

What people write and what lets them in never gets into a line. Nothing logs such a thing; this file sees to what libraries
put into their errors: the values of a statement, the row that the database refused, the input that a model did.
"""

from __future__ import annotations

import contextvars
import itertools
import logging
import os
import re
import secrets
import sys
import time
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from config import Config

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# PostgreSQL shows the row in its DETAIL, SQLAlchemy the parameters, pydantic the input; each may hold what somebody wrote.
NEXT = r"(?=^\[SQL:|^\(Background|^CONTEXT:|^Traceback|^The above|\Z)"
VALUES = (
    re.compile(r"^\s*DETAIL:.*?" + NEXT, re.MULTILINE | re.DOTALL),
    re.compile(r"^\[parameters: .*?" + NEXT, re.MULTILINE | re.DOTALL),
    re.compile(r"input_value=.*?(?=, input_type=|\]|$)", re.MULTILINE),
)
LEFT_OUT = "…\n"
_request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")
_prefix = secrets.token_hex(4)
_numbers = itertools.count(1)


class Ours(logging.StreamHandler):  # type: ignore[type-arg]
    """The one handler that is put here."""


def begin(given: str | None = None) -> str:
    """Begin a request, an event or a job: what is logged from here on carries its id. Gives the id, the given one if sane."""
    name = given if given and REQUEST_ID.fullmatch(given) else f"{_prefix}-{next(_numbers):x}"
    _request_id.set(name)
    return name


def current() -> str:
    """Give the id of what is being done here, or an empty string."""
    return _request_id.get()


def set_up(config: Config) -> None:
    """Have this process's log written as configured, to standard error, and nowhere else."""
    ours = Ours(sys.stderr)
    ours.setFormatter(JsonLines() if config.log_format == "json" else TextLines())
    logging.root.handlers[:] = [other for other in logging.root.handlers if not isinstance(other, Ours)] + [ours]
    logging.root.setLevel(config.log_level.upper())
    for name in ("engineio", "socketio", "werkzeug", "urllib3", "kombu", "amqp", "PIL"):
        logging.getLogger(name).setLevel(logging.WARNING)  # they would log whole packets


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        line: dict[str, Any] = {
            "at": instant(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_values(record.getMessage()),
            "pid": os.getpid(),
        }
        if current():
            line["requestId"] = current()
        if record.exc_info:
            line["error"] = without_values(self.formatException(record.exc_info))
        return orjson.dumps(line, default=str).decode()


class TextLines(logging.Formatter):
    """A line to read, the traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        where = f" [{current()}]" if current() else ""
        line = f"{instant(record.created)} {record.levelname.lower()} {record.name}{where}: {record.getMessage()}"
        error = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return without_values(line + error)


def instant(seconds: float) -> str:
    """Write an instant as everywhere else: UTC, milliseconds, Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03d}Z"


def without_values(words: str) -> str:
    """Leave out what libraries quote of people's data."""
    for pattern in VALUES:
        words = pattern.sub(LEFT_OUT, words)
    return words
