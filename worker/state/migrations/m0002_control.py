"""Version 2: pauses, what was changed by whom, breakers and exclusive commands."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

_metadata = MetaData()

_sequence = BigInteger().with_variant(Integer, "sqlite")

Table(
    "worker_control",
    _metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row, 1
    Column("version", BigInteger, nullable=False),  # of pauses and exclusive together
)

Table(
    "worker_pauses",
    _metadata,
    Column("number", _sequence, primary_key=True, autoincrement=True),
    Column("action", String(10), nullable=False),
    Column("origin", String(10), nullable=False),
    Column("scope", String(10), nullable=False),
    Column("value", String(255), nullable=False),
    Column("actor", String(255), nullable=False),
    Column("reason", Text),
    Column("since", Double, nullable=False),
    Column("until", Double),
    Column("owner", String(255), nullable=False),  # the breaker's name; empty: an operator's
    sqlite_autoincrement=True,
)

Table(
    "worker_audit",
    _metadata,
    Column("seq", _sequence, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("actor", String(255), nullable=False),
    Column("action", String(20), nullable=False),  # pause, resume
    Column("subject", Text, nullable=False),  # a JSON list
    Column("reason", Text),
    Column("until", Double),
    Column("version", BigInteger, nullable=False),
    Index("worker_audit_at", "at"),
    sqlite_autoincrement=True,
)

Table(
    "worker_breakers",
    _metadata,
    Column("name", String(255), primary_key=True),
    Column("trips", Integer, nullable=False),  # messages tried in a row that failed
    Column("due", Double, nullable=False),  # when a worker may try one
    Column("prober", String(255), nullable=False),  # the worker that tries; empty: none does
)

Table(
    "worker_exclusive",
    _metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row, 1
    Column("worker", String(255), nullable=False),
    Column("message_id", String(255), nullable=False),
    Column("type", String(255), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("until", Double, nullable=False),
)


def upgrade(connection: Connection, _application: str) -> None:
    """Create the tables, with the first version, and let workers say since when no command runs in them."""
    _metadata.create_all(connection)
    connection.execute(text("INSERT INTO worker_control (id, version) VALUES (1, 0)"))
    connection.execute(
        text("ALTER TABLE worker_workers ADD COLUMN quiet_version BIGINT DEFAULT '0' NOT NULL")
    )
