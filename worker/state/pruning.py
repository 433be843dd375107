"""Pruning: removing old rows a few at a time, so that nobody waits long for the write lock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Select, Table, delete, tuple_

from worker.state.database import Database

PORTION = 1000
"""Rows that one transaction removes."""


async def prune(database: Database, table: Table, key: Sequence[Column[Any]], chosen: Select[Any]) -> int:
    """Remove the rows whose ``key`` columns ``chosen`` selects, and say how many there were.

    Raises:
        DatabaseUnavailable: it does not answer; some may have been removed.
    """
    removed = 0
    names = key[0] if len(key) == 1 else tuple_(*key)
    while True:
        async with database.begin_write() as connection:
            part = chosen.limit(PORTION).subquery().select()
            count = (await connection.execute(delete(table).where(names.in_(part)))).rowcount
        removed += count
        if count < PORTION:
            return removed
