"""Transactions on SQLite: one connection that writes, some that read.

SQLite has one writer at a time. One writing connection a process lets the process's own writers queue in order of
arrival, on the loop; SQLite's busy handler, which is unfair, is left to settle between processes.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
import time
import weakref
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import structlog

from worker.errors import DatabaseUnavailable
from worker.messaging.bounded import closed
from worker.state.pool import Pool
from worker.state.sqlite_connection import SwiftConnection, open_connection
from worker.state.statement import Sql
from worker.state.transaction import Row, Transaction
from worker.state.waits import Waits

T = TypeVar("T")

_ROLLBACK = 5.0
_GOODBYE = 10.0
"""Seconds for all connections."""

_LOOK = 1.0
"""Seconds between two looks at whether the path still leads to the file that a connection has open."""

log = structlog.stdlib.get_logger("worker.state")


class SqliteDriver:
    """Sessions of handlers borrow from the same pools: there is one writer, a store or a session.

    Args:
        path: of the file; None for one in a folder of its own that goes with the process, or when it is closed.
        shown: the database's URL.
        waits: upper bounds on waiting, and the number of readers.
        application: whose rows transactions see and write.
    """

    def __init__(self, path: Path | None, shown: str, waits: Waits, *, application: str = "") -> None:
        self._forget: Callable[[], object] | None = None
        lasting = path is not None
        if path is None:
            folder = tempfile.mkdtemp(prefix="worker-state-")
            self._forget = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            path = Path(folder) / "state.db"
        self.path = path
        self._made = False
        self._application = application
        self._shown = shown
        self._waits = waits
        # FULL: a commit survives a power cut too, as a 202 promises
        self._durability = "FULL" if lasting else "OFF"
        self.writers = self._pool("foreign_keys=ON", f"synchronous={self._durability}", size=1)
        self.readers = self._pool("foreign_keys=ON", "query_only=ON", size=waits.readers)
        self._ending: set[asyncio.Future[Any]] = set()
        """Connections that are rolled back or closed, which is not waited for."""

    @property
    def there(self) -> bool:
        """Whether the file is there."""
        return self.path.exists()

    async def open(self, *, create: bool = True) -> None:
        """Make the folder, and let the file be read while it is written; nothing of that without ``create``."""
        if not create:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseUnavailable(f"database {self._shown}: unable to open: {error}") from error
        connection = await self.writers.take()
        try:
            # the mode stays with the file; it cannot be changed inside a transaction
            await connection.do(_execute, "PRAGMA journal_mode=WAL", ())
        finally:
            await self.end(self.writers, connection)
        self._made = True

    @asynccontextmanager
    async def begin(self, *, write: bool) -> AsyncIterator[Transaction]:
        """Give a transaction; one that writes holds the write lock from its beginning."""
        pool = self.writers if write else self.readers
        connection = await pool.take()
        try:
            await connection.do(_execute, "BEGIN IMMEDIATE" if write else "BEGIN", ())
            yield SqliteTransaction(connection, self._application)
            await connection.do(_execute, "COMMIT", ())
        except BaseException:
            await self.end(pool, connection)
            raise
        pool.give(connection)

    async def end(self, pool: Pool[SwiftConnection], connection: SwiftConnection) -> None:
        """Roll back what may be open and give a connection back, also when the caller is cancelled meanwhile.

        The end of what only read is not waited for: the connection's next user comes after it. One whose thread
        still runs a statement is not lent until that is over.
        """
        if connection.quiet:
            left_open = connection.raw.in_transaction
            if left_open and pool is self.readers:
                connection.do_later(_roll_back)
                left_open = False
            if not left_open:
                pool.give(connection)
                return

        def over(end: asyncio.Future[bool]) -> None:
            """Lend it again where it is as good as new."""
            well = not end.cancelled() and end.exception() is None and end.result()
            (pool.give if well else pool.drop)(connection)

        # also one that is cancelled before it begins, as all of a loop is at its end, gives the connection back
        end = asyncio.get_running_loop().create_task(_rolled_back(connection))
        end.add_done_callback(over)
        await asyncio.shield(self._until_close(end))

    async def close(self) -> None:
        """Close every connection that is not in use, within some seconds."""
        idle = [*self.writers.close(), *self.readers.close()]
        # a file system that hangs: the process's end lets go
        await asyncio.gather(*(closed(connection.close(), _GOODBYE) for connection in idle))
        await closed(self._ended(), _GOODBYE)
        if self._forget is not None:
            self._forget()

    async def _ended(self) -> None:
        """Wait for the threads of all that was given up: none may speak to a loop that is closed."""
        while self._ending:
            await asyncio.wait(self._ending)

    def _until_close(self, end: asyncio.Future[T]) -> asyncio.Future[T]:
        self._ending.add(end)
        end.add_done_callback(self._ending.discard)
        return end

    def _hang_up(self, connection: SwiftConnection) -> None:
        stopped = connection.stop()
        if stopped is not None:
            self._until_close(stopped)

    def _at_path(self) -> tuple[int, int] | None:
        """Which file is there now."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _pool(self, *pragmas: str, size: int) -> Pool[SwiftConnection]:
        async def opened() -> SwiftConnection:
            if self._made and not self.there:
                raise DatabaseUnavailable(
                    f"database {self._shown}: its file is gone; put it back, or start the process anew"
                )
            connection = open_connection(
                self.path, pragmas=pragmas, isolation_level=None, timeout=self._waits.lock
            )
            await connection
            try:
                connection.file, connection.looked = await connection.run(self._at_path), time.monotonic()
            except BaseException:  # its caller is gone
                await connection.close()
                raise
            return connection

        async def alive(connection: SwiftConnection) -> bool:
            """A file that was removed or replaced still takes what is written, and it is lost."""
            now = time.monotonic()
            if now < connection.looked + _LOOK:
                return True
            connection.looked = now
            if await connection.run(self._at_path) == connection.file:
                return True
            log.error("the database's file was removed or replaced", database=self._shown)
            await connection.close()
            return False

        return Pool(opened, alive, self._hang_up, size, self._waits.pool)


class SqliteTransaction(Transaction):
    """A transaction on a connection of this driver; a statement is one change of thread."""

    dialect = "sqlite"

    def __init__(self, connection: SwiftConnection, application: str) -> None:
        self._connection = connection
        self.application = application

    def _bound(self, sql: Sql, values: Mapping[str, Any]) -> tuple[Any, ...]:
        return sql.listed(values)

    async def _fetch(self, text: str, values: tuple[Any, ...]) -> Sequence[Row]:
        found: list[Row] = await self._connection.do(_fetch, text, values)
        return found

    async def _execute(self, text: str, values: tuple[Any, ...]) -> int:
        return int(await self._connection.do(_execute, text, values))

    async def _execute_many(self, text: str, rows: Sequence[tuple[Any, ...]]) -> None:
        await self._connection.do(_execute_many, text, rows)


async def _rolled_back(connection: SwiftConnection) -> bool:
    """Roll back what is open, within some seconds; whether it can be lent again."""
    try:
        async with asyncio.timeout(_ROLLBACK):
            await connection.do(_roll_back)
    except (TimeoutError, ValueError, sqlite3.Error):
        return False
    return True


def _fetch(connection: sqlite3.Connection, text: str, values: tuple[Any, ...]) -> list[Row]:
    cursor = connection.cursor()
    cursor.row_factory = sqlite3.Row
    try:
        return cursor.execute(text, values).fetchall()
    finally:
        cursor.close()


def _execute(connection: sqlite3.Connection, text: str, values: tuple[Any, ...]) -> int:
    cursor = connection.execute(text, values)
    changed = cursor.rowcount
    cursor.close()
    return changed


def _execute_many(connection: sqlite3.Connection, text: str, rows: Sequence[tuple[Any, ...]]) -> None:
    connection.executemany(text, rows).close()


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.rollback()
