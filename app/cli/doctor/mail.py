"""The mail server: reached, greeted, TLS and the password taken, on the way that letters go. Nothing is sent."""

from __future__ import annotations

import smtplib
import ssl
from urllib.parse import urlsplit

from app.cli.doctor.findings import Doubt, Sick
from app.outbound import mail
from config import Config

TIMEOUT_S = 3  # a letter may wait longer; whoever asks the doctor may not
CURES: tuple[tuple[type[Exception], str], ...] = (
    (smtplib.SMTPAuthenticationError, "refuses the user or the password: correct them in CHAT_SMTP_URL."),
    (smtplib.SMTPNotSupportedError, "does not do what CHAT_SMTP_URL wants ({said}): see its scheme, user and password."),
    (ssl.SSLError, "shows no certificate to trust ({said}): name it in CHAT_SMTP_URL as its certificate does."),
    (OSError, "cannot be reached ({said}): correct CHAT_SMTP_URL, or start it. Letters wait meanwhile."),
)  # fmt: skip


def greeted(config: Config) -> str:
    """Open the way that letters go."""
    if not config.smtp_url:
        if config.is_production:
            raise Doubt("CHAT_SMTP_URL is not set: letters land in instance/mail/, and nobody can reset a password.")
        return "CHAT_SMTP_URL is not set: letters land in instance/mail/"
    parts = urlsplit(config.smtp_url)
    where = f"{parts.hostname}:{parts.port or (465 if parts.scheme == 'smtps' else 25)}"
    try:
        with mail.post() as way:
            way.open()
    except mail.Away as away:
        kinds = (cure for kind, cure in CURES if isinstance(away.__cause__, kind))
        cure = next(kinds, "lets nobody in ({said}): see CHAT_SMTP_URL.")
        raise Sick(f"The mail server {where} {cure.format(said=away)}") from away
    return f"{where} answers{' and takes the password' if parts.username else ''}"
