"""The migrator: applies what is missing, and refuses tables that are newer than this program."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection

from worker.errors import ConfigurationError
from worker.state.migrations import MIGRATIONS, Migration
from worker.state.tables import schema_version


async def pending(connection: AsyncConnection, known: Sequence[Migration] = MIGRATIONS) -> list[str]:
    """Names of the migrations that are not applied yet.

    Raises:
        ConfigurationError: some were applied that this program does not know.
    """
    return [migration.name for migration in await connection.run_sync(_missing, known)]


async def upgrade(connection: AsyncConnection, now: float, known: Sequence[Migration] = MIGRATIONS) -> None:
    """Apply what is missing, in order, in the transaction of ``connection``, which holds all others back.

    Raises:
        ConfigurationError: some were applied that this program does not know.
    """
    await connection.run_sync(_upgrade, now, known)


def _upgrade(connection: Connection, now: float, known: Sequence[Migration]) -> None:
    schema_version.create(connection, checkfirst=True)
    for migration in _missing(connection, known):
        migration.upgrade(connection)
        row = {"version": migration.version, "name": migration.name, "applied_at": now}
        connection.execute(schema_version.insert(), row)


def _missing(connection: Connection, known: Sequence[Migration]) -> list[Migration]:
    if not inspect(connection).has_table(schema_version.name):
        return list(known)
    rows = connection.execute(select(schema_version.c.version, schema_version.c.name))
    applied = {row.version: row.name for row in rows}
    newer = sorted(set(applied) - {migration.version for migration in known})
    if newer:
        raise ConfigurationError(
            f"the database's tables are newer than this program: it knows migrations up to {known[-1].name}, "
            f"the database has {applied[newer[-1]]}; install the newer program or use another database"
        )
    return [migration for migration in known if migration.version not in applied]
