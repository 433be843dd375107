"""Engines: what the sessions of handlers run on, to write and to read."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event, exc
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import PendingRollbackError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from worker.errors import DatabaseUnavailable
from worker.messaging.bounded import closed
from worker.state.address import Address
from worker.state.driver import Driver
from worker.state.pool import Pool
from worker.state.sessions import guard
from worker.state.sessions.handler_session import HandlerSession
from worker.state.sessions.held_connection import ShownEngine
from worker.state.sessions.lending import lender
from worker.state.sessions.outage import listen, translate
from worker.state.sessions.queue_pool import QueuePool
from worker.state.sessions.transaction import SessionTransaction
from worker.state.sqlite_connection import SwiftConnection
from worker.state.sqlite_driver import SqliteDriver
from worker.state.waits import Waits

_GOODBYE = 10.0
"""Seconds for all connections of a pool."""


class Engines:
    """Makes sessions.

    On SQLite they take turns with the stores at the driver's connections. PostgreSQL has as many writers as it
    has connections, so there handlers, which may hold theirs for long, have a pool of their own: they never keep
    the stores from answering.

    Args:
        address: as configured.
        waits: upper bounds on waiting, and numbers of connections.
        driver: the stores' own.
    """

    def __init__(self, address: Address, waits: Waits, driver: Driver) -> None:
        self._shown = address.shown
        if isinstance(driver, SqliteDriver):
            self._write = _sqlite(driver, driver.writers, "BEGIN IMMEDIATE", waits.idle)
            self._read = _sqlite(driver, driver.readers, None, waits.idle)
            self._pools = [self._write, self._read]
        else:
            self._write = _postgresql(address, waits)
            self._read = self._write.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            self._pools = [self._write]
        self._shown_write, self._shown_read = (
            ShownEngine(engine.sync_engine) for engine in (self._write, self._read)
        )
        for engine in self._pools:
            listen(engine.sync_engine, address.shown)

    def session(self, *, read_only: bool) -> HandlerSession:
        """Make a session; its first statement opens the transaction."""
        if read_only:
            return HandlerSession(self._read, self._shown_read)
        return HandlerSession(self._write, self._shown_write)

    @asynccontextmanager
    async def begin(self, application: str) -> AsyncIterator[SessionTransaction]:
        """Give a transaction that writes, for what needs SQLAlchemy beside sessions: the migrations."""
        async with self._write.begin() as connection:
            yield SessionTransaction(connection, application)

    def translate(self, error: BaseException) -> BaseException:
        """Turn an outage that SQLAlchemy tells into ``DatabaseUnavailable``; give any other error back."""
        return translate(error, self._shown) if isinstance(error, SQLAlchemyError) else error

    def lost(self, error: BaseException) -> DatabaseUnavailable | None:
        """Say which outage is behind an error of a transaction that was lost in an earlier statement."""
        if not isinstance(error, PendingRollbackError):
            return None
        translated = translate(error, self._shown)
        return translated if isinstance(translated, DatabaseUnavailable) else None

    async def close(self) -> None:
        """Close every connection that is not in use, within some seconds."""
        for engine in self._pools:
            await closed(engine.dispose(), _GOODBYE)  # a server that is silent: the process's end hangs up


def _sqlite(driver: SqliteDriver, pool: Pool[SwiftConnection], begin: str | None, idle: float) -> AsyncEngine:
    """Make an engine; without a statement to ``begin`` by, its connections begin by themselves."""
    engine = create_async_engine(
        "sqlite+aiosqlite:///lent",
        connect_args={"async_creator_fn": lender(driver, pool, idle)},
        poolclass=NullPool,  # the driver's pool is the one that waits
        pool_reset_on_return=None,  # and its end of a loan rolls back
        hide_parameters=True,  # an error's text goes to logs and histories
    )

    def on_begin(connection: Connection) -> None:
        if begin is not None:
            connection.exec_driver_sql(begin)
        lent: Any = connection.connection.driver_connection
        lent.begun()

    guard.listen(engine.sync_engine)  # before it: a second transaction is refused before it begins
    event.listen(engine.sync_engine, "begin", on_begin)
    return engine


def _postgresql(address: Address, waits: Waits) -> AsyncEngine:
    from worker.state.postgresql_connection import opener  # an optional driver
    from worker.state.sessions.held_postgresql import HeldPostgresql

    engine = create_async_engine(
        "postgresql+asyncpg://",
        connect_args={"async_creator_fn": opener(address.dsn, address.shown, waits, HeldPostgresql)},
        poolclass=QueuePool,
        pool_size=waits.sessions,
        max_overflow=0,
        pool_timeout=waits.pool,
        hide_parameters=True,
    )
    guard.listen(engine.sync_engine)
    _probe(engine.sync_engine)
    return engine


def _probe(engine: Engine) -> None:
    """Make the pool replace connections that died while they were idle."""
    from worker.state.postgresql_connection import alive

    def on_checkin(_connection: Any, record: Any) -> None:
        record.info["idle_since"] = time.monotonic()

    def on_checkout(connection: Any, record: Any, _proxy: Any) -> None:
        if not connection.run_async(lambda driver: alive(driver, record.info.get("idle_since"))):
            raise exc.InvalidatePoolError

    event.listen(engine, "checkin", on_checkin)
    event.listen(engine, "checkout", on_checkout)
