"""Version 8: tokens, whether they have ever been in use, and what they have sent in the windows of their limits."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Connection, Double, Index, MetaData, String, Table, Text

_metadata = MetaData()

Table(
    "worker_tokens",
    _metadata,
    Column("application", String(255), primary_key=True, nullable=False),
    Column("id", String(128), primary_key=True),
    Column("secret_hash", String(64), nullable=False),  # SHA-256 in hexadecimal
    Column("document", Text, nullable=False),  # JSON
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("used_at", Double),
    Index("worker_tokens_secret", "application", "secret_hash", unique=True),
)

Table(
    "worker_tokens_in_use",
    _metadata,
    Column("application", String(255), primary_key=True, nullable=False),
    Column("since", Double, nullable=False),
)

Table(
    "worker_token_counts",
    _metadata,
    Column("application", String(255), primary_key=True, nullable=False),
    Column("token", String(128), primary_key=True),
    Column("unit", String(1), primary_key=True),  # empty: of all time
    Column("start", BigInteger, primary_key=True, autoincrement=False),  # of the window
    Column("count", BigInteger, nullable=False),
    Column("until", Double),  # the window's end; null where it has none
    Index("worker_token_counts_until", "application", "until"),
    sqlite_with_rowid=False,
)


def upgrade(connection: Connection, _application: str) -> None:
    """Create the tables."""
    _metadata.create_all(connection)
