"""Lends the driver's connections on SQLite to SQLAlchemy: there is one writer, and one queue for it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from worker.errors import UsageError
from worker.state.pool import Pool
from worker.state.sessions.guard import COMMITS, ENDED, wrong
from worker.state.sqlite_connection import Cursor, SwiftConnection
from worker.state.sqlite_driver import SqliteDriver


class Lent:
    """A connection as SQLAlchemy wants one; its end gives it back.

    A handler that reaches for it past SQLAlchemy may read and write with it. It can neither end the transaction that it
    was lent for, nor use it afterwards.

    Args:
        connection: of the driver.
        end: rolls back what is open, and gives it back.
        reads: whether it only reads: then a transaction begins with its first statement and ends when it is given back,
            which saves two changes of thread of four.
    """

    def __init__(
        self, connection: SwiftConnection, end: Callable[[], Awaitable[None]], *, reads: bool = False
    ) -> None:
        self._lent = connection
        self._end: Callable[[], Awaitable[None]] | None = end
        self._reads = reads
        self._to_begin = False
        self._over = False
        self._held = False
        self._approved = False

    def __getattr__(self, name: str) -> Any:
        """Everything else is the connection's own."""
        return getattr(self._lent, name)

    def begun(self) -> None:
        """Hold the transaction that has just begun, or begins with the next statement."""
        self._held, self._over = True, False  # the dialect rolls back when it sees its first connection
        self._to_begin = self._reads

    def approve(self) -> None:
        """Let the next commit happen."""
        self._approved = True

    def check(self) -> None:
        """Nothing to ask: each statement is checked in the connection's thread."""

    def cursor(self) -> Cursor:
        """Make a cursor that ends no transaction."""
        return Cursor(self._lent.run, lambda: self._lent.raw, self._check)

    def execute(self, sql: str, *given: Any) -> Any:
        """Run a statement that ends no transaction."""
        self._refuse(sql)
        return self._lent.execute(sql, *given)

    def executemany(self, sql: str, *given: Any) -> Any:
        """Likewise, once for each set of parameters."""
        self._refuse(sql)
        return self._lent.executemany(sql, *given)

    def executescript(self, _script: str) -> Any:
        """Refuse: it commits before it does anything."""
        raise UsageError(f"executescript() on the connection of context.session: {COMMITS}")

    async def commit(self) -> None:
        """Commit, where that was approved."""
        if not self._approved:
            raise UsageError(f"commit() on the connection of context.session: {COMMITS}")
        await self._lent.do(_commit, self._held and not self._to_begin)
        self._held = self._approved = self._to_begin = False

    async def rollback(self) -> None:
        """Roll back; what comes after it is refused."""
        if self._reads:
            self._over = True
        else:
            await self._lent.rollback()

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
        """Do the same, where it cannot be waited for."""
        if self._end is not None:
            self._stopping = asyncio.ensure_future(self.close())

    def _refuse(self, sql: str) -> None:
        refused = wrong(sql)
        if refused is not None:
            raise UsageError(refused)

    def _check(self, connection: sqlite3.Connection, sql: str) -> None:
        """Ask in the connection's thread, before each statement; a statement that failed may have rolled back."""
        if self._end is None:
            raise UsageError("the connection of context.session was closed inside the handler")
        if self._held:
            if self._to_begin:
                self._to_begin = False
                connection.execute("BEGIN").close()
            if self._over or not connection.in_transaction:
                raise UsageError(ENDED)
            self._refuse(sql)


def _commit(connection: sqlite3.Connection, held: bool) -> None:
    if held and not connection.in_transaction:
        raise UsageError(ENDED)
    connection.commit()


def lender(driver: SqliteDriver, pool: Pool[SwiftConnection]) -> Callable[..., Awaitable[Lent]]:
    """Make the function by which SQLAlchemy opens a connection."""

    async def lend(*_given: Any, **_options: Any) -> Lent:
        """Wait for a turn."""
        connection = await pool.take()
        return Lent(connection, lambda: driver.end(pool, connection), reads=pool is driver.readers)

    return lend
