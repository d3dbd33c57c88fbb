"""The mail server: reached, greeted, and the password taken. Nothing is sent."""

from __future__ import annotations

import smtplib
import ssl
from urllib.parse import unquote, urlsplit

from app.cli.doctor.findings import Sick, first_line
from config import Config

TIMEOUT_S = 3.0


def greeted(config: Config) -> str:
    """Connect, greet, use TLS where it is offered, and sign in where a user is named."""
    if not config.smtp_url:
        return "CHAT_SMTP_URL is not set: no mail is sent"
    parts = urlsplit(config.smtp_url)
    where = f"{parts.hostname}:{parts.port or (465 if parts.scheme == 'smtps' else 25)}"
    try:
        with _connected(parts.scheme, parts.hostname or "", parts.port) as server:
            server.ehlo()
            if parts.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
                server.ehlo()
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            return f"{where} answers{' and takes the password' if parts.username else ''}"
    except smtplib.SMTPAuthenticationError as error:
        raise Sick(
            f"The mail server {where} refuses the password of {parts.username}: correct CHAT_SMTP_URL."
        ) from error
    except smtplib.SMTPNotSupportedError as error:
        raise Sick(
            f"The mail server {where} takes no password: take user and password out of CHAT_SMTP_URL."
        ) from error
    except ssl.SSLError as error:
        raise Sick(
            f"The mail server {where} shows no certificate to trust ({first_line(error)}): correct its name."
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        raise Sick(
            f"The mail server {where} cannot be reached ({first_line(error)}): correct CHAT_SMTP_URL."
        ) from error


def _connected(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT_S, context=ssl.create_default_context())
    return smtplib.SMTP(host, port or 25, timeout=TIMEOUT_S)
