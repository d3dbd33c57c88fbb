"""All servers together."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded import places, roles
from embedded.notes import Notes
from embedded.postgres import Postgres
from embedded.redis import RedisCache, RedisLog
from embedded.server import Server


class Services:
    """PostgreSQL and both Redis servers of one instance folder; either kind can be left out.

    Tests stop and start the single servers (`services.postgres.stop()`); each keeps its address.
    """

    def __init__(self, folder: Path, *, throwaway: bool = False, postgres: bool = True, redis: bool = True) -> None:
        self.place = places.settle(folder, throwaway=throwaway)
        self._lock = places.lock(self.place)
        self._throwaway = throwaway
        self.redis_log = RedisLog(self.place, throwaway=throwaway) if redis else None
        self.redis_cache = RedisCache(self.place, throwaway=throwaway) if redis else None
        self.postgres = Postgres(self.place, throwaway=throwaway) if postgres else None

    @property
    def servers(self) -> list[Server]:
        """The servers in the order in which they start; they stop the other way round."""
        return [server for server in (self.postgres, self.redis_log, self.redis_cache) if server is not None]

    def start(self) -> None:
        """Start them all, or none."""
        try:
            for server in self.servers:
                server.start()
        except BaseException:
            self.stop()
            raise

    def stop(self, *, within_s: float = 20) -> None:
        """Stop them all and let go of the folder; a throwaway's files are deleted.

        What has not ended in that time is killed: PostgreSQL and the message log recover from that.
        """
        end = time.monotonic() + within_s
        for server in reversed(self.servers):
            server.stop(grace_s=end - time.monotonic())
        if self._throwaway:
            places.discard(self.place)
        self._lock.close()

    def env(self) -> dict[str, str]:
        """Give the variables by which the application finds them."""
        found = self.postgres.env() if self.postgres else {}
        if self.redis_cache and self.redis_log:
            found |= {"REDIS_URL": self.redis_cache.url, "MESSAGE_LOG_REDIS_URL": self.redis_log.url}
        return found

    def test_env(self) -> dict[str, str]:
        """Add the superuser's address, for tests that make databases of their own; never for the application."""
        superuser = {"PARLEY_TEST_SUPERUSER_URL": self.postgres.url(roles.SUPERUSER)} if self.postgres else {}
        return self.env() | superuser


@contextmanager
def services(folder: Path, *, throwaway: bool) -> Iterator[dict[str, str]]:
    """Run the servers in a folder for as long as the block lasts; it yields their addresses."""
    running = Services(folder, throwaway=throwaway)
    running.start()
    try:
        yield running.test_env()
    finally:
        running.stop()


def remembered(folder: Path) -> dict[str, str]:
    """Give the variables of an instance folder's servers as noted, whether they run or not; touches nothing."""
    notes = Notes(folder / "services.json")
    found: dict[str, str] = {}
    if postgres := notes.get(Postgres.name):
        for key, role in (("DATABASE_URL", roles.APP), ("DATABASE_OWNER_URL", roles.OWNER)):
            found[key] = Postgres.address(postgres["passwords"][role], postgres["port"], role)
    for key, server in (("REDIS_URL", RedisCache.name), ("MESSAGE_LOG_REDIS_URL", RedisLog.name)):
        if redis := notes.get(server):
            found[key] = RedisCache.address(redis["passwords"]["default"], redis["port"])
    return found | ({"PORT": str(notes.get("web")["port"])} if notes.get("web") else {})
