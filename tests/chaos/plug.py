"""Pulling the plug: a kill leaves in the system's memory what was written, a power cut leaves only what was synced.

`plug.c`, preloaded into PostgreSQL and Redis, keeps of each write the bytes before it until the file is synced; `Plug.pull`
puts them back into the files of the killed servers. What a real disk would still have lost (a sync that lies) is not shown.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("plug.c")
RECORD = struct.Struct("=QQQ")


def is_possible() -> bool:
    """Tell whether there is a C compiler here."""
    return shutil.which("cc") is not None


@dataclass(frozen=True)
class Plug:
    """A folder of journals, and the library that writes them."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Plug:
        """Compile the library into a folder that the servers' account can reach and write to."""
        folder.mkdir(parents=True)
        folder.chmod(0o777)
        library = folder / "plug.so"
        command = ["cc", "-shared", "-fPIC", "-O2", "-Wall", "-o", str(library), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True, capture_output=True)
        library.chmod(0o755)
        return cls(folder)

    @contextlib.contextmanager
    def preloaded(self) -> Iterator[None]:
        """Have the servers that are started in this block watched."""
        given = {"LD_PRELOAD": str(self.folder / "plug.so"), "PLUG_FOLDER": str(self.folder)}
        os.environ.update(given)
        try:
            yield
        finally:
            for name in given:
                del os.environ[name]

    def pull(self, data: Path) -> int:
        """Put back what was not synced, in the files below a folder; gives how many bytes the cut has cost."""
        files = {found.stat().st_ino: found for found in data.rglob("*") if found.is_file()}
        cost = 0
        for journal in self.folder.glob("[0-9]*"):
            file = files.get(int(journal.name))
            if file is not None:
                cost += _put_back(file, journal.read_bytes())
            journal.unlink()
        return cost


def _put_back(file: Path, journal: bytes) -> int:
    """Undo writes, the last first. A record that was cut off is of a write that had not begun."""
    records, at = [], 0
    while at + RECORD.size <= len(journal):
        offset, length, size_before = RECORD.unpack_from(journal, at)
        at += RECORD.size + length
        if at <= len(journal):
            records.append((offset, journal[at - length : at], size_before))
    size = file.stat().st_size
    with file.open("r+b") as opened:
        for offset, before, size_before in reversed(records):
            opened.seek(offset)
            opened.write(before)
            opened.truncate(max(size_before, offset + len(before)))
    return size - file.stat().st_size + sum(len(before) for _, before, _ in records)
