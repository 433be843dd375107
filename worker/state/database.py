"""The state database: connects, migrates, and hands out transactions and sessions."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from worker.errors import DatabaseUnavailable
from worker.state import migrator
from worker.state.address import parse
from worker.state.engines import Engines
from worker.state.listening import listen
from worker.state.outage import translate
from worker.state.session import HandlerSession
from worker.state.waits import Waits

_PAUSE = 0.1


class Database:
    """The state database. Bound to the loop that connects it.

    Whatever it or its sessions raise because the database does not answer is ``DatabaseUnavailable``.

    Args:
        url: ``sqlite:///path`` (relative: from ``base``), ``sqlite://`` for one that goes with the process
            (a temporary file: sessions and stores see the same data from different connections), or
            ``postgresql://…``.
        base: folder of the configuration file.
        clock: seconds since the epoch.
        waits: upper bounds on all waiting.

    Raises:
        ConfigurationError: the URL is not understood, or its driver is not installed.
    """

    def __init__(
        self, url: str, *, base: Path, clock: Callable[[], float] = time.time, waits: Waits | None = None
    ) -> None:
        self.clock = clock
        self._waits = waits or Waits()
        self._address = parse(url, base)
        self._folder: str | None = None
        target = self._address.url
        if target is None:
            self._folder = tempfile.mkdtemp(prefix="worker-state-")
            self._forget = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            target = URL.create("sqlite+aiosqlite", database=str(Path(self._folder) / "state.db"))
        self._file = Path(target.database or "") if self.is_sqlite else None
        self._engines = Engines(target, self._address, self._waits, lasting=self._folder is None)

    @property
    def shown(self) -> str:
        """The URL with its password masked."""
        return self._address.shown

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite; PostgreSQL otherwise."""
        return self._address.dialect == "sqlite"

    def marks(self, count: int) -> list[str]:
        """Make the driver's placeholders for parameters, for statements that go to it as they are."""
        return [f"${number}" if not self.is_sqlite else "?" for number in range(1, count + 1)]

    async def connect(self, timeout: float = 10.0) -> None:
        """Open it, trying again until ``timeout`` seconds have passed.

        Raises:
            DatabaseUnavailable: it does not answer; names the URL, password masked.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout
        while True:
            try:
                async with self._bounded(max(0.01, until - loop.time())):
                    await self._open()
                return
            except DatabaseUnavailable as error:
                if "unable to open" in str(error) or "not a database" in str(error):
                    raise  # no waiting makes a folder writable
                if loop.time() + _PAUSE >= until:
                    raise
            await asyncio.sleep(_PAUSE)

    async def close(self) -> None:
        """Close all connections. Idempotent."""
        await self._engines.close()
        if self._folder is not None:
            self._forget()

    async def ping(self) -> None:
        """Prove that it answers.

        Raises:
            DatabaseUnavailable: it does not.
        """
        async with self.begin_read() as connection:
            await connection.execute(text("SELECT 1"))

    async def setup(self) -> None:
        """Create and change tables as needed. Safe to repeat, and in several processes at once.

        Raises:
            ConfigurationError: the tables are of a newer version than this program.
            DatabaseUnavailable: it does not answer.
        """
        if not await self.missing():
            return
        async with self._bounded(self._waits.migration), self._engines.write.begin() as connection:
            await self.lock(connection, "migrations")
            await migrator.upgrade(connection, self.clock())

    async def missing(self) -> list[str]:
        """Names of the migrations that ``setup`` would apply.

        Raises:
            ConfigurationError: the tables are of a newer version than this program.
            DatabaseUnavailable: it does not answer.
        """
        async with self.begin_read() as connection:
            return await migrator.pending(connection)

    @asynccontextmanager
    async def begin_write(self) -> AsyncIterator[AsyncConnection]:
        """Give a transaction that writes: committed at the end, rolled back on an error.

        On SQLite it holds the write lock from its beginning, so it never fails half-way for another writer.
        """
        async with self.bounded(), self._engines.write.begin() as connection:
            yield connection

    @asynccontextmanager
    async def begin_read(self) -> AsyncIterator[AsyncConnection]:
        """Give a transaction that reads one consistent state."""
        async with self.bounded(), self._engines.read.begin() as connection:
            yield connection

    def session(self, *, read_only: bool = False) -> HandlerSession:
        """Make a session; its first statement opens the transaction."""
        engine = self._engines.read_sessions if read_only else self._engines.sessions
        return HandlerSession(engine, expire_on_commit=False)

    async def lock(self, connection: AsyncConnection, name: str) -> None:
        """Hold all others that lock ``name`` back until this transaction ends. On SQLite every writer does."""
        if not self.is_sqlite:
            await connection.execute(
                text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"worker.{name}"}
            )

    async def listen(self, channel: str, heard: Callable[[], None]) -> None:
        """Call ``heard`` when another process notifies a channel, until cancelled; SQLite tells nothing, and it returns."""
        if not self.is_sqlite:
            await listen(self._address, self._waits, channel, heard)

    def insert(self, table: Table) -> Any:
        """Make an insert that knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def bounded(self) -> Any:
        """Bound what is awaited inside to a transaction's time, and turn outages into DatabaseUnavailable."""
        return self._bounded(self._waits.transaction if self.is_sqlite else self._waits.answer)

    @asynccontextmanager
    async def _bounded(self, seconds: float) -> AsyncIterator[None]:
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                yield
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise DatabaseUnavailable(f"database {self.shown}: no answer within {seconds:g} s") from error
        except SQLAlchemyError as error:
            translated = translate(error, self.shown)
            if translated is error:
                raise
            raise translated from error

    async def _open(self) -> None:
        if self._file is not None:
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise DatabaseUnavailable(f"database {self.shown}: unable to open: {error}") from error
            async with self._engines.write.connect() as connection:
                # the mode stays with the file; it cannot be changed inside a transaction
                raw = await connection.get_raw_connection()
                driver: Any = raw.driver_connection
                try:
                    await (await driver.execute("PRAGMA journal_mode=WAL")).close()
                except Exception as error:
                    raise DatabaseUnavailable(f"database {self.shown}: {error}") from error
        await self.ping()
