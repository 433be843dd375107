"""Engines: how connections to SQLite and PostgreSQL are opened, pooled and begun."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from worker.errors import ConfigurationError
from worker.state.address import Address
from worker.state.outage import listen
from worker.state.pool import Pool
from worker.state.sqlite_connection import open_connection
from worker.state.waits import Waits

_GOODBYE = 10.0
"""Seconds for all connections of a pool."""


class Engines:
    """Engines that write and that read, for the stores and for the sessions of handlers.

    SQLite has one writer at a time. One writing connection a process lets the process's own writers queue in
    order of arrival, on the loop; SQLite's busy handler, which is unfair, is left to settle between processes.

    PostgreSQL has as many writers as it has connections, so there handlers, which may hold theirs for long, have
    a pool of their own: they never keep the stores from answering.

    Args:
        url: for SQLAlchemy.
        address: as configured.
        waits: upper bounds on waiting, and numbers of connections.
        lasting: whether a commit must survive a power cut.
    """

    def __init__(self, url: URL, address: Address, waits: Waits, *, lasting: bool = True) -> None:
        if address.dialect == "sqlite":
            self.write, self.read = _sqlite(url, waits, lasting=lasting)
            self.sessions, self.read_sessions = self.write, self.read
            self._pools = [self.write, self.read]
        else:
            # what the stores do is bounded as a whole; a change of the tables may be one long statement
            whole = msgspec.structs.replace(waits, statement=waits.migration)
            self.write = _postgresql(address, whole, size=waits.readers)
            self.sessions = _postgresql(address, waits, size=waits.sessions)
            self.read, self.read_sessions = _reading(self.write), _reading(self.sessions)
            self._pools = [self.write, self.sessions]
        for engine in self._pools:
            listen(engine.sync_engine, address.shown)

    async def close(self) -> None:
        """Close every connection that is not in use, within some seconds."""
        for engine in self._pools:
            try:
                async with asyncio.timeout(_GOODBYE):
                    await engine.dispose()
            except TimeoutError:  # a server that is silent: the process's end hangs up
                pass


def _sqlite(url: URL, waits: Waits, *, lasting: bool) -> tuple[AsyncEngine, AsyncEngine]:
    def make(begin: str, pragmas: str, size: int) -> AsyncEngine:
        # isolation_level None: the driver begins nothing by itself, the hook below does
        engine = create_async_engine(
            url,
            connect_args={
                "isolation_level": None,
                "timeout": waits.lock,
                "async_creator_fn": open_connection,
            },
            poolclass=Pool,
            pool_size=size,
            max_overflow=0,
            pool_timeout=waits.pool,
            hide_parameters=True,  # an error's text goes to logs and histories
        )

        def on_connect(connection: Any, _record: Any) -> None:
            try:
                cursor = connection.cursor()
                for pragma in pragmas.split(";"):
                    cursor.execute(f"PRAGMA {pragma}")
                cursor.close()
            except BaseException:
                connection.close()  # nobody else knows of it yet
                raise

        def on_begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        event.listen(engine.sync_engine, "connect", on_connect)
        event.listen(engine.sync_engine, "begin", on_begin)
        return engine

    # FULL: a commit survives a power cut too, as a 202 promises
    durability = "FULL" if lasting else "OFF"
    write = make("BEGIN IMMEDIATE", f"foreign_keys=ON;synchronous={durability}", 1)
    read = make("BEGIN", "foreign_keys=ON;query_only=ON", waits.readers)
    return write, read


def _postgresql(address: Address, waits: Waits, *, size: int) -> AsyncEngine:
    try:
        from worker.state.postgresql_connection import opener, probe

        engine = create_async_engine(
            URL.create("postgresql+asyncpg"),
            connect_args={"async_creator_fn": opener(address.dsn, address.shown, waits)},
            poolclass=Pool,
            pool_size=size,
            max_overflow=0,
            pool_timeout=waits.pool,
            hide_parameters=True,
        )
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"database.url: PostgreSQL needs a driver; install command-worker[postgres] ({error})"
        ) from error
    probe(engine.sync_engine)
    return engine


def _reading(engine: AsyncEngine) -> AsyncEngine:
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
