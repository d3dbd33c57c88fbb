"""A real mail server on loopback (aiosmtpd) that can be told how to behave, and what it was given."""

from __future__ import annotations

import email
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.stack import free_port

YES = "250 taken"


@dataclass
class PostOffice:
    """What the server says next (then yes again), and every letter it took or was asked to take."""

    port: int
    taken: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    tries: int = 0
    answers: list[str] = field(default_factory=list)
    to_recipients: list[str] = field(default_factory=list)
    hang_up: bool = False
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer to a recipient."""
        answer = self.to_recipients.pop(0) if self.to_recipients else YES
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a letter, refuse it, or take it and hang up without a word."""
        self.tries += 1
        answer = self.answers.pop(0) if self.answers else YES
        if answer.startswith("250"):
            self.taken.append(email.message_from_bytes(envelope.content or b"", policy=default))  # type: ignore[arg-type]
            self.envelopes.append((envelope.mail_from or "", list(envelope.rcpt_tos)))
        if self.hang_up:
            self.hang_up = False
            server.transport.abort()
        return answer

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        """Let in who knows the password."""
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss", handled=False)

    def forget(self) -> None:
        """Begin anew."""
        for each in (self.taken, self.envelopes, self.answers, self.to_recipients, self.logins):
            each.clear()  # type: ignore[attr-defined]
        self.tries, self.hang_up = 0, False

    def to(self, address: str) -> list[EmailMessage]:
        """List the letters to an address, in the order taken."""
        return [one for one, (_, to) in zip(self.taken, self.envelopes, strict=True) if to == [address]]

    @property
    def url(self) -> str:
        """The setting that leads here."""
        return f"smtp://127.0.0.1:{self.port}"


@contextmanager
def post_office(**options: Any) -> Iterator[PostOffice]:
    """Run a mail server."""
    office = PostOffice(free_port())
    if options.get("auth_required"):
        options["authenticator"] = office.authenticate
    controller = Controller(office, hostname="127.0.0.1", port=office.port, **{"enable_SMTPUTF8": False, **options})
    controller.start()
    try:
        yield office
    finally:
        controller.stop()


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for loopback; gives the server's side of it, and the file that trusts it."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "1",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return context, cert


def text_of(message: EmailMessage) -> str:
    """Read a letter's text part."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def html_of(message: EmailMessage) -> str:
    """Read a letter's HTML part."""
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")
