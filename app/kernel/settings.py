"""The configuration in force in this process: set once by the factory, read by all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config import Config

_in_force: list[Config] = []


def use(config: Config) -> None:
    """Put a configuration in force for this process."""
    _in_force[:] = [config]


def settings() -> Config:
    """Give the configuration in force; raises IndexError before the factory has run."""
    return _in_force[0]
