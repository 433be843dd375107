"""The migrator: applies what is missing, and refuses tables that are newer than this program."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Connection, Double, Integer, MetaData, String, Table

from worker.state.migrating import pending
from worker.state.migrations import Migration
from worker.state.sessions.transaction import SessionTransaction

_applied = Table(
    "worker_schema_version",
    MetaData(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("name", String(200), nullable=False),
    Column("applied_at", Double, nullable=False),
)


async def upgrade(transaction: SessionTransaction, now: float, known: Sequence[Migration]) -> None:
    """Apply what is missing, in order, in a transaction that holds all others back.

    Raises:
        ConfigurationError: some were applied that this program does not know.
    """
    missing = await pending(transaction, known)
    await transaction.connection.run_sync(apply, now, missing, transaction.application)


def apply(connection: Connection, now: float, missing: Sequence[Migration], application: str) -> None:
    """Apply these, in order, and note that they are."""
    _applied.create(connection, checkfirst=True)
    for migration in missing:
        migration.upgrade(connection, application)
        row = {"version": migration.version, "name": migration.name, "applied_at": now}
        connection.execute(_applied.insert(), row)
