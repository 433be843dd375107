"""Engines: how connections to SQLite and PostgreSQL are opened, pooled and begun."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from worker.errors import ConfigurationError
from worker.state.outage import listen
from worker.state.pool import Pool
from worker.state.sqlite_connection import open_connection
from worker.state.waits import Waits


class Engines:
    """The engine that writes and the one that reads; the same pool on PostgreSQL.

    SQLite has one writer at a time. One writing connection a process lets the process's own writers queue in
    order of arrival, on the loop; SQLite's busy handler, which is unfair, is left to settle between processes.
    """

    def __init__(self, url: URL, shown: str, waits: Waits, *, lasting: bool = True) -> None:
        if url.get_backend_name() == "sqlite":
            self.write, self.read = _sqlite(url, waits, lasting=lasting)
        else:
            self.write, self.read = _postgresql(url, waits)
        for engine in {self.write.sync_engine, self.read.sync_engine}:
            listen(engine, shown)

    async def close(self) -> None:
        """Close every connection that is not in use."""
        await self.write.dispose()
        await self.read.dispose()


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


def _postgresql(url: URL, waits: Waits) -> tuple[AsyncEngine, AsyncEngine]:
    limits = f"-c lock_timeout={int(waits.lock * 1000)} -c statement_timeout={int(waits.statement * 1000)}"
    try:
        engine = create_async_engine(
            url,
            connect_args={
                "connect_timeout": max(2, int(waits.lock)),
                "options": limits,
                "keepalives_idle": 10,
                "tcp_user_timeout": int(waits.statement * 1000),
            },
            poolclass=Pool,
            pool_size=waits.readers,
            max_overflow=waits.readers,
            pool_timeout=waits.pool,
            pool_pre_ping=True,
            hide_parameters=True,
        )
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"database.url: PostgreSQL needs a driver; install command-worker[postgres] ({error})"
        ) from error
    return engine, engine.execution_options(postgresql_readonly=True)
