"""Where uploads are kept: a folder, each file under a random id. The one place to change for another kind of store.

Kept means: written, synced and under its final name, so that what a message was accepted with is there after a power cut.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO
from uuid import UUID, uuid4

from app.kernel import limits
from app.kernel.errors import TooLarge, Unavailable
from app.kernel.settings import settings

INCOMING = "incoming"
MEGABYTE = 1024 * 1024
log = logging.getLogger(__name__)


@contextmanager
def _room() -> Iterator[None]:
    """Turn a disk that is full, or away, into a refusal that says so."""
    try:
        yield
    except OSError as error:
        log.warning("an upload could not be kept: %s", error)
        raise Unavailable("There is no room for uploads just now.", retry_after_s=30) from error


class Incoming:
    """A file that is being received: counted, hashed, and refused (TooLarge) once it is over its limit."""

    def __init__(self, max_bytes: int) -> None:
        folder = _root() / INCOMING
        self.path = folder / uuid4().hex
        self.bytes = 0
        self._max_bytes = max_bytes
        self._hash = sha256()
        with _room():
            folder.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = self.path.open("wb", buffering=0)  # what is refused is refused at once

    @property
    def sha256(self) -> bytes:
        """Give the hash of what has come so far."""
        return self._hash.digest()

    def write(self, part: bytes) -> int:
        """Take the next part; raises TooLarge."""
        self.bytes += len(part)
        if self.bytes > self._max_bytes:
            raise TooLarge(f"A file may have at most {self._max_bytes // MEGABYTE} MB.")
        self._hash.update(part)
        with _room():
            view = memoryview(part)
            while view:
                view = view[self._file.write(view) :]
        return len(part)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Do nothing: whoever parses a form rewinds what it has written."""
        return offset + whence

    def close(self) -> None:
        """Have all of it on the disk."""
        if not self._file.closed:
            with _room():
                os.fsync(self._file.fileno())
                self._file.close()

    def discard(self) -> None:
        """Take it away, unless it has been kept."""
        self._file.close()
        self.path.unlink(missing_ok=True)


def keep(incoming: Incoming, blob_id: UUID) -> None:
    """Give a received file its final name, for good."""
    incoming.close()
    _name(incoming, path_of(blob_id))


def put(content: bytes, blob_id: UUID, variant: str) -> None:
    """Keep a small file beside another, such as its thumbnail."""
    whole = Incoming(limits.UPLOAD_MAX_BYTES)
    try:
        whole.write(content)
        whole.close()
        _name(whole, path_of(blob_id, variant))
    finally:
        whole.discard()


def path_of(blob_id: UUID, variant: str = "") -> Path:
    """Give the place of a file; whether it is there is not asked."""
    name = blob_id.hex
    return _root() / name[:2] / name[2:4] / (f"{name}.{variant}" if variant else name)


def remove(blob_id: UUID) -> None:
    """Take a file and all beside it away; again is the same."""
    folder = path_of(blob_id).parent
    for path in folder.glob(f"{blob_id.hex}*"):
        path.unlink(missing_ok=True)


def left_lying(before: datetime) -> Iterator[Path]:
    """Give the files that began to come before an instant and were never kept."""
    folder = _root() / INCOMING
    for path in folder.iterdir() if folder.exists() else ():
        try:
            if path.stat().st_mtime < before.timestamp():
                yield path
        except FileNotFoundError:
            continue


def _root() -> Path:
    return settings().uploads_path


def _name(incoming: Incoming, target: Path) -> None:
    with _room():
        target.parent.mkdir(parents=True, exist_ok=True)
        incoming.path.replace(target)
        _sync_folders(target)


def _sync_folders(target: Path) -> None:
    """Have the new name on the disk too, and those of folders that may be new."""
    for folder in (target.parent, target.parent.parent, target.parent.parent.parent):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
