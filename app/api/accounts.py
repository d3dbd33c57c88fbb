"""Accounts and sessions."""

from __future__ import annotations

import contextlib
from typing import Any
from uuid import UUID

from flask import request

from app.api.endpoint import endpoint
from app.domain import accounts, credentials, notifications, resets, sessions
from app.domain.accounts import Client, SignedIn
from app.domain.credentials import Tokens
from app.kernel import clock, requests as wire
from app.kernel.actor import Actor
from app.kernel.errors import NotFound, Unauthenticated


def client() -> Client:
    """Describe where the request comes from."""
    return Client(user_agent=request.headers.get("User-Agent", ""), address=request.remote_addr or "")


def _tokens(tokens: Tokens | None) -> dict[str, Any]:
    assert tokens is not None
    return {"accessToken": tokens.access_token, "refreshToken": tokens.refresh_token, "expiresIn": tokens.expires_in}


def _signed_in(result: SignedIn) -> dict[str, Any]:
    return {"user": result.user, **_tokens(result.tokens)}


@endpoint("POST", "/auth/register", body=wire.Register, data="SignedIn", public=True, made=True)
def register(*, body: wire.Register) -> tuple[dict[str, Any], int]:
    """Make an account and sign it in."""
    return _signed_in(accounts.register(request=body, kind="api", client=client(), now=clock.now())), 201


@endpoint("POST", "/auth/login", body=wire.Login, data="SignedIn", public=True)
def login(*, body: wire.Login) -> dict[str, Any]:
    """Sign in by username or e-mail address."""
    return _signed_in(accounts.login(request=body, kind="api", client=client(), now=clock.now()))


@endpoint("POST", "/auth/refresh", body=wire.Refresh, data="Tokens", public=True)
def refresh(*, body: wire.Refresh) -> dict[str, Any]:
    """Exchange a refresh token for the next one."""
    return _tokens(accounts.refresh(request=body, client=client(), now=clock.now()))


@endpoint("POST", "/auth/forgot", body=wire.Forgot, data="Accepted", public=True)
def forgot(*, body: wire.Forgot) -> dict[str, Any]:
    """Have a link mailed that sets a new password; the answer is the same whether there is such an account."""
    resets.forgot(request=body, client=client(), now=clock.now())
    return {"accepted": True}


@endpoint("POST", "/auth/reset", body=wire.ResetPassword, data="Accepted", public=True)
def reset(*, body: wire.ResetPassword) -> dict[str, Any]:
    """Set a new password with the token of that link, once; all sessions end."""
    resets.reset(request=body, client=client(), now=clock.now())
    return {"accepted": True}


@endpoint("POST", "/auth/logout", body=wire.Logout, data="Ended")
def logout(*, actor: Actor, body: wire.Logout) -> dict[str, Any]:
    """End the session behind this credential, with its sockets, and that of a refresh token of one's own."""
    now = clock.now()
    if body.refresh_token is not None:
        with contextlib.suppress(Unauthenticated, NotFound):  # no token, or somebody else's: there is nothing to end
            sessions.revoke(actor, session_id=credentials.parts(body.refresh_token)[0], now=now)
    accounts.logout(actor, now=now)
    return {"ended": str(actor.session_id) if actor.session_id else None}


@endpoint("GET", "/me", data="Me", customers=True)
def me(*, actor: Actor) -> dict[str, Any]:
    """Read one's own account."""
    return accounts.me_or_customer(actor)


@endpoint("PATCH", "/me", body=wire.PatchMe, data="Me")
def patch_me(*, actor: Actor, body: wire.PatchMe) -> dict[str, Any]:
    """Change one's name, address or password."""
    return {"user": accounts.patch_me(actor, request=body, now=clock.now())}


@endpoint("GET", "/me/notifications", data="Notifications", customers=True)
def my_notifications(*, actor: Actor) -> dict[str, Any]:
    """Read what one is mailed of."""
    return {"notifications": notifications.mine(actor)}


@endpoint("PUT", "/me/notifications", body=wire.NotificationSettings, data="Notifications", customers=True)
def choose_notifications(*, actor: Actor, body: wire.NotificationSettings) -> dict[str, Any]:
    """Choose what one is mailed of."""
    return {"notifications": notifications.configure(actor, request=body, now=clock.now())}


@endpoint("GET", "/sessions", data="Items of SessionView")
def list_sessions(*, actor: Actor) -> dict[str, Any]:
    """List one's live sessions."""
    return {"items": sessions.mine(actor, now=clock.now())}


@endpoint("DELETE", "/sessions/<session_id>", data="Ended")
def end_session(*, actor: Actor, session_id: UUID) -> dict[str, Any]:
    """End one of one's sessions, with its sockets."""
    sessions.revoke(actor, session_id=session_id, now=clock.now())
    return {"ended": str(session_id)}
