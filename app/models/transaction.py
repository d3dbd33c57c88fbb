"""``transaction(actor)``: the one place that commits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.engine import Connection, CursorResult, Result
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.extensions import DATABASE, Silent, db
from app.kernel.actor import Actor
from app.kernel.breaker import Down
from app.kernel.errors import Held, Unavailable

log = logging.getLogger(__name__)
SET_CONTEXT = (
    "SELECT set_config('parley.scope', :context_scope, true), set_config('parley.actor_id', :context_actor, true),"
    " set_config('parley.actor_role', :context_role, true)"
)
CONTEXT = text(SET_CONTEXT)
BEGIN, BEGIN_SNAPSHOT = text("BEGIN"), text("BEGIN ISOLATION LEVEL REPEATABLE READ")
COMMIT = text("COMMIT")
AWAY_SQLSTATES = ("", "08000", "08001", "08003", "08006", "57P01", "57P02", "57P03")
WITH_LOCK_WAIT = text(f"{SET_CONTEXT}, set_config('lock_timeout', :context_lock_timeout, true)")
SCOPE = text("SELECT set_config('parley.scope', :scope, true)")
NOTHING = text("SELECT 1")
LOCK_NOT_AVAILABLE = "55P03"
TEMPORARY_SQLSTATES = ("08", "40", "53", "55", "57")  # connection, rollback, resources, state, operator intervention


@dataclass
class Transaction:
    """A running transaction: SQL goes through it, and what must follow the commit is left with it.

    It begins with the first statement, and with that the database is told who acts: all in one round trip.
    """

    connection: Connection
    actor: Actor
    lock_wait_ms: int | None = None
    snapshot: bool = False
    _is_begun: bool = False
    _is_over: bool = False
    _session: Session | None = None
    _after: list[Callable[[], None]] = field(default_factory=list)

    def execute(self, statement: Any, parameters: Any = None) -> Result[Any]:
        """Run a statement."""
        if self._is_begun:
            if self._is_over:
                raise RuntimeError("the transaction is over")
            return self.connection.execute(statement, parameters)
        self._is_begun = True
        context = _together(BEGIN_SNAPSHOT if self.snapshot else BEGIN, self._setting)
        if isinstance(statement, TextClause) and not isinstance(parameters, list):
            values = {**self._context(), **(parameters or {})}
            return self.connection.execute(_together(context, statement), values)
        self.connection.execute(context, self._context())
        return self.connection.execute(statement, parameters)

    def alone(self, statement: TextClause, parameters: dict[str, Any] | None = None) -> Result[Any]:
        """Run a statement that is the whole transaction, in one round trip.

        What is sent together without a BEGIN is one transaction (PostgreSQL manual, "Multiple Statements in a Simple Query").
        """
        if self._is_begun:
            raise RuntimeError("the transaction has begun")
        self._is_begun = self._is_over = True
        values = {**self._context(), **(parameters or {})}
        return self.connection.execute(_together(self._setting, statement), values)

    def change(self, statement: Any, parameters: Any = None) -> int:
        """Run a statement that writes and give the number of rows it touched."""
        result = self.execute(statement, parameters)
        return result.rowcount if isinstance(result, CursorResult) else 0

    def finish(self, statement: TextClause, parameters: dict[str, Any]) -> None:
        """Run the last statement and commit, in one round trip; it answers nothing."""
        self.execute(_together(statement, COMMIT), parameters)
        self._is_over = True

    def add(self, *rows: object) -> None:
        """Add rows in this order."""
        self._begin()
        if self._session is None:
            self._session = Session(self.connection, expire_on_commit=False, autoflush=False)
        for row in rows:
            self._session.add(row)
            self._session.flush()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo a few statements, and no more, where one of them fails."""
        self._begin()
        with self.connection.begin_nested():
            yield

    def _begin(self) -> None:
        if not self._is_begun:
            self.execute(NOTHING)

    @property
    def _setting(self) -> TextClause:
        return CONTEXT if self.lock_wait_ms is None else WITH_LOCK_WAIT

    def _context(self) -> dict[str, str]:
        actor = self.actor
        context = {
            "context_scope": "system" if actor.is_system else "actor",
            "context_actor": str(actor.id),
            "context_role": "system" if actor.is_system else ("customer" if actor.kind == "customer" else actor.role),
        }
        return context if self.lock_wait_ms is None else context | {"context_lock_timeout": f"{self.lock_wait_ms}ms"}

    @contextmanager
    def elevated(self) -> Iterator[None]:
        """Run a few statements as Parley itself, where a rule needs a row that this actor may not see."""
        self.execute(SCOPE, {"scope": "system"})
        try:
            yield
        except DBAPIError:
            raise  # the transaction is over, and a SET in it would hide why
        except BaseException:
            self._come_down()
            raise
        self._come_down()

    def _come_down(self) -> None:
        self.execute(SCOPE, {"scope": "system" if self.actor.is_system else "actor"})

    def after_commit(self, hook: Callable[[], None]) -> None:
        """Have a hook called once the commit is done; a rollback drops it. Emits and jobs go here."""
        self._after.append(hook)

    def run_hooks(self) -> None:
        """Call the hooks. A failing one is logged: the change is committed, and the healer mends what was not told."""
        for hook in self._after:
            try:
                hook()
            except Exception:
                log.exception("a hook after commit failed")


@contextmanager
def transaction(actor: Actor, *, snapshot: bool = False, lock_wait_ms: int | None = None) -> Iterator[Transaction]:
    """Run a block as this actor under row security; commit at its end, roll back on any error.

    With ``snapshot`` all statements see one moment (REPEATABLE READ): for answers read in several statements.
    ``lock_wait_ms`` is how long each of them may wait for a row that somebody holds, if not as long as for anything.

    Raises Unavailable where the database cannot be reached or has no room, Held where a row was held for too long. No
    network I/O belongs inside the block.
    """
    try:
        DATABASE.check()
        with db.engine.connect() as connection:
            running = Transaction(connection, actor, lock_wait_ms, snapshot)
            yield running
            connection.commit()
            DATABASE.succeeded()
    except Down as error:
        if str(error) != DATABASE.name:
            raise
        raise Unavailable("The database is not available just now.") from error
    except PoolTimeout as error:
        raise Unavailable("The database has no free connection.") from error
    except DBAPIError as error:
        refusal = _refusal(error)
        if refusal is None:
            raise
        raise refusal from error
    running.run_hooks()


def _refusal(error: DBAPIError) -> Unavailable | None:
    """Give what a failure means to the caller, or None where it is a defect."""
    if _is_away(error):
        DATABASE.failed(error)
    if sqlstate(error) == LOCK_NOT_AVAILABLE:
        return Held()
    return Unavailable("The database is not available just now.") if is_temporary(error) else None


@lru_cache(maxsize=512)
def _together(first: TextClause, second: TextClause) -> TextClause:
    """Put two statements into one round trip; the answer is the second's. Both have been made of constants."""
    bound = (*first._bindparams.values(), *second._bindparams.values())  # noqa: SLF001
    return TextClause(f"{first.text}; {second.text}").bindparams(*bound)


def is_temporary(error: DBAPIError) -> bool:
    """Tell whether the same statement may succeed later (the server away, a time-out, a deadlock)."""
    state = getattr(error.orig, "pgcode", None)
    if error.connection_invalidated:
        return True
    if state is None:
        return isinstance(error, (OperationalError, InterfaceError))
    return str(state)[:2] in TEMPORARY_SQLSTATES


def _is_away(error: DBAPIError) -> bool:
    """Tell whether the server itself is gone or silent, rather than this one statement refused or this one session ended.

    A session may end alone (an administrator's word, a transaction that was silent for too long): where the server has gone
    with it, whoever connects next finds out.
    """
    if isinstance(error.orig, Silent):
        return True
    return not error.connection_invalidated and is_temporary(error) and sqlstate(error) in AWAY_SQLSTATES


def sqlstate(error: DBAPIError) -> str:
    """Give the five-letter SQLSTATE of an error, or an empty string."""
    return str(getattr(error.orig, "pgcode", None) or "")
