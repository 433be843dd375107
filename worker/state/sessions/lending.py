"""Lends the driver's connections on SQLite to SQLAlchemy: there is one writer, and one queue for it."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from typing import Any

from worker.errors import HandlerTimeout, UsageError
from worker.state.pool import Pool
from worker.state.sessions.guard import COMMITS, ENDED, wrong
from worker.state.sqlite_connection import Cursor, SwiftConnection
from worker.state.sqlite_driver import SqliteDriver


class Lent:
    """A connection as SQLAlchemy wants one; its end gives it back.

    A handler that reaches for it past SQLAlchemy may read and write with it. It can neither end the transaction that it
    was lent for, nor use it afterwards. One that forgets it in the middle of a transaction loses it: others wait.

    Args:
        connection: of the driver.
        end: rolls back what is open, and gives it back.
        reads: whether it only reads: then a transaction begins with its first statement and ends when it is given back,
            which saves two changes of thread of four.
        idle: seconds after which a transaction ends that no statement was begun in meanwhile.
        now: the steady clock, in seconds.
    """

    def __init__(
        self,
        connection: SwiftConnection,
        end: Callable[[], Awaitable[None]],
        idle: float,
        *,
        reads: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lent = connection
        self._idle = idle
        self._now = now
        self._asked = 0.0
        self._look: asyncio.TimerHandle | None = None
        self._forgotten = False
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

    def watch(self) -> None:
        """End the transaction when its handler forgets it."""
        self._asked = self._now()
        self._look = asyncio.get_running_loop().call_later(self._idle, self._looked)

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
        self._there()
        self._refuse(sql)
        return self._lent.execute(sql, *given)

    def executemany(self, sql: str, *given: Any) -> Any:
        """Likewise, once for each set of parameters."""
        self._there()
        self._refuse(sql)
        return self._lent.executemany(sql, *given)

    def executescript(self, _script: str) -> Any:
        """Refuse: it commits before it does anything."""
        raise UsageError(f"executescript() on the connection of context.session: {COMMITS}")

    async def commit(self) -> None:
        """Commit, where that was approved."""
        if not self._approved:
            raise UsageError(f"commit() on the connection of context.session: {COMMITS}")
        self._there()
        self._look_no_more()  # from here on it is the file system that is waited for
        await self._lent.do(_commit, self._held and not self._to_begin)
        self._held = self._approved = self._to_begin = False

    async def rollback(self) -> None:
        """Roll back; what comes after it is refused."""
        if self._reads:
            self._over = True
        elif self._end is not None:  # else that has been done, and others have the connection
            await self._lent.rollback()

    async def create_function(self, name: str, *given: Any, **options: Any) -> None:
        """Add a function to SQL, once for as long as the connection lives."""
        if name not in self._lent.functions:
            await self._lent.create_function(name, *given, **options)
            self._lent.functions.add(name)

    async def close(self) -> None:
        """Give it back, with nothing open. Idempotent."""
        end, self._end = self._end, None
        self._look_no_more()
        if end is not None:
            await end()

    def stop(self) -> None:
        """Do the same, where it cannot be waited for."""
        if self._end is not None:
            self._stopping = asyncio.ensure_future(self.close())

    def _looked(self) -> None:
        self._look = None
        left = self._asked + self._idle - self._now()
        if left > 0:
            self._look = asyncio.get_running_loop().call_later(left, self._looked)
            return
        self._forgotten = True
        self._lent.raw.interrupt()  # a statement without end
        self.stop()

    def _look_no_more(self) -> None:
        look, self._look = self._look, None
        if look is not None:
            look.cancel()

    def _there(self) -> None:
        """Ask, at the beginning of a statement, whether the transaction is still there."""
        if self._forgotten:
            raise HandlerTimeout(
                f"context.session: its transaction was ended, for its last statement began more than {self._idle:g} s ago, and "
                "on SQLite all others wait for its end: wait for what takes long before the first statement, or use PostgreSQL"
            )
        if self._end is None:
            raise UsageError("the connection of context.session was closed inside the handler")
        self._asked = self._now()

    def _refuse(self, sql: str) -> None:
        refused = wrong(sql)
        if refused is not None:
            raise UsageError(refused)

    def _check(self, connection: sqlite3.Connection, sql: str) -> None:
        """Ask in the connection's thread, before each statement; a statement that failed may have rolled back."""
        self._there()
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


def lender(driver: SqliteDriver, pool: Pool[SwiftConnection], idle: float) -> Callable[..., Awaitable[Lent]]:
    """Make the function by which SQLAlchemy opens a connection; ``idle``: see ``Waits``."""

    async def lend(*_given: Any, **_options: Any) -> Lent:
        """Wait for a turn."""
        connection = await pool.take()
        return Lent(connection, lambda: driver.end(pool, connection), idle, reads=pool is driver.readers)

    return lend
