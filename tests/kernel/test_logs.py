"""Lines that a program can read, with the id of what they belong to, and without what people wrote."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pydantic
import pytest

from app.kernel import logs
from config import load_config

pytestmark = pytest.mark.fast
GIVEN = {"DATABASE_URL": "postgresql://x@127.0.0.1:1/x", "SECRET_KEY": "k" * 40}
TAKEN = "oops\nDETAIL:  Key (email)=(ann@example.org) already exists."
REFUSED_ROW = """(psycopg2.errors.CheckViolation) new row for relation "messages" violates check constraint
DETAIL:  Failing row contains (7, my secret words
and a second secret line, 2026).

[SQL: INSERT INTO messages (content) VALUES (%(content)s)]
[parameters: {'content': 'my secret words'}]
(Background on this error at: https://sqlalche.me/e/20/gkpj)"""


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """Leave the root logger as it was."""
    handlers, level = list(logging.root.handlers), logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_a_line_is_json_and_names_its_request(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(load_config({**GIVEN, "CHAT_LOG_FORMAT": "json"}))
    assert logs.begin("from-a-proxy.1") == "from-a-proxy.1"
    logging.getLogger("app.somewhere").warning("the %s is away", "log")
    try:
        raise ValueError(TAKEN)
    except ValueError:
        logging.getLogger("app.somewhere").exception("it failed")
    written = capsys.readouterr().err
    one, two = map(json.loads, written.splitlines())
    assert one.items() >= {"level": "warning", "message": "the log is away", "requestId": "from-a-proxy.1"}.items()
    assert one["at"].endswith("Z")
    assert "ValueError: oops" in two["error"]
    assert "ann@example.org" not in written


def test_text_is_for_people_and_for_development(capsys: pytest.CaptureFixture[str]) -> None:
    assert load_config(GIVEN).log_format == "text"
    strict = {"CHAT_ENV": "production", "CHAT_ORIGINS": "https://x.org", "SECRET_KEY": "0123456789abcdef" * 4}
    assert load_config({**GIVEN, **strict}).log_format == "json"
    logs.set_up(load_config({**GIVEN, "CHAT_LOG_LEVEL": "warning"}))
    logs.begin("r1")
    logging.getLogger("app.somewhere").info("not worth it")
    logging.getLogger("app.somewhere").warning("worth it")
    written = capsys.readouterr().err
    assert written.endswith("Z warning app.somewhere [r1]: worth it\n")
    assert written.count("\n") == 1


@pytest.mark.parametrize("given", ["", None, "a b", "x" * 65, 'a"b', "line\nbreak", "…"])
def test_an_id_that_is_not_sane_is_replaced(given: str | None) -> None:
    made = logs.begin(given)
    assert made != given
    assert logs.REQUEST_ID.fullmatch(made)
    assert logs.current() == made
    assert logs.begin() != made


def test_what_libraries_quote_is_left_out() -> None:
    class Body(pydantic.BaseModel):
        content: int

    with pytest.raises(pydantic.ValidationError) as refused:
        Body.model_validate({"content": "my secret words"})
    for words in (REFUSED_ROW, f"Traceback\n{REFUSED_ROW}", str(refused.value)):
        assert "secret" in words
        kept = logs.without_values(words)
        assert "secret" not in kept
    assert "INSERT INTO messages" in logs.without_values(REFUSED_ROW)
    assert "violates check constraint" in logs.without_values(REFUSED_ROW)
