"""A forgotten password: a letter with a link that sets a new one, once, within an hour.

The token in the link is derived, as the others are (``domain/credentials.py``): it is an HMAC of the reset's row under the
secret key and stored nowhere, so a copy of the database resets nothing, and a letter sent again has the same link.
"""

from __future__ import annotations

import hmac
import time
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain import accounts, audit, credentials, letters, passwords, sessions, steps
from app.domain.accounts import Client
from app.domain.letters import Waiting
from app.kernel import ids
from app.kernel.actor import SYSTEM
from app.kernel.errors import Invalid
from app.kernel.requests import Forgot, ResetPassword
from app.kernel.settings import settings
from app.live import attempts
from app.models import PasswordReset, Transaction, transaction
from app.outbound.letters import words
from app.outbound.mail import Mail

PREFIX = "rst_"
LIFETIME = timedelta(hours=1)
LIVE_MAX = 3  # letters an hour to one person, whoever asks
ANSWER_S = 0.4  # every answer takes this long, whether there is such an account or not
REASON = "is wrong, was used, or is older than an hour; ask for a new one"
LIVE = text("SELECT count(*) FROM password_resets WHERE profile_id = :id AND created_at > :since")
LOAD = text(
    "SELECT r.id, r.profile_id, r.nonce, p.username, p.display_name, u.email FROM password_resets r"
    " JOIN users u ON u.profile_id = r.profile_id JOIN profiles p ON p.id = r.profile_id"
    " WHERE r.id = :id AND r.used_at IS NULL AND r.expires_at > :now AND r.created_at >= u.password_changed_at"
    " AND p.disabled_at IS NULL"
)
USE = text("UPDATE password_resets SET used_at = :now WHERE id = :id AND used_at IS NULL AND expires_at > :now")
CLEAN_UP = text(
    "DELETE FROM password_resets WHERE id IN (SELECT id FROM password_resets WHERE expires_at < :before LIMIT :limit)"
)


def forgot(*, request: Forgot, client: Client, now: datetime) -> None:
    """Send a link to whoever this names. The answer is the same, and as slow, where it names nobody. Raises RateLimited."""
    began = time.monotonic()
    places = [f"forgot:{client.address}"]
    attempts.check(places, "Too many letters were asked for; try again later.")
    attempts.failed(places)
    with transaction(SYSTEM) as tx:
        found = tx.execute(accounts.BY_IDENTIFIER, {"identifier": request.identifier}).one_or_none()
        if found is not None:
            _owe_letter(tx, found.id, now)
    time.sleep(max(0.0, ANSWER_S - (time.monotonic() - began)))


def _owe_letter(tx: Transaction, profile_id: UUID, now: datetime) -> None:
    if tx.execute(LIVE, {"id": profile_id, "since": now - LIFETIME}).scalar_one() >= LIVE_MAX:
        return
    reset_id = ids.new_id()
    tx.add(
        PasswordReset(
            id=reset_id, profile_id=profile_id, nonce=token_bytes(16), created_at=now, expires_at=now + LIFETIME
        )
    )
    letters.write(tx, kind="reset", profile_id=profile_id, subject={"resetId": str(reset_id)}, now=now)
    audit.note(tx, "password.forgotten", subject_id=profile_id, now=now)


def compose(letter: Waiting, now: datetime) -> Mail | None:
    """Write the letter; none where the link would be worth nothing any more."""
    with transaction(SYSTEM) as tx:
        row = tx.execute(LOAD, {"id": letter.subject["resetId"], "now": now}).one_or_none()
    if row is None:
        return None
    # Behind the '#': a browser sends that to no server, so no log and no referrer has it.
    url = f"{settings().public_url}/reset#{_token(row.id, bytes(row.nonce))}"
    body, html = words("reset", person=row.display_name, username=row.username, url=url)
    return Mail(letter.key, row.display_name, row.email, "Choose a new password", body, html, letter.created_at)


def reset(*, request: ResetPassword, client: Client, now: datetime) -> None:
    """Set a new password with the token of a letter; all sessions end. Raises Invalid, or RateLimited after many wrong ones."""
    places = [f"reset:{client.address}"]
    attempts.check(places, "Too many wrong links; try again later.")
    with transaction(SYSTEM) as tx:
        row = _find(tx, request.token, now)
    if row is None:
        attempts.failed(places)
        raise Invalid({"token": [REASON]})
    accounts.check_new_password(request.password, username=row.username, email=row.email)
    digest = passwords.digest(request.password)
    with transaction(SYSTEM) as tx:
        if not tx.change(USE, {"id": row.id, "now": now}):
            raise Invalid({"token": [REASON]})  # somebody was quicker
        tx.change(accounts.CHANGE_PASSWORD, {"id": row.profile_id, "hash": digest, "now": now})
        sessions.revoke_others(tx, profile_id=row.profile_id, kept=None, now=now)
        audit.note(tx, "password.reset", subject_id=row.profile_id, now=now)


def _find(tx: Transaction, token: str, now: datetime) -> Any:
    name = token.removeprefix(PREFIX).partition(".")[0]
    reset_id = ids.parse_id(name)
    if reset_id is None or not token.startswith(PREFIX):
        return None
    row = tx.execute(LOAD, {"id": reset_id, "now": now}).one_or_none()
    if row is None or not hmac.compare_digest(
        token.encode(errors="replace"), _token(row.id, bytes(row.nonce)).encode()
    ):
        return None
    return row


def _token(reset_id: UUID, nonce: bytes) -> str:
    return f"{PREFIX}{reset_id}.{credentials.seal('reset', reset_id, nonce)}"


def clean_up(*, now: datetime) -> int:
    """Delete resets that ended a day ago or earlier; gives how many."""
    return steps.repeat(CLEAN_UP, before=now - timedelta(days=1))
