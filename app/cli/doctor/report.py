"""The doctor's table, and the verdict under it. No secret passes, whatever a library has put into its error."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.doctor.findings import Finding
from config import Config

MARKS = {"well": ("✓", "green"), "doubt": ("!", "yellow"), "sick": ("✗", "bold red"), "unasked": ("–", "dim")}
SHORTEST_SECRET = 4


def show(console: Console, findings: Sequence[Finding], secrets: Sequence[str]) -> bool:
    """Print what was found; tells whether everything is well."""
    table = Table(show_header=False, box=None, padding=(0, 1))
    for finding in findings:
        mark, style = MARKS[finding.state]
        words = hidden(finding.words, secrets)
        table.add_row(Text(mark, style), Text(finding.name), Text(words, style if finding.state == "sick" else ""))
    console.print(table)
    sick = [finding.name for finding in findings if finding.state == "sick"]
    unasked = sum(finding.state == "unasked" for finding in findings)
    if sick:
        rest = f" {unasked} more could not be looked at." if unasked else ""
        console.print(Text(f"SICK: {', '.join(sick)}.{rest}", "bold red"))
    else:
        console.print(Text("WELL: every round trip came back.", "bold green"))
    return not sick


def hidden(words: str, secrets: Sequence[str]) -> str:
    """Blot out secrets."""
    for secret in secrets:
        words = words.replace(secret, "•••")
    return words


def secrets_of(config: Config) -> list[str]:
    """List the secrets of a configuration, and the whole addresses that hold them, the longest first."""
    urls = [
        config.database_url, config.database_owner_url, config.redis_url, config.message_log_redis_url, config.smtp_url,
    ]  # fmt: skip
    found = {config.secret_key, config.redis_password or "", config.metrics_token or "", config.embed_secret or ""}
    for url in filter(None, urls):
        password = urlsplit(url).password or ""
        found |= {password, unquote(password)} | ({url} if password else set())
    return sorted((one for one in found if len(one) >= SHORTEST_SECRET), key=len, reverse=True)
