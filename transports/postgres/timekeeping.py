"""Keeps the time of a server: one for all workers, whatever is done to the server's clock meanwhile.

Each worker goes on from the server's time by its own monotonic clock, and compares the two now and then. Where they have
come apart by a step, the one who sees it first writes down what makes up for it, the *skew*; so workers that start later
agree with those that were there. Where another worker found the server's clock in order moments ago, it was this worker
that stood still: its machine slept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import asyncpg

from transports.postgres.connection import Connection
from worker.messaging.steady import STEP, monotonic_of

EVERY = 2.0
"""Seconds between two comparisons."""

_RECENT = 2 * EVERY
_TRIES = 5

_WALL = "SELECT extract(epoch FROM clock_timestamp())::float8"
_READ = f"{_WALL}, skew, seen FROM transport_clock"
_CORRECT = "UPDATE transport_clock SET skew = $2, seen = $3 WHERE skew = $1"
_SEEN = "UPDATE transport_clock SET seen = $1 WHERE seen NOT BETWEEN $1 - $2::float8 AND $1"


class Timekeeper:
    """The time, once it was compared.

    Args:
        clock: in place of the server's; None for that.
    """

    def __init__(self, clock: Callable[[], float] | None) -> None:
        self._wall = clock
        self._monotonic = monotonic_of(clock or time.time)
        self._ahead: float | None = None
        self._due = 0.0

    def __call__(self) -> float:
        """Return the time; that of this machine as long as nothing was compared."""
        ahead = self._ahead
        return (self._wall or time.time)() if ahead is None else self._monotonic() + ahead

    @property
    def stale(self) -> bool:
        """Whether it is time to compare; then it is not so for the next, as one comparison at a time is enough."""
        now = asyncio.get_running_loop().time()
        if now < self._due:
            return False
        self._due = now + EVERY
        return True

    async def compare(self, connection: Connection) -> None:
        """Compare with the server, and agree with the other workers; harmless to begin again."""
        for _ in range(_TRIES):
            if await self._compared(connection):
                return

    async def _compared(self, connection: Connection) -> bool:
        sent = self._monotonic()
        try:
            wall, skew, seen = await connection.fetchrow(_READ)
        except asyncpg.UndefinedTableError:  # set up by an earlier release
            wall, skew, seen = await connection.fetchval(_WALL), 0.0, None
        doubt = (self._monotonic() - sent) / 2
        if self._wall is not None:
            wall = self._wall()
        ahead = wall + skew - (sent + doubt)
        apart = 0.0 if self._ahead is None else ahead - self._ahead
        vouched = seen is None or 0.0 <= wall - seen <= _RECENT
        if abs(apart) - doubt >= STEP and not vouched:
            changed = await connection.execute(_CORRECT, skew, skew - apart, wall)
            return str(changed).endswith(" 1")  # else another was first: look again
        if self._ahead is None or abs(apart) - doubt >= STEP:
            self._ahead = ahead
        else:  # no further than the answer's own inexactness demands
            self._ahead += max(apart - doubt, 0.0) + min(apart + doubt, 0.0)
        if seen is not None:
            await connection.execute(_SEEN, wall, EVERY / 2)
        return True
