"""E-mail: over SMTP, or into files where no server is set. Nothing here knows what a letter is about."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import re
import smtplib
import ssl
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import parseaddr
from functools import cache
from typing import Protocol
from urllib.parse import unquote, urlsplit

from app.kernel.breaker import Breaker
from app.kernel.settings import settings

log = logging.getLogger(__name__)
SERVER = Breaker("the mail server", ())
LINE_MAX = 120
REASON_MAX = 300
# Line ends of every kind would begin a new header; overrides of the writing direction would turn a name round.
UNFIT = re.compile("[\u202a-\u202e\u2066-\u2069]")
PLAIN = SMTP_POLICY.clone(cte_type="7bit")
INTERNATIONAL = SMTP_POLICY.clone(utf8=True)


class Away(Exception):
    """The mail server cannot be reached, or does not let us in: no letter was touched."""


class Undelivered(Exception):
    """A letter was not taken. ``permanent`` says that it never will be, ``unsure`` that it may have been taken after all."""

    def __init__(self, reason: str, *, permanent: bool = False, unsure: bool = False) -> None:
        super().__init__(reason[:REASON_MAX])
        self.reason, self.permanent, self.unsure = reason[:REASON_MAX], permanent, unsure


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail to one address. ``key`` makes its Message-ID: the same letter tried again has the same one."""

    key: str
    to_name: str
    to_address: str
    subject: str
    text: str
    html: str
    written_at: datetime
    unsubscribe_url: str | None = None


class Post(Protocol):
    """A way out for letters."""

    def open(self) -> None:
        """Make ready for the next letter; raises Away."""

    def send(self, mail: Mail) -> None:
        """Hand a letter over; raises Undelivered."""


@contextmanager
def post() -> Iterator[Post]:
    """Give the way out that the settings name, for a few letters."""
    url = settings().smtp_url
    if url is None:
        yield _Folder()
        return
    server = _Server(url)
    try:
        yield server
    finally:
        server.close()


# what a letter looks like on the wire ---------------------------------------------------------------------------------
def one_line(text: str, most: int = LINE_MAX) -> str:
    """Make a text fit for a header: one line, no control characters, not too long."""
    spaced = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in UNFIT.sub("", text))
    line = " ".join(spaced.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def compose(mail: Mail) -> EmailMessage:
    """Put a letter into the form of RFC 5322, with both a text and an HTML part."""
    name, address = parseaddr(settings().mail_from)
    message = EmailMessage(policy=PLAIN if mail.to_address.isascii() else INTERNATIONAL)
    message["From"] = _mailbox(name, address)
    message["To"] = _mailbox(mail.to_name, mail.to_address)
    message["Subject"] = one_line(mail.subject)
    message["Date"] = mail.written_at
    message["Message-ID"] = f"<{mail.key}@{_domain(address)}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    message["X-Auto-Response-Suppress"] = "All"
    if mail.unsubscribe_url:  # RFC 8058: one click, without signing in
        message["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _mailbox(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    return Address(one_line(name, 80), username=local, domain=domain)


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


# over SMTP ------------------------------------------------------------------------------------------------------------
class _Server:
    """A connection to the mail server, made when the first letter needs it and again after each trouble."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._smtp: smtplib.SMTP | None = None

    def open(self) -> None:
        if self._smtp is not None:
            return
        try:
            self._smtp = self._connect()
        except (OSError, smtplib.SMTPException) as error:  # ssl.SSLError is an OSError
            SERVER.failed(error)
            raise Away(_reason(error)) from error
        SERVER.succeeded()

    def _connect(self) -> smtplib.SMTP:
        host, timeout = self._url.hostname or "", settings().mail_timeout_s
        own_name = _domain(parseaddr(settings().mail_from)[1])
        smtp: smtplib.SMTP
        if self._url.scheme == "smtps":
            port, context = self._url.port or 465, ssl.create_default_context()
            smtp = smtplib.SMTP_SSL(host, port, own_name, timeout=timeout, context=context)
        else:
            smtp = smtplib.SMTP(host, self._url.port or 25, own_name, timeout=timeout)
        try:
            self._come_in(smtp, host)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _come_in(self, smtp: smtplib.SMTP, host: str) -> None:
        smtp.ehlo_or_helo_if_needed()
        is_private = self._url.scheme == "smtps"
        if self._url.scheme == "smtp+starttls" or (not is_private and smtp.has_extn("starttls")):
            smtp.starttls(context=ssl.create_default_context())  # refuses where the server has none
            smtp.ehlo()
            is_private = True
        if self._url.username:
            if not is_private and not _is_this_machine(host):
                raise smtplib.SMTPException("it offers no TLS, and a password is not sent without")
            smtp.login(unquote(self._url.username), unquote(self._url.password or ""))

    def send(self, mail: Mail) -> None:
        assert self._smtp is not None, "open() comes first"
        try:
            self._hand_over(self._smtp, mail)
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise Undelivered(_reason(error)) from error
        except Undelivered:
            self.close()
            raise

    def _hand_over(self, smtp: smtplib.SMTP, mail: Mail) -> None:
        options = [] if mail.to_address.isascii() else ["SMTPUTF8"]
        if options and not smtp.has_extn("smtputf8"):
            raise Undelivered("the mail server takes no address with such letters (SMTPUTF8)", permanent=True)
        body = compose(mail).as_bytes()
        _expect(smtp.mail(parseaddr(settings().mail_from)[1], options))
        _expect(smtp.rcpt(mail.to_address))
        try:
            answer = smtp.data(body)
        except smtplib.SMTPDataError as error:  # refused before the first word
            answer = error.smtp_code, _bytes(error.smtp_error)
        except (OSError, smtplib.SMTPException) as error:
            raise Undelivered(_reason(error), unsure=True) from error  # all was said, and no answer came
        _expect(answer)

    def close(self) -> None:
        """Say goodbye, if there is anybody to say it to."""
        if self._smtp is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._smtp.quit()
            self._smtp.close()
            self._smtp = None


def _expect(answer: tuple[int, bytes]) -> None:
    """Go on after a yes; raises Undelivered, permanent for a 5yz (RFC 5321 section 4.2.1)."""
    code, words = answer
    if not 200 <= code <= 299:
        said = one_line(words.decode(errors="replace"), REASON_MAX)
        raise Undelivered(f"{code} {said}", permanent=500 <= code <= 599)


def _bytes(words: bytes | str) -> bytes:
    return words.encode() if isinstance(words, str) else words


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = _bytes(error.smtp_error).decode(errors="replace")
        return one_line(f"{error.smtp_code} {said}", REASON_MAX)
    return one_line(str(error) or type(error).__name__, REASON_MAX)


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# into files -----------------------------------------------------------------------------------------------------------
class _Folder:
    """Where letters lie when there is no mail server: for development, and so that nothing is lost unseen."""

    def open(self) -> None:
        _say_so()

    def send(self, mail: Mail) -> None:
        folder = settings().instance_path / "mail"
        target = folder / f"{mail.key}.eml"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            unfinished = target.with_suffix(f".{os.getpid()}.part")
            unfinished.touch(mode=0o600)
            unfinished.write_bytes(compose(mail).as_bytes())
            unfinished.replace(target)
        except OSError as error:
            raise Undelivered(_reason(error)) from error
        log.info("a letter lies in %s", target)


@cache
def _say_so() -> None:
    log.warning("CHAT_SMTP_URL is not set: mails are not sent, they are files in %s", settings().instance_path / "mail")


__all__ = ["Away", "Mail", "Post", "Undelivered", "compose", "one_line", "post"]
