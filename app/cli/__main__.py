"""The command line's verbs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import flask_migrate
from flask import Flask

from app.cli import demo
from app.cli.doctor.command import command as doctor
from app.cli.replay.command import replay
from app.domain import accounts
from app.factory import create_app
from app.kernel import clock, requests
from app.kernel.errors import DomainError
from config import ConfigError, load_config

ROOT = Path(__file__).parents[2]


def _app() -> Flask:
    try:
        return create_app(load_config())
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


@click.group()
def cli() -> None:
    """Look after a Parley installation."""


@cli.command()
@click.option("--to", default="head", show_default=True, help="The revision to go to; an older one goes down.")
def migrate(to: str) -> None:
    """Bring the database's tables to a revision, as their owner."""
    with _app().app_context():
        directory = str(ROOT / "migrations")
        (flask_migrate.downgrade if to in ("base", "-1") else flask_migrate.upgrade)(directory, to)
    click.echo("the database is up to date" if to == "head" else f"the database is at {to}")


@cli.command("seed-demo")
def seed_demo() -> None:
    """Make the demo's people and conversations, where there is no admin yet and this is not production."""
    _app()
    _say(demo.seed)


@cli.command("create-admin")
@click.option("--username", prompt=True)
@click.option("--email", prompt=True)
@click.password_option()
def create_admin(username: str, email: str, password: str) -> None:
    """Make an account that looks after this installation."""
    _app()
    body = {"username": username, "email": email, "password": password}
    _say(lambda: accounts.create(request=requests.parse(requests.Register, body), role="admin", now=clock.now()))


cli.add_command(replay)
cli.add_command(doctor(create_app))


@cli.command("set-role")
@click.argument("username")
@click.argument("role", type=click.Choice(["member", "staff", "admin"]))
def set_role(username: str, role: str) -> None:
    """Make someone a member, staff (who answer customers) or an admin."""
    _app()
    _say(lambda: accounts.set_role(username=username, role=role, now=clock.now()))


def _say(verb: Any) -> None:
    try:
        click.echo(verb() or "done")
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal


if __name__ == "__main__":
    cli(prog_name="python -m app.cli")
