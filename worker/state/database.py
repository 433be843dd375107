"""The state database: connects, migrates, and hands out transactions and sessions."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from worker.errors import DatabaseUnavailable
from worker.state.address import parse
from worker.state.migrating import Migrating
from worker.state.notifications import Notifications
from worker.state.opening import open_driver
from worker.state.outage import HINTS, READ_ONLY, is_locked, translate
from worker.state.statement import Statement
from worker.state.timekeeping import Timekeeper
from worker.state.transaction import Transaction
from worker.state.waits import Waits

if TYPE_CHECKING:
    from worker.state.sessions.engines import Engines
    from worker.state.sessions.handler_session import HandlerSession
    from worker.state.sessions.joining import Joining
    from worker.state.sessions.mapped.tables import MappedTables

_PAUSE = 0.1

_TURN = Statement(
    "SELECT pg_advisory_xact_lock(hashtext(:name))",
    sqlite="SELECT 1",  # every writer holds all others back
)

_READ_ONLY = "SELECT current_setting('transaction_read_only')"


class Database:
    """The state database. Bound to the loop that connects it.

    Whatever it or its sessions raise because the database does not answer is ``DatabaseUnavailable``.

    Args:
        url: ``sqlite:///path`` (relative: from ``base``), ``sqlite://`` for one that goes with the process
            (a temporary file: sessions and stores see the same data from different connections), or
            ``postgresql://…``.
        base: folder of the configuration file.
        clock: seconds since the epoch, for times that are shown.
        waits: upper bounds on all waiting.
        application: whose it is. Applications that share a database share nothing in it: the stores see and write
            this one's rows only.

    Attributes:
        application: as given.
        migrating: its tables, made and changed.
        time: for leases, signs of life and lengths of time: no step of any machine's clock moves it.

    Raises:
        ConfigurationError: the URL is not understood, or its driver is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        base: Path,
        clock: Callable[[], float] = time.time,
        waits: Waits | None = None,
        application: str = "",
    ) -> None:
        self.clock = clock
        self.application = application
        self._waits = waits or Waits()
        self._address = parse(url, base)
        self.time = Timekeeper(clock, shared=not self.is_sqlite)
        self._driver = open_driver(self._address, self._waits, application)
        self.migrating = Migrating(self, self._address, self._waits, self._driver)
        self._engines: Engines | None = None
        self._notifications: Notifications | None = None
        self._joining: Joining | None = None

    @property
    def shown(self) -> str:
        """The URL with its password masked."""
        return self._address.shown

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite; PostgreSQL otherwise."""
        return self._address.dialect == "sqlite"

    @property
    def there(self) -> bool:
        """Whether there is anything to read: False for a SQLite file that was not made yet."""
        return self._driver.there

    async def connect(self, timeout: float = 10.0, *, create: bool = True) -> None:
        """Open it, trying again until ``timeout`` seconds have passed.

        Without ``create``, a file that is not there stays so: nothing is opened then.

        Raises:
            DatabaseUnavailable: it does not answer; names the URL, password masked.
        """
        if "sqlalchemy" in sys.modules:
            self._sessions()  # the application has loaded most of it: its first handler need not wait for the rest
        if not create and not self.there:
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout
        reason: DatabaseUnavailable | None = None
        while True:
            try:
                async with self._bounded(max(0.01, until - loop.time())):
                    await self._driver.open(create=create)
                    await self.ping()
                return
            except DatabaseUnavailable as error:
                if "unable to open" in str(error) or "not a database" in str(error):
                    raise  # no waiting makes a folder writable
                if reason is None or not isinstance(error.__cause__, TimeoutError):
                    reason = error  # the last try has less time than the others: that it ran out says nothing
                if loop.time() + _PAUSE >= until:
                    raise reason from reason.__cause__
            await asyncio.sleep(_PAUSE)

    async def close(self) -> None:
        """Close all connections. Idempotent."""
        if self._engines is not None:
            await self._engines.close()
        await self._driver.close()

    async def ping(self) -> None:
        """Prove that it answers.

        Raises:
            DatabaseUnavailable: it does not.
        """
        if not self.there:
            raise DatabaseUnavailable(f"database {self.shown}: there is no such file")
        async with self.begin_read() as transaction:
            await transaction.value("SELECT 1")

    async def prove_writable(self) -> None:
        """Prove that it takes writes. Nothing that is read is changed.

        Raises:
            DatabaseUnavailable: it is read-only, its disk is full, or it does not answer.
        """
        async with self.begin_write() as transaction:
            if self.is_sqlite:  # a full disk shows only where something is written: the number that is there
                version = await transaction.value("PRAGMA user_version")
                await transaction.run(f"PRAGMA user_version = {version}")
            elif await transaction.value(_READ_ONLY) == "on":
                raise DatabaseUnavailable(
                    f"database {self.shown}: it is read-only: {HINTS[READ_ONLY]}; this program writes to it"
                )

    async def prove_well(self, patience: float) -> None:
        """Prove that it answers and takes writes; a SQLite file that others write for longer than that shows it by itself.

        Args:
            patience: seconds to wait for them.

        Raises:
            DatabaseUnavailable: it does not.
        """
        await self.ping()
        try:
            async with asyncio.timeout(patience):
                await self.prove_writable()
        except TimeoutError:
            if not self.is_sqlite:
                raise
        except DatabaseUnavailable as error:
            if not is_locked(error):
                raise

    async def setup(self) -> None:
        """Create and change tables as needed. Safe to repeat, and in several processes at once.

        Raises:
            ConfigurationError: the tables are of a newer version than this program, or the role may not create
                what is missing.
            DatabaseUnavailable: it does not answer.
        """
        await self.migrating.setup()

    async def missing(self) -> list[str]:
        """Names of the migrations that ``setup`` would apply.

        Raises:
            ConfigurationError: the tables are of a newer version than this program.
            DatabaseUnavailable: it does not answer.
        """
        return await self.migrating.missing()

    @asynccontextmanager
    async def begin_write(self) -> AsyncIterator[Transaction]:
        """Give a transaction that writes: committed at the end, rolled back on an error.

        On SQLite it holds the write lock from its beginning, so it never fails half-way for another writer.
        """
        async with self.bounded(), self._driver.begin(write=True) as transaction:
            yield transaction

    @asynccontextmanager
    async def begin_read(self) -> AsyncIterator[Transaction]:
        """Give a transaction that reads one consistent state."""
        async with self.bounded(), self._driver.begin(write=False) as transaction:
            yield transaction

    def session(self, *, read_only: bool = False) -> HandlerSession:
        """Make a session; its first statement opens the transaction."""
        return self._sessions().session(read_only=read_only)

    @property
    def tables(self) -> MappedTables:
        """The tables of an application's mapped classes."""
        from worker.state.sessions.mapped.tables import MappedTables  # loaded where there are some

        return MappedTables(self, lambda: self._sessions().begin(self.application), self._waits.migration)

    @property
    def joining(self) -> Joining:
        """Writes into transactions that the application has begun on this database."""
        if self._joining is None:
            from worker.state.sessions.joining import Joining  # loaded where the application uses SQLAlchemy

            self._joining = Joining(self, self._address.path)
        return self._joining

    async def now(self, *, writes: bool = True) -> float:
        """Return the time, compared lately with the other processes'.

        Args:
            writes: whether the caller is about to write; else nothing is, also where a step was seen.
        """
        if writes and self.time.due:
            async with self.begin_write() as transaction:
                await self.time.compare(transaction)
        elif not self.time.known:
            async with self.begin_read() as transaction:
                await self.time.look(transaction)
        return self.time()

    async def take_turn(self, transaction: Transaction, name: str) -> None:
        """Wait for a turn at ``name``, which lasts until this transaction ends. On SQLite every writer has waited for one."""
        if not self.is_sqlite:
            await transaction.rows(_TURN, name=f"worker.{name}")

    async def listen(self, channel: str, heard: Callable[[], None]) -> None:
        """Call ``heard`` when another process notifies a channel, until cancelled; SQLite tells nothing, and it returns."""
        if not self.is_sqlite:
            if self._notifications is None:
                self._notifications = Notifications(self._address, self._waits)
            await self._notifications.listen(channel, heard)

    def bounded(self, seconds: float | None = None) -> Any:
        """Bound what is awaited inside to so many seconds, else a transaction's time; outages become DatabaseUnavailable."""
        usual = self._waits.transaction if self.is_sqlite else self._waits.answer
        return self._bounded(usual if seconds is None else seconds)

    @asynccontextmanager
    async def _bounded(self, seconds: float) -> AsyncIterator[None]:
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                yield
        except DatabaseUnavailable:
            raise
        except Exception as error:
            if limit.expired() and isinstance(error, TimeoutError):
                raise DatabaseUnavailable(f"database {self.shown}: no answer within {seconds:g} s") from error
            translated = self._translated(error)
            if translated is error:
                raise
            raise translated from error

    def lost(self, error: BaseException) -> DatabaseUnavailable | None:
        """Say which outage an error tells that a handler's session raised, None when it tells none."""
        if isinstance(error, DatabaseUnavailable):
            return error
        return None if self._engines is None else self._engines.lost(error)

    def _translated(self, error: BaseException) -> BaseException:
        translated = translate(error, self.shown)
        if translated is error and self._engines is not None:
            return self._engines.translate(error)
        return translated

    def _sessions(self) -> Engines:
        if self._engines is None:
            # SQLAlchemy: half of what a worker would weigh that has no use for it
            from worker.state.sessions.engines import Engines

            self._engines = Engines(self._address, self._waits, self._driver)
        return self._engines
