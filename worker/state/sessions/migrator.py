"""The migrator: applies what is missing, and refuses tables that are newer than this program."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from worker.state.migrating import pending
from worker.state.migrations import Migration
from worker.state.sessions.transaction import SessionTransaction
from worker.state.tables import schema_version


async def upgrade(transaction: SessionTransaction, now: float, known: Sequence[Migration]) -> None:
    """Apply what is missing, in order, in a transaction that holds all others back.

    Raises:
        ConfigurationError: some were applied that this program does not know.
    """
    missing = await pending(transaction, known)
    await transaction.connection.run_sync(_upgrade, now, missing, transaction.application)


def _upgrade(connection: Connection, now: float, missing: Sequence[Migration], application: str) -> None:
    schema_version.create(connection, checkfirst=True)
    for migration in missing:
        migration.upgrade(connection, application)
        row = {"version": migration.version, "name": migration.name, "applied_at": now}
        connection.execute(schema_version.insert(), row)
