"""What is remembered between runs: ports, passwords, and where the data are, in one file that only its owner reads."""

import json
import os
from pathlib import Path
from typing import Any


class Notes:
    """A small JSON file, one entry a server. Every `put` is on disk when it returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def get(self, name: str) -> Any:
        """Give what was put under that name, or None."""
        return self._entries.get(name)

    def put(self, name: str, entry: Any) -> None:
        """Remember the entry, replacing the file in one step so that a crash leaves the old or the new."""
        self._entries[name] = entry
        write_private(self.path, json.dumps(self._entries, indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600, whole or not at all; it is never readable by others, not for an instant."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
