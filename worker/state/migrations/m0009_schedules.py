"""Version 9: schedules, and which of their ticks were fired."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Connection, Double, Integer, MetaData, String, Table, Text

_metadata = MetaData()

Table(
    "worker_schedules",
    _metadata,
    Column("application", String(255), primary_key=True, nullable=False),
    Column("name", String(128), primary_key=True),
    Column("trigger_text", String(600), nullable=False),  # another one begins anew
    Column("reached", BigInteger, nullable=False),  # microseconds since the epoch, as all ticks
    Column("resumed", BigInteger, nullable=False),  # what lies before was paused
    Column("forgotten", BigInteger, nullable=False),  # up to here rows of firings were removed
    Column("paused_at", Double),  # null: it is not paused
    Column("paused_by", String(255)),
    Column("paused_reason", Text),
)

Table(
    "worker_firings",
    _metadata,
    Column("application", String(255), primary_key=True, nullable=False),
    Column("schedule", String(128), primary_key=True),
    Column("tick", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),  # for people
    Column("message_id", String(255)),  # of the first message; null: it sent none
    Column("messages", Integer, nullable=False),
    Column("error_type", String(255)),
    Column("error_message", Text),
    Column("actor", String(255)),  # null: it was due
)


def upgrade(connection: Connection, _application: str) -> None:
    """Create the tables."""
    _metadata.create_all(connection)
