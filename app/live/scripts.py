"""Named Lua scripts, loaded once a process; each file's head says its keys, arguments and answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha1
from pathlib import Path
from typing import Any

from redis.exceptions import NoScriptError

FOLDER = Path(__file__).with_name("lua")


@cache
def _source(name: str) -> tuple[str, str]:
    source = (FOLDER / f"{name}.lua").read_text()
    return source, sha1(source.encode(), usedforsecurity=False).hexdigest()


def run(client: Any, name: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
    """Run a script in one round trip; a server that has forgotten it is told it again (it then runs once)."""
    source, digest = _source(name)
    try:
        return client.evalsha(digest, len(keys), *keys, *arguments)
    except NoScriptError:
        return client.eval(source, len(keys), *keys, *arguments)


def run_many(client: Any, name: str, calls: Sequence[tuple[Sequence[str], Sequence[Any]]]) -> list[Any]:
    """Run a script for several (keys, arguments) in one round trip, in this order; each gets its own answer."""
    if len(calls) == 1:
        return [run(client, name, *calls[0])]
    _, digest = _source(name)
    pipe = client.pipeline(transaction=False)
    for keys, arguments in calls:
        pipe.execute_command("EVALSHA", digest, len(keys), *keys, *arguments)
    answers = pipe.execute(raise_on_error=False)
    for number, answer in enumerate(answers):
        if isinstance(answer, NoScriptError):
            answers[number] = run(client, name, *calls[number])
        elif isinstance(answer, Exception):
            raise answer
    return list(answers)
