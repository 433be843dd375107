"""Version 5: what makes up for steps of the database's clock, and when a process last found it in order."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Double, MetaData, Table, text

_metadata = MetaData()

Table(
    "worker_clock",
    _metadata,
    Column("skew", Double, nullable=False),
    Column("seen", Double, nullable=False),
)


def upgrade(connection: Connection, _application: str) -> None:
    """Add the table and its row."""
    _metadata.create_all(connection)
    connection.execute(text("INSERT INTO worker_clock (skew, seen) VALUES (0, 0)"))
