"""Migrating: which changes of its tables a database lacks, applied, or what its role lacks to apply them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from worker.errors import ConfigurationError
from worker.state.address import Address
from worker.state.driver import Driver
from worker.state.migrations import MIGRATIONS, Migration
from worker.state.outage import DENIED, is_locked, state_of
from worker.state.statement import Statement
from worker.state.transaction import Transaction
from worker.state.waits import Waits

if TYPE_CHECKING:
    from worker.state.database import Database

_PAUSE = 0.1

_THERE = Statement(
    "SELECT 1 WHERE to_regclass('worker_schema_version') IS NOT NULL",
    sqlite="SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'worker_schema_version'",
)
_APPLIED = Statement("SELECT version, name FROM worker_schema_version")
_ANYTHING = "SELECT 1 FROM sqlite_master LIMIT 1"


class Migrating:
    """Makes and changes the tables of a state database; see ``Database.setup``.

    Args:
        database: whose tables.
        address: of it.
        waits: upper bounds on all waiting.
        driver: of it.
    """

    def __init__(self, database: Database, address: Address, waits: Waits, driver: Driver) -> None:
        self._database = database
        self._address = address
        self._waits = waits
        self._driver = driver

    async def setup(self) -> None:
        """Apply what is missing; see ``Database.setup``."""
        missing = await self.missing()
        if not missing:
            return
        try:
            async with self._database.bounded(self._waits.migration):
                await self._upgraded()
        except Exception as error:
            if state_of(error) != DENIED:
                raise
            async with self._database.begin_read() as transaction:
                reason = await denied(transaction, error, missing)
            raise ConfigurationError(f"database {self._database.shown}: {reason}") from error

    async def _upgraded(self) -> None:
        """Apply what is missing; again where another process holds the lock, which may take minutes for the same."""
        while True:
            try:
                return await self.upgrade()
            except Exception as error:
                if not is_locked(error):
                    raise
            await asyncio.sleep(_PAUSE)

    async def upgrade(self, known: Sequence[Migration] = MIGRATIONS) -> None:
        """Apply those migrations that are missing, all or none; for ``setup``."""
        if self._database.is_sqlite and known is MIGRATIONS and await self._made_at_once():
            return
        from worker.state.sessions.engines import Engines
        from worker.state.sessions.migrator import upgrade

        # a change of the tables may be one long statement
        waits = msgspec.structs.replace(self._waits, statement=self._waits.migration)
        engines = Engines(self._address, waits, self._driver)
        try:
            async with engines.begin(self._database.application) as transaction:
                await self._database.take_turn(transaction, "migrations")
                await upgrade(transaction, self._database.clock(), known)
        finally:
            await engines.close()

    async def _made_at_once(self) -> bool:
        """Give an empty SQLite file the tables that all migrations come to; whether it was empty."""
        async with self._driver.begin(write=True) as transaction:
            if await transaction.first(_ANYTHING) is not None:
                return False
            from worker.state.sessions.blueprint import blueprint  # it brings SQLAlchemy

            for statement in blueprint(self._database.application, self._database.clock()):
                await transaction.run(statement)
        return True

    async def missing(self) -> list[str]:
        """Names of the migrations that are missing; see ``Database.missing``."""
        if not self._database.there:
            return [migration.name for migration in MIGRATIONS]
        async with self._database.begin_read() as transaction:
            return [migration.name for migration in await pending(transaction)]


async def pending(transaction: Transaction, known: Sequence[Migration] = MIGRATIONS) -> list[Migration]:
    """Return the migrations that are not applied yet, in order.

    Raises:
        ConfigurationError: some were applied that this program does not know.
    """
    if await transaction.first(_THERE) is None:
        return list(known)
    applied = {row["version"]: row["name"] for row in await transaction.rows(_APPLIED)}
    newer = sorted(set(applied) - {migration.version for migration in known})
    if newer:
        raise ConfigurationError(
            f"the database's tables are newer than this program: it knows migrations up to {known[-1].name}, "
            f"the database has {applied[newer[-1]]}; install the newer program or use another database"
        )
    return [migration for migration in known if migration.version not in applied]


async def denied(transaction: Transaction, error: Exception, missing: Sequence[str]) -> str:
    """Say that PostgreSQL's role may not apply what is missing, and how to give it the right to."""
    (found,) = await transaction.rows("SELECT current_user AS role, current_schema() AS place")
    role, place = f'"{found["role"]}"', f'"{found["place"]}"'
    reason = (str(getattr(error, "orig", None) or error).splitlines() or [""])[0].rpartition(">: ")[2]
    return (
        f"role {role} may not change its tables ({reason}); missing: {', '.join(missing)}; "
        f"grant it that: GRANT USAGE, CREATE ON SCHEMA {place} TO {role}; "
        "or run: worker setup, as the role that owns the tables, and then: "
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {place} TO {role}; "
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {place} TO {role}"
    )
