"""What tokens have sent in the windows of their limits, in SQL: one row a window, for all processes."""

from __future__ import annotations

from collections.abc import Sequence

from worker.state.database import Database
from worker.state.statement import Statement
from worker.tokens.store import Wanted

_LATE = 3600.0
"""Seconds after its end for which a window is kept: a process whose clock is behind goes on counting in it."""

_TAKE = Statement("""
    INSERT INTO worker_token_counts (application, token, unit, start, count, until)
    VALUES (:application, :token, :unit, :start, :more, :until)
    ON CONFLICT (application, token, unit, start) DO UPDATE SET count = worker_token_counts.count + :more
    WHERE worker_token_counts.count + :more <= :most
    RETURNING count
""")
_PRUNE = Statement("DELETE FROM worker_token_counts WHERE application = :application AND until < :before")


class SqlTokenCounts:
    """Counts for all processes. Every method raises DatabaseUnavailable when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, token: str, wanted: Sequence[Wanted]) -> Sequence[int | None]:
        """Add to the counts, each for itself where that stays within its limit; see the port."""
        counts: list[int | None] = []
        async with self._database.begin_write() as transaction:
            for unit, (start, end), more, most in wanted:
                row = None
                if more <= most:
                    row = await transaction.first(
                        _TAKE, token=token, unit=unit, start=start, until=end, more=more, most=most
                    )
                counts.append(None if row is None else row["count"])
        return counts

    async def prune(self) -> None:
        """Forget windows that ended long ago."""
        async with self._database.begin_write() as transaction:
            await transaction.run(_PRUNE, before=self._database.clock() - _LATE)
