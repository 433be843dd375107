"""Keeps the time of a server: one for all workers, whatever is done to the server's clock meanwhile."""

from __future__ import annotations

import asyncio

import asyncpg

from transports.postgres.connection import Connection
from worker.messaging import steady
from worker.messaging.steady import TRIES, SharedClock

_WALL = "SELECT extract(epoch FROM clock_timestamp())::float8"
_READ = f"{_WALL}, skew, seen FROM transport_clock"
_CORRECT = "UPDATE transport_clock SET skew = $2, seen = $3 WHERE skew = $1"
_SEEN = "UPDATE transport_clock SET seen = $1 WHERE seen NOT BETWEEN $1 - $2::float8 AND $1"


class Timekeeper(SharedClock):
    """The server's time; this machine's until the two were first compared."""

    @property
    def due(self) -> bool:
        """Whether it is time to compare; True for one caller each time, as one comparison is enough."""
        return self.stale(asyncio.get_running_loop().time())

    async def compare(self, connection: Connection) -> None:
        """Compare with the server, and agree with the other workers; harmless to begin again."""
        for _ in range(TRIES):
            begun = self.begin()
            seen: float | None
            try:
                wall, skew, seen = await connection.fetchrow(_READ)
            except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError):
                # the tables are an earlier release's, or this role has no right to the one of the clock yet
                wall, skew, seen = await connection.fetchval(_WALL), 0.0, None
            found = self.judge(begun, wall, skew, seen)
            if found.skew is None:
                if seen is not None:
                    await connection.execute(_SEEN, found.wall, steady.EVERY / 2)
                return
            await connection.execute(_CORRECT, skew, found.skew, found.wall)
