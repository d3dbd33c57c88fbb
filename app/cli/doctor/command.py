"""The verb: ``python -m app.cli doctor``."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import click
from rich.console import Console

from app.cli.doctor import database, door, machine, mail, processes, redises, report
from app.cli.doctor.findings import Finding, Look, examine
from app.cli.doctor.surroundings import environment
from app.cli.doctor.visit import Visit
from app.extensions import limit_database_waits
from config import Config, ConfigError, load_config

# Together with the imports under twenty seconds, whatever hangs.
SERVERS_S, ROUND_TRIPS_S, END_S = 7.0, 8.0, 3.0
POSTGRES, LOG, CACHE, WEB, TABLES = "PostgreSQL", "Redis of the log", "Redis of the cache", "Web process", "Tables"


def command(wire: Callable[[Config], object]) -> click.Command:
    """Make the verb; ``wire`` makes the application of a configuration."""

    @click.command()
    @click.option("--url", help="The address that people open; else the first of CHAT_ORIGINS.")
    def doctor(url: str | None) -> None:
        """Look at every part by using it, and say of each failure how it is cured. Exits with 1 where something is broken."""
        console = Console(width=None if sys.stdout.isatty() else 160)
        try:
            config = load_config(environment(os.environ))
        except ConfigError as error:
            is_well = report.show(console, [Finding("Settings", "sick", str(error))], [])
        else:
            is_well = report.show(console, _visit(config, wire, url), report.secrets_of(config))
        sys.stdout.flush()
        os._exit(0 if is_well else 1)  # what still hangs must not hold us up

    return doctor


def _visit(config: Config, wire: Callable[[Config], object], url: str | None) -> list[Finding]:
    logging.disable(logging.CRITICAL)  # what the parts log of their failures, the findings say
    limit_database_waits(3.0)
    wire(replace(config, mail_timeout_s=mail.TIMEOUT_S))
    visit, known = Visit(), dict[str, Finding]()
    address = (url or door.public_url(config)).rstrip("/")
    found = examine(_servers(config, address), known, within_s=SERVERS_S)
    found += examine(_round_trips(config, address, visit), known, within_s=ROUND_TRIPS_S)
    return found + examine([Look("Afterwards", visit.end)], known, within_s=END_S)


def _servers(config: Config, url: str) -> list[Look]:
    redis = [
        Look(LOG, partial(redises.writable, "log")),
        Look(CACHE, partial(redises.writable, "cache")),
        Look("Eviction", redises.evicts),
    ]
    return [
        Look("Settings", partial(machine.safe, config)),
        Look("Disk", partial(machine.room_on_disk, config.instance_path)),
        Look(POSTGRES, partial(database.reached, config)),
        Look(TABLES, partial(database.migrated, config)),
        *(redis if config.redis_url else []),
        Look("Write mode", partial(redises.write_mode, config)),
        Look("Mail", partial(mail.greeted, config)),
        Look(WEB, partial(door.answers, config, url)),
    ]


def _round_trips(config: Config, url: str, visit: Visit) -> list[Look]:
    rows = (POSTGRES, TABLES)
    servers = (LOG, CACHE) if config.redis_url else ()
    jobs = [Look("Worker", processes.worker, (CACHE,)), Look("Beat", processes.beat, (CACHE,))]
    return [
        Look("Clocks", partial(machine.clocks, config), (POSTGRES, *servers)),
        Look("Row security", partial(_seen, visit, partial(database.hidden, config)), rows),
        *(jobs if config.redis_url else []),
        Look("Log to database", partial(processes.drained, visit), rows),
        Look("Proxies", partial(door.forwarded, config, url, visit), (*rows, WEB)),
        Look("Socket", partial(door.spoken, url, visit), (*rows, WEB)),
    ]


def _seen(visit: Visit, check: Callable[[], str]) -> str:
    visit.patient()  # so that there is a row to be hidden
    return check()
