"""Lends the driver's connections on SQLite to SQLAlchemy: there is one writer, and one queue for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from worker.state.pool import Pool
from worker.state.sqlite_connection import SwiftConnection
from worker.state.sqlite_driver import SqliteDriver


class Lent:
    """A connection as SQLAlchemy wants one; its end gives it back."""

    def __init__(self, connection: SwiftConnection, end: Callable[[], Awaitable[None]]) -> None:
        self._lent = connection
        self._end: Callable[[], Awaitable[None]] | None = end

    def __getattr__(self, name: str) -> Any:
        """Everything else is the connection's own."""
        return getattr(self._lent, name)

    async def create_function(self, name: str, *given: Any, **options: Any) -> None:
        """Add a function to SQL, once for as long as the connection lives."""
        if name not in self._lent.functions:
            await self._lent.create_function(name, *given, **options)
            self._lent.functions.add(name)

    async def close(self) -> None:
        """Give it back, with nothing open. Idempotent."""
        end, self._end = self._end, None
        if end is not None:
            await end()

    def stop(self) -> None:
        """Do the same, where nobody can wait for it."""
        if self._end is not None:
            self._stopping = asyncio.ensure_future(self.close())


def lender(driver: SqliteDriver, pool: Pool[SwiftConnection]) -> Callable[..., Awaitable[Lent]]:
    """Make the function by which SQLAlchemy opens a connection."""

    async def lend(*_given: Any, **_options: Any) -> Lent:
        """Wait for a turn."""
        connection = await pool.take()
        return Lent(connection, lambda: driver.end(pool, connection))

    return lend
