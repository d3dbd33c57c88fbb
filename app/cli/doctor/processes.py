"""Worker, beat and drain: each is asked by having it do something."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

from app.cli.doctor.findings import Sick, first_line
from app.cli.doctor.visit import Visit
from app.domain import checkup, messages, modes, operations
from app.kernel import clock, requests
from app.kernel.breaker import Down
from app.kernel.errors import DomainError

WORKER_S = 5.0
BEAT_S = 15.0
DRAIN_S = 6.0
TICK_S = 6.0  # beat ticks every five
HOW = "`make run` and `honcho start` do, or your host's Procfile runner"


def worker() -> str:
    """Have a worker read a task: broker, worker and Redis in one round trip."""
    word, began = uuid.uuid4().hex, time.monotonic()
    try:
        operations.ask_worker(word)
        is_read = _until(lambda: operations.has_answered(word), WORKER_S)
    except Down:
        raise Sick("Redis went away while the worker was asked: see the line of the cache's Redis.") from None
    except Exception as error:
        raise Sick(f"No task can be queued ({first_line(error)}): see the line of the cache's Redis.") from error
    if not is_read:
        raise Sick(f"No worker reads the queue: start one ({HOW}). Messages still flow; e-mails and clean-ups wait.")
    return f"a task went there and back in {_ms(began)}"


def beat() -> str:
    """See when one of beat's jobs was last run."""
    deadline = time.monotonic() + TICK_S
    while True:
        at = operations.last_tick()
        age = time.time() - at if at else None
        if age is not None and age < BEAT_S:
            return f"its last job was run {age:.0f} s ago"
        if time.monotonic() > deadline:
            when = f"for {age:.0f} s" if age is not None else "within the last hour"
            raise Sick(f"No scheduled job was run {when}: start beat ({HOW}).")
        time.sleep(0.25)


def drained(visit: Visit) -> str:
    """Accept a message here and wait until somebody else has put it into the database."""
    patient, began = visit.patient(), time.monotonic()
    body = {"conversationId": str(patient.conversation_id), "content": "log, drain, database", "clientMessageId": _id()}
    try:
        sent = messages.send(patient.actor, request=requests.parse(requests.SendMessage, body), now=clock.now())
    except DomainError as refusal:
        raise Sick(f"No message is accepted ({refusal}): see the lines of the log's Redis and PostgreSQL.") from refusal
    accepted = _ms(began)
    message_id = uuid.UUID(sent.message["id"])
    if not _until(lambda: checkup.is_kept(message_id), DRAIN_S):
        raise Sick(
            f"A message was accepted and not stored within {DRAIN_S:.0f} s: start a worker ({HOW}), or see its log."
        )
    return f"accepted ({modes.decide()[0]}) in {accepted}, in the database after {_ms(began)}"


def _id() -> str:
    return str(uuid.uuid4())


def _until(condition: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.03)
    return True


def _ms(began: float) -> str:
    return f"{(time.monotonic() - began) * 1000:.0f} ms"
