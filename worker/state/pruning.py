"""Pruning: removing old rows a few at a time, so that none waits long for the write lock."""

from __future__ import annotations

from typing import Any

from worker.state.database import Database
from worker.state.statement import Statement

PORTION = 1000
"""Rows that one transaction removes."""


async def prune(database: Database, statement: Statement, **values: Any) -> int:
    """Execute a statement that removes a ``portion`` of what is old until nothing is left; say how many rows that was.

    Raises:
        DatabaseUnavailable: it does not answer; some may have been removed.
    """
    removed = 0
    while True:
        async with database.begin_write() as transaction:
            count = await transaction.run(statement, **values, portion=PORTION)
        removed += count
        if count < PORTION:
            return removed
