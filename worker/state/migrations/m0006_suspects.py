"""Version 6: messages that were in hand when a worker died."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Double, Index, MetaData, String, Table, Text

_metadata = MetaData()

Table(
    "worker_suspects",
    _metadata,
    Column("application", String(255), primary_key=True, nullable=False),
    Column("name", String(48), primary_key=True),  # a hash of transport, queue and id
    Column("at", Double, nullable=False),
    Column("record", Text, nullable=False),  # JSON
    Index("worker_suspects_at", "application", "at"),
    sqlite_with_rowid=False,
)


def upgrade(connection: Connection, _application: str) -> None:
    """Create the table."""
    _metadata.create_all(connection)
