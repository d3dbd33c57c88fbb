"""The way out: over SMTP with and without TLS and a password, into files where there is no server, and its troubles."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from app.domain import digests, letters, mailing
from app.kernel import clock, settings
from app.outbound import mail
from config import ConfigError, load_config
from tests.mail.conftest import World
from tests.support.postoffice import certificate, post_office
from tests.support.wired import environ_for

LETTER = mail.Mail("key", "Ann", "ann@example.org", "Hello", "text\n", "<p>html</p>", clock.now())


@pytest.fixture
def sends(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Send one letter by an address of a mail server."""

    def send(url: str | None, letter: mail.Mail = LETTER, **more: str) -> None:
        given = {"CHAT_SMTP_URL": url or "", "CHAT_MAIL_TIMEOUT_S": "1", **more}
        settings.use(load_config(environ_for("postgresql:///nowhere", **given)))
        with mail.post() as post:
            post.open()
            post.send(letter)

    return send


def test_a_letter_goes_out_over_starttls_with_a_password(
    sends: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with post_office(tls_context=context, require_starttls=True, auth_required=True) as office:
        sends(f"smtp+starttls://ann%40work:p%40ss@127.0.0.1:{office.port}")
        assert (len(office.taken), office.logins) == (1, [(b"ann@work", b"p@ss")])
        with pytest.raises(mail.Away, match="535"):
            sends(f"smtp://ann:wrong@127.0.0.1:{office.port}")
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(mail.Away, match="certificate verify failed"):
            sends(f"smtp+starttls://127.0.0.1:{office.port}")


def test_a_letter_goes_out_over_tls_from_the_start(sends: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, trusted = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with post_office(ssl_context=context) as office:
        sends(f"smtps://127.0.0.1:{office.port}")
        assert len(office.taken) == 1


def test_no_password_goes_out_in_the_clear(sends: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "_is_this_machine", lambda _: False)
    with post_office(auth_required=True, auth_require_tls=False) as office:
        with pytest.raises(mail.Away, match="offers no TLS"):
            sends(f"smtp://ann:p%40ss@127.0.0.1:{office.port}")
        with pytest.raises(mail.Away, match="STARTTLS"):
            sends(f"smtp+starttls://127.0.0.1:{office.port}")
        assert office.logins == []
        monkeypatch.undo()
        sends(f"smtp://ann:p%40ss@127.0.0.1:{office.port}")
        assert len(office.taken) == 1, "to this machine it may"


@contextmanager
def silent_server() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_server_that_says_nothing_is_away(sends: Any) -> None:
    with silent_server() as port, pytest.raises(mail.Away, match="timed out"):
        sends(f"smtp://127.0.0.1:{port}")
    with pytest.raises(mail.Away, match="refused"):
        sends(f"smtp://127.0.0.1:{port}")


def test_an_address_that_the_server_cannot_write_is_refused_for_good(sends: Any) -> None:
    letter = replace(LETTER, to_address="jürgen@example.org")
    with post_office() as office, pytest.raises(mail.Undelivered, match="SMTPUTF8") as refused:
        sends(office.url, letter)
    assert refused.value.permanent
    with post_office(enable_SMTPUTF8=True) as office:
        sends(office.url, letter)
        assert office.envelopes[0][1] == ["jürgen@example.org"]


@pytest.mark.parametrize(
    "evil", ["a\r\nBcc: x@evil.example", "a\nBcc: x@evil.example", "a\x0bBcc:\x85b", "a\u2028b", "\x00"]
)
def test_nothing_given_becomes_a_header(evil: str) -> None:
    settings.use(load_config(environ_for("postgresql:///nowhere")))
    letter = replace(LETTER, to_name=evil, subject=evil, text=evil, html=evil, unsubscribe_url="https://x.example/u")
    read = message_from_bytes(mail.compose(letter).as_bytes(), policy=default)
    names = [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "X-Auto-Response-Suppress",
        "List-Unsubscribe",
    ]
    assert list(read.keys()) == [*names, "List-Unsubscribe-Post", "MIME-Version", "Content-Type"]
    assert [one.addr_spec for one in read["To"].addresses] == ["ann@example.org"]


def test_long_names_and_titles_are_cut() -> None:
    assert mail.one_line("a" * 500) == "a" * 119 + "…"
    assert mail.one_line("\u202eabc\t d") == "abc d"


# without a server -----------------------------------------------------------------------------------------------------
def test_without_a_server_letters_are_files_and_the_log_says_so(
    sends: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mail._say_so.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            sends(None, CHAT_INSTANCE_PATH=str(tmp_path))
    (file,) = (tmp_path / "mail").iterdir()
    assert file.name == "key.eml"
    assert file.stat().st_mode & 0o077 == 0, "it may hold a link that opens an account"
    assert message_from_bytes(file.read_bytes(), policy=default)["Subject"] == "Hello"
    assert caplog.text.count("CHAT_SMTP_URL is not set") == 1


@pytest.mark.parametrize("wrong", ["nobody", "a@b\r\nBcc: c@d", "<>", "Ann <ann at example.org>"])
def test_a_sender_that_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigError, match="Set CHAT_MAIL_FROM to an address"):
        load_config(environ_for("postgresql:///nowhere", CHAT_MAIL_FROM=wrong))


# while it is away -----------------------------------------------------------------------------------------------------
def test_while_the_server_is_away_letters_wait_and_old_ones_are_given_up(world: World) -> None:
    ann, ben = world.person("Ann"), world.person("Ben")
    world.say(ann, world.group("Team", ann, ben), "hello")
    world.later(minutes=16)
    here = settings.settings()
    settings.use(replace(here, smtp_url="smtp://127.0.0.1:1"))
    assert digests.plan(now=world.now) == 1
    assert (world.send(), world.letters(ben)) == (0, ["waiting"])
    settings.use(here)
    assert (world.send(), world.letters(ben)) == (1, ["sent"])
    world.say(ann, world.group("Team", ann, ben), "hello again")
    world.later(minutes=16)
    assert digests.plan(now=world.now) == 1
    settings.use(replace(here, smtp_url="smtp://127.0.0.1:1"))
    world.later(hours=25)
    assert (world.send(), world.letters(ben)) == (0, ["sent", "failed"])
    settings.use(here)


def test_one_letter_that_cannot_be_written_stops_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, ben, cyd = (world.person(name) for name in ("Ann", "Ben", "Cyd"))
    world.say(ann, world.group("Team", ann, ben, cyd), "hello")
    world.later(minutes=16)
    assert digests.plan(now=world.now) == 2
    first = letters.due(now=world.now, limit=1)[0].profile_id
    compose = digests.compose

    def broken(letter: letters.Waiting, now: Any) -> Any:
        if letter.profile_id == first:
            raise ZeroDivisionError
        return compose(letter, now)

    monkeypatch.setitem(mailing.KINDS, "digest", replace(mailing.KINDS["digest"], compose=broken))
    assert world.send() == 1
    monkeypatch.undo()
    world.later(minutes=2)
    assert world.send() == 1
