"""Keeps the time of the state database: one for all processes, for leases, signs of life and lengths of time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from worker.messaging import steady
from worker.messaging.steady import TRIES, SharedClock
from worker.state.statement import Statement
from worker.state.transaction import Transaction

_RECENT = 12.0
"""Seconds: workers compare with each beat of theirs."""

_READ = Statement(
    "SELECT extract(epoch FROM clock_timestamp())::float8 AS wall, skew, seen FROM worker_clock",
    sqlite="SELECT NULL AS wall, skew, seen FROM worker_clock",  # its clock is the machine's, which is looked at here
)
_THERE = Statement(
    "SELECT 1 WHERE to_regclass('worker_clock') IS NOT NULL",
    sqlite="SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'worker_clock'",
)
_CORRECT = Statement("UPDATE worker_clock SET skew = :skew, seen = :seen WHERE skew = :old")
_SEEN = Statement("UPDATE worker_clock SET seen = :seen WHERE seen NOT BETWEEN :since AND :seen")


class Timekeeper(SharedClock):
    """The time, once it was compared.

    Args:
        clock: of this machine.
        shared: whether the database has a clock of its own that machines share, which then is asked in place of it.
    """

    def __init__(self, clock: Callable[[], float], *, shared: bool) -> None:
        super().__init__(None if shared and clock is time.time else clock, _RECENT)

    @property
    def due(self) -> bool:
        """Whether it is time to compare; then the caller does, and no other for a while."""
        return self.stale(asyncio.get_running_loop().time())

    def shown(self, at: float) -> float:
        """Return a time of this clock as people know it: without what makes up for steps."""
        return at - self.skew

    async def look(self, transaction: Transaction) -> None:
        """Take over what is agreed on, where there are tables; writes nothing, also where a step was seen."""
        if await transaction.first(_THERE) is None:
            return
        begun = self.begin()
        row = await transaction.first(_READ)
        if row is not None:
            self.judge(begun, row["wall"] or 0.0, row["skew"], None)

    async def compare(self, transaction: Transaction) -> None:
        """Compare with the database's clock, and agree with the other processes, in a transaction that writes."""
        for _ in range(TRIES):
            begun = self.begin()
            row = await transaction.first(_READ)
            if row is None:
                return
            found = self.judge(begun, row["wall"] or 0.0, row["skew"], row["seen"])
            if found.skew is None:
                since = found.wall - steady.EVERY / 2
                await transaction.run(_SEEN, seen=found.wall, since=since)
                return
            await transaction.run(_CORRECT, skew=found.skew, seen=found.wall, old=row["skew"])
