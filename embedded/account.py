"""Whom the servers run as. PostgreSQL refuses to run as root, so root hands it to an account without rights."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from embedded.errors import CannotStart

# An account of our own first, if the operator made one; then the one Debian's PostgreSQL brings; then everybody's.
UNPRIVILEGED = ("parley", "postgres", "nobody")


class PopenOptions(TypedDict, total=False):
    """The part of `subprocess.Popen`'s arguments that says who runs the program."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """Another account to run a server as, or (both ids None) the one we are."""

    uid: int | None = None
    gid: int | None = None

    def popen_options(self) -> PopenOptions:
        """Give the arguments that make `subprocess` run a program as this account."""
        if self.uid is None or self.gid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, path: Path) -> bool:
        """Tell whether the account may search a folder, or run a program: asked of the system, not guessed."""
        if self.uid is None:
            return os.access(path, os.X_OK)
        test = ["/bin/sh", "-c", '[ -x "$1" ]', "sh", str(path)]
        return subprocess.run(test, cwd="/", check=False, **self.popen_options()).returncode == 0

    def own(self, path: Path) -> None:
        """Give a file or folder to the account; nothing to do when we run servers as ourselves."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def choose(existing: Path) -> Account:
    """Choose the account for the servers: the owner of data that exists, else the first that the system has."""
    if os.geteuid() != 0:
        return Account()
    if existing.exists() and existing.stat().st_uid != 0:
        return Account(existing.stat().st_uid, existing.stat().st_gid)
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise CannotStart("PostgreSQL cannot run as root and there is no account to run it as: make one named parley.")
