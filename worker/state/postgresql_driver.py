"""Transactions of the stores on PostgreSQL, on connections that no handler can hold."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec

from worker.messaging.bounded import closed
from worker.state import postgresql_connection as connecting
from worker.state.address import Address
from worker.state.outage import is_outage, unavailable
from worker.state.pool import Pool
from worker.state.transaction import Row, Transaction
from worker.state.waits import Waits

_ROLLBACK = 5.0
_GOODBYE = 10.0
"""Seconds for all connections."""

_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresqlDriver:
    """One pool for reading and writing.

    Args:
        address: as configured.
        waits: upper bounds on waiting, and the number of connections.
        application: whose rows transactions see and write.
    """

    def __init__(self, address: Address, waits: Waits, application: str = "") -> None:
        self._application = application
        # what the stores do is bounded as a whole
        whole = msgspec.structs.replace(waits, statement=waits.transaction)
        self._opener = connecting.opener(address.dsn, address.shown, whole)
        self._shown = address.shown
        self._idle_since: dict[Any, float] = {}
        self._pool: Pool[Any] = Pool(self._opener, self._alive, self._hang_up, waits.readers, waits.pool)

    @property
    def there(self) -> bool:
        """A server is there, or does not answer."""
        return True

    async def open(self, *, create: bool = True) -> None:
        """Nothing to make ready."""

    @asynccontextmanager
    async def begin(self, *, write: bool) -> AsyncIterator[Transaction]:
        """Give a transaction; one that only reads sees a single state."""
        connection = await self._pool.take()
        try:
            await connection.execute("BEGIN" if write else _READING)
            yield PostgresqlTransaction(connection, self._application)
            await connection.execute("COMMIT")
        except BaseException as error:
            lost = isinstance(error, Exception) and connection.is_closed()
            await self._end(connection, error)
            if lost:  # the driver has many words for that
                raise unavailable(error, error, self._shown) from error
            raise
        self._give(connection)

    async def close(self) -> None:
        """Close every connection that is not in use, within some seconds."""
        idle = self._pool.close()
        self._idle_since.clear()
        # a server that is silent: the process's end hangs up
        await asyncio.gather(*(closed(connection.close(), _GOODBYE) for connection in idle))

    async def _end(self, connection: Any, error: BaseException) -> None:
        """Roll back; where a statement may still be under way, hanging up does that."""
        if not isinstance(error, Exception) or is_outage(error):
            self._pool.drop(connection)
            return
        try:
            async with asyncio.timeout(_ROLLBACK):
                await connection.execute("ROLLBACK")
        except BaseException as worse:
            self._pool.drop(connection)
            if not isinstance(worse, Exception):
                raise
        else:
            self._give(connection)

    async def _alive(self, connection: Any) -> bool:
        return await connecting.alive(connection, self._idle_since.pop(connection, None))

    def _give(self, connection: Any) -> None:
        self._idle_since[connection] = time.monotonic()
        self._pool.give(connection)

    def _hang_up(self, connection: Any) -> None:
        self._idle_since.pop(connection, None)
        connection.terminate()


class PostgresqlTransaction(Transaction):
    """A transaction on a connection of the driver's own."""

    dialect = "postgresql"

    def __init__(self, connection: asyncpg.Connection, application: str) -> None:
        self.connection = connection
        self.application = application

    async def _fetch(self, text: str, values: tuple[Any, ...]) -> Sequence[Row]:
        found: list[Row] = await self.connection.fetch(text, *values)
        return found

    async def _execute(self, text: str, values: tuple[Any, ...]) -> int:
        told = (await self.connection.execute(text, *values)).rpartition(" ")[2]
        return int(told) if told.isdecimal() else 0

    async def _execute_many(self, text: str, rows: Sequence[tuple[Any, ...]]) -> None:
        await self.connection.executemany(text, rows)
