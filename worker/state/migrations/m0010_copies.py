"""Version 10: copies of messages whose broker keeps them in memory only."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

_metadata = MetaData()

Table(
    "worker_copies",
    _metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("application", String(255), nullable=False),
    Column("transport", String(255), nullable=False),
    Column("queue", String(255), nullable=False),
    Column("message_id", String(255), nullable=False),
    Column("mark", String(16), nullable=False),  # a hash of the body: each attempt has its own
    Column("type", String(255), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("key", Text),
    Column("priority", Integer, nullable=False),
    Column("content_type", String(255), nullable=False),
    Column("at", Double, nullable=False),
    UniqueConstraint("application", "transport", "queue", "message_id", "mark", name="worker_copies_once"),
    Index("worker_copies_at", "application", "at"),
    sqlite_autoincrement=True,
)


def upgrade(connection: Connection, _application: str) -> None:
    """Create the table."""
    _metadata.create_all(connection)
