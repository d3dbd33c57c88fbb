"""Where the servers keep their files.

The instance folder, except for root: its servers run as an account without rights, which often cannot reach the
checkout (a home folder is closed to others, rightly). No folder's mode is changed for that; the data go where the
account can reach them, and the instance folder remembers where that is.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from embedded.account import Account, choose
from embedded.errors import CannotStart
from embedded.notes import Notes

SYSTEM_FOLDERS = (Path("/var/lib/parley"), Path("/var/tmp/parley"))  # the first that can be had  # noqa: S108


@dataclass(frozen=True)
class Place:
    """One set of servers: their files, the account they run as, and what is remembered of them."""

    home: Path
    account: Account
    notes: Notes

    def folder(self, name: str) -> Path:
        """Make (or find) a server's folder. It stays ours: root must not write where the account could put a link."""
        path = self.home / name
        if not path.exists():
            path.mkdir()
            path.chmod(0o711)  # whatever our umask says, the account must get through
        return path

    def make_private(self, path: Path) -> None:
        """Make a folder that belongs to the servers' account alone."""
        if not path.exists():
            path.mkdir(mode=0o700)
            self.account.own(path)


def settle(instance: Path, *, throwaway: bool = False) -> Place:
    """Say where the servers of an instance folder live, and make that place."""
    instance = instance.absolute()
    instance.mkdir(parents=True, exist_ok=True)
    notes = Notes(instance / "services.json")
    _mark(notes, throwaway=throwaway)
    account = choose(_recorded_home(notes, instance) / "postgres" / "data")
    home = _recorded_home(notes, instance)
    if not account.can_enter(home):
        home = _outside(instance, throwaway=throwaway)
        notes.put("home", str(home))
    return Place(home, account, notes)


def _mark(notes: Notes, *, throwaway: bool) -> None:
    if bool(notes.get("throwaway")) == throwaway:
        return
    if notes.path.exists():  # a throwaway's files are deleted at the end: never those of an instance that is to stay
        raise CannotStart(
            f"{notes.path} belongs to services that are{' not' * throwaway} throwaway: use another folder."
        )
    notes.put("throwaway", True)


def _recorded_home(notes: Notes, instance: Path) -> Path:
    home = Path(notes.get("home") or instance)
    return home if home.exists() else instance


def _outside(instance: Path, *, throwaway: bool) -> Path:
    if throwaway:
        home = Path(tempfile.mkdtemp(prefix="parley-", dir="/tmp"))
    else:
        home = system_folder() / hashlib.sha256(str(instance.resolve()).encode()).hexdigest()[:12]
        home.mkdir(exist_ok=True)
    home.chmod(0o755)
    return home


def system_folder() -> Path:
    """Make (or find) root's folder for data and programs which other accounts can reach."""
    for folder in SYSTEM_FOLDERS:
        try:
            folder.mkdir(exist_ok=True)
        except OSError:
            continue
        # In a folder that everyone can write to, someone else may have been there first.
        if not folder.is_symlink() and folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & 0o022:
            folder.chmod(0o755)
            return folder
    raise CannotStart(
        f"Neither {SYSTEM_FOLDERS[0]} nor {SYSTEM_FOLDERS[1]} can be used: make the first, owned by root."
    )


def lock(place: Place) -> IO[str]:
    """Claim the place for this process, until the returned file is closed or the process ends."""
    file = (place.home / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise CannotStart(f"Parley already runs on the data in {place.home}: stop that one first.") from None
    return file


def discard(place: Place) -> None:
    """Delete a throwaway's files."""
    for name in ("postgres", "redis-log", "redis-cache"):
        shutil.rmtree(place.home / name, ignore_errors=True)
    (place.home / "lock").unlink(missing_ok=True)
    place.notes.path.unlink(missing_ok=True)
    if place.home != place.notes.path.parent:
        shutil.rmtree(place.home, ignore_errors=True)
