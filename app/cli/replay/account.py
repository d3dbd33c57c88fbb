"""The REST door: calls that wait out what is temporary, and a person with an account."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Sequence
from typing import Any

import requests

PATIENCE_S = 120.0
ANSWER_WITHIN_S = 20.0
PAUSE_S = 0.25


class Refused(Exception):
    """The server said no. ``temporary`` ones may be tried again after ``wait_s``."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error.get('code')}: {error.get('message')} {error.get('fields') or ''}".strip())
        self.code = str(error.get("code"))
        self.temporary = bool(error.get("temporary"))
        self.wait_s = float(error.get("retryAfter") or PAUSE_S)


class Lost(Exception):
    """The connection ended before the answer came: whether it was done is not known."""


class Door:
    """The REST door of one or more web processes; a call goes to another one where the first does not answer."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls, self._turn = list(urls), 0

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: dict[str, Any] | None = None,
        token: str | None = None,
    ) -> Any:
        """Make a call below /api and give its data; waits while the refusal is temporary. Raises Refused or Lost."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._once(method, path, body, params, token)
            except Refused as refusal:
                if not refusal.temporary or time.monotonic() > deadline:
                    raise
                time.sleep(refusal.wait_s)
            except Lost:
                if time.monotonic() > deadline:
                    raise
                self._turn += 1
                time.sleep(PAUSE_S)

    def _once(self, method: str, path: str, body: Any, params: dict[str, Any] | None, token: str | None) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = self._urls[self._turn % len(self._urls)]
        try:
            response = requests.request(
                method, f"{url}/api{path}", json=body, params=params, headers=headers, timeout=ANSWER_WITHIN_S
            )
            answer = response.json()
        except (requests.RequestException, ValueError) as error:
            raise Lost(f"{url} does not answer") from error
        if not answer.get("success"):
            raise Refused(answer.get("error") or {"code": response.status_code})
        return answer["data"]


class Account:
    """Someone with an account, made for this replay with a password that nobody knows afterwards."""

    def __init__(self, door: Door, username: str, display_name: str) -> None:
        self._door, self.username = door, username
        self._lock = threading.Lock()
        password = secrets.token_urlsafe(24)
        body = {"username": username, "email": f"{username}@replay.example", "password": password}
        try:
            data = door.call("POST", "/auth/register", body={**body, "displayName": display_name})
        except Refused as refusal:
            if refusal.code != "conflict":
                raise
            data = door.call("POST", "/auth/login", body={"identifier": username, "password": password})
        self.id = str(data["user"]["id"])
        self.token, self._refresh_token = str(data["accessToken"]), str(data["refreshToken"])

    def call(self, method: str, path: str, *, body: Any = None, params: dict[str, Any] | None = None) -> Any:
        """Make a call as this person and give its data."""
        token = self.token
        try:
            return self._door.call(method, path, body=body, params=params, token=token)
        except Refused as refusal:
            if refusal.code != "unauthenticated":
                raise
        self.renew(token)
        return self._door.call(method, path, body=body, params=params, token=self.token)

    def renew(self, old: str) -> None:
        """Exchange an access token that is no longer taken."""
        with self._lock:
            if self.token == old:
                data = self._door.call("POST", "/auth/refresh", body={"refreshToken": self._refresh_token})
                self.token, self._refresh_token = str(data["accessToken"]), str(data["refreshToken"])
