"""Version 1: all tables of the first release. Never edited once released: what follows is a new file."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
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

_sequence = BigInteger().with_variant(Integer, "sqlite")

Table(
    "worker_inbox",
    _metadata,
    Column("message_id", String(255), primary_key=True),
    Column("handler", String(500), primary_key=True),
    Column("done_at", Double, nullable=False),
    Index("worker_inbox_done_at", "done_at"),
    sqlite_with_rowid=False,
)

Table(
    "worker_outbox",
    _metadata,
    Column("seq", _sequence, primary_key=True, autoincrement=True),
    Column("message_id", String(255), nullable=False),
    Column("origin", String(255), nullable=False),  # the message whose handler sent it
    Column("transport", String(255), nullable=False),
    Column("queue", String(255), nullable=False),
    Column("type", String(255), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("key", Text),
    Column("delay", Double, nullable=False),  # seconds from created_at
    Column("priority", Integer, nullable=False),
    Column("content_type", String(255), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("claimed_by", String(255), nullable=False),
    Column("claimed_until", Double, nullable=False),
    UniqueConstraint("message_id", name="worker_outbox_message_id"),
    Index("worker_outbox_origin", "origin", "seq"),
    Index("worker_outbox_lane", "key", "queue", "seq"),
    sqlite_autoincrement=True,
)

Table(
    "worker_statuses",
    _metadata,
    Column("id", String(255), primary_key=True),
    Column("type", String(255), nullable=False),
    Column("state", String(20), nullable=False),
    Column("transport", String(255), nullable=False),  # empty: unknown
    Column("queue", String(255), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("put_back_at", Double, nullable=False),  # from the failure store; 0: never
    Column("accepted_at", String(40)),  # RFC 3339, as in the envelope
    Column("started_at", Double),
    Column("finished_at", Double),
    Column("error_type", String(500)),
    Column("error_message", Text),
    Index("worker_statuses_finished_at", "finished_at"),
    sqlite_with_rowid=False,
)

Table(
    "worker_failures",
    _metadata,
    Column("id", String(255), primary_key=True),
    Column("type", String(255)),
    Column("transport", String(255), nullable=False),
    Column("queue", String(255), nullable=False),
    Column("failed_at", Double, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("decoded", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("key", Text),
    Column("priority", Integer, nullable=False),
    Column("ticket", String(64)),  # of the replay that was given out and neither resolved nor failed
    Column("hidden_at", Double),  # its replay was confirmed then
    Index("worker_failures_failed_at", "failed_at", "id"),
)

Table(
    "worker_failure_groups",
    _metadata,
    Column("failure_id", String(255), primary_key=True),
    Column("group", String(16), primary_key=True),
    Column("handler", String(500)),
    Column("error_type", String(500), nullable=False),
    Index("worker_failure_groups_group", "group", "failure_id"),
)

Table(
    "worker_attempts",
    _metadata,
    Column("seq", _sequence, primary_key=True, autoincrement=True),
    Column("message_id", String(255), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("worker", String(255), nullable=False),
    Column("handler", String(500), nullable=False),  # empty: none was reached
    Column("error_type", String(500), nullable=False),
    Column("error_message", Text, nullable=False),
    Column("trace", Text, nullable=False),
    UniqueConstraint("message_id", "at", "attempt", "handler", name="worker_attempts_once"),
    Index("worker_attempts_at", "at"),
    sqlite_autoincrement=True,
)

Table(
    "worker_workers",
    _metadata,
    Column("id", String(255), primary_key=True),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
    Column("applied_version", BigInteger, nullable=False),
    Column("types", Text, nullable=False),  # a JSON list
)

Table(
    "worker_idempotency",
    _metadata,
    Column("id", String(64), primary_key=True),  # a hash of caller, path and key
    Column("body_hash", String(64), nullable=False),
    Column("message_id", String(255), nullable=False),
    Column("state", String(20), nullable=False),  # pending, done, abandoned
    Column("claim", String(64), nullable=False),
    Column("leased_until", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("answer", LargeBinary),
    Index("worker_idempotency_expires_at", "expires_at"),
)


def upgrade(connection: Connection, _application: str) -> None:
    """Create the tables."""
    _metadata.create_all(connection)
