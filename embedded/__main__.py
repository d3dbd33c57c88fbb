"""`python -m embedded run` (what `make run` does) and `python -m embedded services` (the servers alone)."""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from embedded.errors import CannotStart
from embedded.services import services


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m embedded")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("run", help="servers, schema, demo accounts, web, worker and beat, until Ctrl-C")
    alone = verbs.add_parser("services", help="PostgreSQL and Redis alone; prints their addresses as JSON")
    alone.add_argument("--folder", type=Path, required=True, help="where their files are kept")
    alone.add_argument("--throwaway", action="store_true", help="quicker, and deleted at the end")
    arguments = parser.parse_args()
    if arguments.verb == "run":
        from embedded import supervisor  # noqa: PLC0415  # needs the project's config.py, the servers do not

        supervisor.main()
    else:
        _serve(arguments.folder, throwaway=arguments.throwaway)


def _serve(folder: Path, *, throwaway: bool) -> None:
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: ending.set())
    try:
        with services(folder, throwaway=throwaway) as env:
            print(json.dumps(env), flush=True)
            while not ending.wait(1):
                pass
    except CannotStart as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
